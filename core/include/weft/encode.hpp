#pragma once

#include <weft/fields.hpp>
#include <weft/wire.hpp>

#include <concepts>
#include <limits>

namespace weft {

/// True for types that may be used inside their process and must not leave it, such as a handle of a library:
/// `template <> inline constexpr bool weft::local_only<MyHandle> = true;`. Sending one throws weft::Error.
template <class T>
inline constexpr bool local_only = false;

/// How values of one template travel; specialised for the standard library in <weft/codecs.hpp>. A specialisation has
/// `using Parts = Types<...>`, the types that must travel too, `static void write(Writer&, const T&)` and
/// `static void read(Reader&, T&)`, which reads into a value made by `T{}`.
template <class T>
struct Codec {};

class WriteArchive;
class ReadArchive;

namespace detail {

template <class T>
concept HasCodec = requires {
  typename Codec<T>::Parts;
};

template <class T>
concept HasFieldsFunction = requires(WriteArchive& archive, T& value) {
  weft_fields(archive, value);
};

template <class T>
concept Number = std::is_arithmetic_v<T> || std::is_enum_v<T>;

template <bool kLocalToo, class T, class... Outer>
consteval bool travels_within();

template <bool kLocalToo, class... Outer, class... Part>
consteval bool all_travel(Types<Part...>) {
  return (travels_within<kLocalToo, Part, Outer...>() && ...);
}

// `Outer` are the types whose parts are being asked about: one that holds itself, as a tree does, travels if all else
// in it does.
template <bool kLocalToo, class T, class... Outer>
consteval bool travels_within() {
  if constexpr (std::is_const_v<T> || std::is_volatile_v<T>) {
    return false;
  } else if constexpr (local_only<T>) {
    return kLocalToo;
  } else if constexpr (Number<T> || (std::is_same_v<T, Outer> || ...)) {
    return true;
  } else if constexpr (HasFieldsFunction<T>) {
    return std::is_default_constructible_v<T>;
  } else if constexpr (HasCodec<T>) {
    return all_travel<kLocalToo, Outer...>(typename Codec<T>::Parts{});
  } else if constexpr (std::is_bounded_array_v<T>) {
    return travels_within<kLocalToo, std::remove_extent_t<T>, Outer...>();
  } else if constexpr (PlainStruct<T>) {
    return all_travel<kLocalToo, T, Outer...>(FieldTypes<T>{});
  } else {
    return false;
  }
}

}  // namespace detail

/// A type whose values can be sent to another process.
template <class T>
concept Travels = detail::travels_within<false, T>();

/// A type whose values can be sent, or are declared, themselves or parts of them, to stay: for those sending throws.
template <class T>
concept TravelsOrStays = detail::travels_within<true, T>();

/// Stops the compiler with one sentence where values of `T` could not be given to another process.
template <class T>
consteval void require_travels() {
  static_assert(TravelsOrStays<T>,
                "weft: this type cannot travel between processes: give it weft_fields(archive, T&) and a constructor "
                "without arguments, or declare weft::local_only<T>");
}

namespace detail {

[[noreturn]] void must_stay(std::string_view type);

template <class T>
consteval bool is_block();

template <class... Field>
consteval bool are_blocks(Types<Field...>, std::size_t whole) {
  return (is_block<Field>() && ...) && (std::size_t{0} + ... + sizeof(Field)) == whole;
}

// A block is its own encoding: no pointer, no padding, nothing declared by the user, and any bits are a value.
template <class T>
consteval bool is_block() {
  if constexpr (local_only<T> || std::is_same_v<T, bool> || std::is_same_v<T, long double>) {
    return false;
  } else if constexpr (Number<T>) {
    return true;
  } else if constexpr (!std::is_trivially_copyable_v<T> || HasFieldsFunction<T>) {
    return false;
  } else if constexpr (HasCodec<T>) {
    return requires { requires Codec<T>::kBlock; };
  } else if constexpr (std::is_bounded_array_v<T>) {
    return is_block<std::remove_extent_t<T>>();
  } else if constexpr (Travels<T> && !std::is_empty_v<T>) {
    return are_blocks(FieldTypes<T>{}, sizeof(T));
  } else {
    return false;
  }
}

template <class T>
inline constexpr bool travels_as_block = is_block<T>();

template <class T>
consteval std::size_t least_bytes();

template <class... Field>
consteval std::size_t least_bytes_of(Types<Field...>) {
  return (std::size_t{0} + ... + least_bytes<Field>());
}

// The fewest bytes a value of `T` can take; at least one.
template <class T>
consteval std::size_t least_bytes() {
  if constexpr (Number<T> || travels_as_block<T>) {
    return sizeof(T);
  } else if constexpr (local_only<T> || HasFieldsFunction<T> || HasCodec<T> || std::is_empty_v<T>) {
    return 1;
  } else if constexpr (std::is_bounded_array_v<T>) {
    return std::extent_v<T> * least_bytes<std::remove_extent_t<T>>();
  } else {
    return least_bytes_of(FieldTypes<T>{});
  }
}

template <class T>
void write_value(Writer& writer, const T& value);
template <class T>
void read_value(Reader& reader, T& value);

void write_long_double(Writer& writer, long double value);

}  // namespace detail

/// What a `weft_fields(archive, T&)` is given to write a T; it must not change the fields.
class WriteArchive {
 public:
  static constexpr bool kReading = false;
  explicit WriteArchive(Writer& writer) : writer_(writer) {}

  /// Writes the fields, in this order.
  template <class... Field>
  void operator()(const Field&... field) {
    (require_travels<Field>(), ...);
    (detail::write_value(writer_, field), ...);
  }
  Writer& writer() { return writer_; }

 private:
  Writer& writer_;
};

/// What a `weft_fields(archive, T&)` is given to read a T, which has been made by `T{}`.
class ReadArchive {
 public:
  static constexpr bool kReading = true;
  explicit ReadArchive(Reader& reader) : reader_(reader) {}

  /// Reads the fields, in this order.
  template <class... Field>
  void operator()(Field&... field) {
    (require_travels<Field>(), ...);
    (detail::read_value(reader_, field), ...);
  }
  Reader& reader() { return reader_; }

 private:
  Reader& reader_;
};

namespace detail {

template <class T>
void write_value(Writer& writer, const T& value) {
  if constexpr (!TravelsOrStays<T>) {
    // require_travels has said so already.
  } else if constexpr (local_only<T>) {
    must_stay(type_name<T>());
  } else if constexpr (std::is_same_v<T, bool>) {
    writer.number<std::uint8_t>(value ? 1 : 0);
  } else if constexpr (std::is_same_v<T, long double>) {
    write_long_double(writer, value);
  } else if constexpr (travels_as_block<T>) {
    std::memcpy(writer.append(sizeof value), &value, sizeof value);
  } else if constexpr (HasFieldsFunction<T>) {
    const Nesting nesting(writer.level(), type_name<T>());
    const std::size_t before = writer.size();
    WriteArchive archive(writer);
    weft_fields(archive, const_cast<T&>(value));
    if (writer.size() == before) writer.number<std::uint8_t>(0);
  } else if constexpr (HasCodec<T>) {
    Codec<T>::write(writer, value);
  } else if constexpr (std::is_array_v<T>) {
    for (const auto& element : value) write_value(writer, element);
  } else if constexpr (std::is_empty_v<T>) {
    writer.number<std::uint8_t>(0);
  } else {
    const Nesting nesting(writer.level(), type_name<T>());
    with_fields(value, [&](const auto&... field) { (write_value(writer, field), ...); });
  }
}

template <class T>
void read_value(Reader& reader, T& value) {
  if constexpr (!TravelsOrStays<T>) {
    // require_travels has said so already.
  } else if constexpr (local_only<T>) {
    must_stay(type_name<T>());
  } else if constexpr (std::is_same_v<T, bool>) {
    const auto byte = reader.number<std::uint8_t>(type_name<T>());
    if (byte > 1) reader.damaged(type_name<T>(), "a truth value is neither 0 nor 1");
    value = byte != 0;
  } else if constexpr (Number<T> || travels_as_block<T>) {
    reader.bytes(&value, sizeof value, type_name<T>());
  } else if constexpr (HasFieldsFunction<T>) {
    const Nesting nesting(reader.level(), type_name<T>());
    const std::size_t before = reader.offset();
    ReadArchive archive(reader);
    weft_fields(archive, value);
    if (reader.offset() == before) reader.number<std::uint8_t>(type_name<T>());
  } else if constexpr (HasCodec<T>) {
    Codec<T>::read(reader, value);
  } else if constexpr (std::is_array_v<T>) {
    for (auto& element : value) read_value(reader, element);
  } else if constexpr (std::is_empty_v<T>) {
    reader.number<std::uint8_t>(type_name<T>());
  } else {
    const Nesting nesting(reader.level(), type_name<T>());
    with_fields(value, [&](auto&... field) { (read_value(reader, field), ...); });
  }
}

}  // namespace detail

/// Appends `value` to `writer`. Throws weft::Error where a part of it is declared local_only.
template <class T>
void encode(Writer& writer, const T& value) {
  require_travels<T>();
  detail::write_value(writer, value);
}

/// Returns the next value, which must have been written as a `T`. Throws weft::Error on damaged bytes.
template <class T>
T decode(Reader& reader) {
  require_travels<T>();
  if constexpr (Travels<T>) {
    T value{};
    detail::read_value(reader, value);
    return value;
  } else {
    detail::must_stay(type_name<T>());
  }
}

/// Returns the value that `bytes` hold from end to end. Throws weft::Error on damaged bytes and on bytes left over.
template <class T>
T decode_all(const void* bytes, std::size_t size) {
  Reader reader(bytes, size);
  T value = decode<T>(reader);
  if (reader.remaining() != 0) reader.damaged(type_name<T>(), "bytes are left over behind it");
  return value;
}

/// Returns `value` as another process would see it: encoded and decoded. What is declared local_only stays as it is.
template <class T>
T through_encoding(T value) {
  require_travels<T>();
  if constexpr (Travels<T>) {
    Writer writer;
    encode(writer, value);
    return decode_all<T>(writer.data(), writer.size());
  } else {
    return value;
  }
}

}  // namespace weft

#include <weft/codecs.hpp>
