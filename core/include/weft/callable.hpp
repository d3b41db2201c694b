#pragma once

#include <weft/encode.hpp>

#include <bit>
#include <source_location>
#include <string>

namespace weft {

/// How a callable can reach another process. All processes run the same binary, so code itself never travels.
enum class CallableKind {
  /// Nothing in it: its type says everything.
  Captureless,
  /// A function pointer: goes as a place inside the program or a library.
  Function,
  /// A functor whose fields travel: goes as its fields.
  Fields,
  /// A lambda with trivially copyable captures: goes as its bytes, if none of them points into this process.
  Bytes,
  /// Captures something that owns or refers: stays here.
  Stays,
};

namespace detail {

template <class F>
inline constexpr bool is_function_pointer = std::is_pointer_v<F>&& std::is_function_v<std::remove_pointer_t<F>>;

template <class F>
consteval CallableKind callable_kind() {
  if constexpr (local_only<F>) {
    return CallableKind::Stays;
  } else if constexpr (is_function_pointer<F>) {
    return CallableKind::Function;
  } else if constexpr (std::is_empty_v<F> && (std::is_trivially_copyable_v<F> || std::is_default_constructible_v<F>)) {
    return CallableKind::Captureless;
  } else if constexpr (std::is_class_v<F> && Travels<F>) {
    return CallableKind::Fields;
  } else if constexpr (std::is_class_v<F> && std::is_trivially_copyable_v<F>) {
    return CallableKind::Bytes;
  } else {
    return CallableKind::Stays;
  }
}

constexpr std::uint64_t digest_of(std::string_view text, std::uint64_t from = 0xcbf29ce484222325u) {
  for (const char letter : text) from = (from ^ static_cast<unsigned char>(letter)) * 0x100000001b3u;
  return from;
}

template <class F>
struct BytesOf {
  alignas(F) std::byte bytes[sizeof(F)];
};

/// Zeroes what lies between the captures, which may hold leftovers that look like pointers.
template <class F>
BytesOf<F> captured_bytes(const F& callable) {
  BytesOf<F> copy;
  std::memcpy(&copy, &callable, sizeof copy);
#if defined(__GNUC__) && !defined(__clang__)
  __builtin_clear_padding(reinterpret_cast<F*>(&copy));
#endif
  return copy;
}

[[noreturn]] void wrong_callable(std::string_view wanted);

}  // namespace detail

template <class F>
struct CallableTraits {
  static constexpr CallableKind kind = detail::callable_kind<F>();
  static constexpr bool captureless = kind == CallableKind::Captureless;
  static constexpr bool trivially = std::is_trivially_copyable_v<F>;
  static constexpr bool travels = kind != CallableKind::Stays;
  /// The same in every process that runs this binary. Not unique: lambdas of one function may share a spelling.
  static constexpr std::uint64_t digest = detail::digest_of(type_name<F>());
};

/// A callable that can be given to another process; a capturing lambda only if nothing in it turns out to point here.
template <class F>
concept CallableTravels = CallableTraits<F>::travels;

/// Stops the compiler with one sentence where `F` captures what cannot be sent.
template <class F>
consteval void require_callable_travels() {
  static_assert(!std::is_member_pointer_v<F>,
                "weft: a task's function is no pointer to a member: write weft::member<&Class::method>");
  static_assert(CallableTravels<F> || std::is_member_pointer_v<F>,
                "weft: this callable cannot travel between processes: its captures are not trivially copyable; pass "
                "them as arguments of the task");
}

/// The line of the user's call, for errors about what it passed.
struct SourceLine {
  SourceLine() = default;
  SourceLine(const char* its_file, std::uint32_t its_line) : file(its_file), line(its_line) {}
  SourceLine(const std::source_location& where) : file(where.file_name()), line(where.line()) {}
  const char* file = "";
  std::uint32_t line = 0;
};

/// Throws weft::Error where one of the aligned words of a capture is an address in this process. `where` is the line of
/// the user's call. A 64-bit number that happens to be such an address is refused too.
void check_capture(const void* bytes, std::size_t size, const SourceLine& where);

/// Appends an address of something that is part of the program or of a library (a function, a constant) as the place it
/// has there; throws weft::Error for any other. The reader finds the place again wherever the image was loaded.
void encode_address(Writer& writer, const void* address);
/// Returns the address in this process. Throws weft::Error where the image is not loaded here or is another build.
const void* decode_address(Reader& reader);

/// Returns the readable name of the function or object at `address`, or "program+0x1234" where it has none.
std::string symbol_name(const void* address);

/// Returns the digest of the program's own executable, as its linker or its code tell it.
std::uint64_t image_digest();

/// Adds the name of a task type to the registry. Once a type, before `main`; the order does not matter.
bool register_task_type(std::string_view name);
/// Returns how many task types are registered.
std::size_t task_type_count();
/// Returns one number for the executable and all registered task types. Processes that differ in it must not work
/// together.
std::uint64_t registry_digest();

namespace detail {
/// Whoever names it has `T`, a callable with the kinds of its arguments, registered before `main`.
template <class T>
inline const bool registered_task_type = register_task_type(type_name<T>());
}  // namespace detail

/// Appends a callable; `where` is the user's line, for the error about a captured pointer.
template <class F>
void encode_callable(Writer& writer, const F& callable, const SourceLine& where) {
  require_callable_travels<F>();
  using Traits = CallableTraits<F>;
  writer.number(Traits::digest);
  if constexpr (Traits::kind == CallableKind::Function) {
    encode_address(writer, reinterpret_cast<const void*>(callable));
  } else if constexpr (Traits::kind == CallableKind::Fields) {
    encode(writer, callable);
  } else if constexpr (Traits::kind == CallableKind::Bytes) {
    const auto captured = detail::captured_bytes(callable);
    check_capture(&captured, sizeof captured, where);
    writer.bytes(&captured, sizeof captured);
  }
}

/// Returns the callable. Throws weft::Error where the bytes are those of another one.
template <class F>
F decode_callable(Reader& reader) {
  require_callable_travels<F>();
  using Traits = CallableTraits<F>;
  if (reader.number<std::uint64_t>(type_name<F>()) != Traits::digest) detail::wrong_callable(type_name<F>());
  if constexpr (Traits::kind == CallableKind::Function) {
    return reinterpret_cast<F>(const_cast<void*>(decode_address(reader)));
  } else if constexpr (Traits::kind == CallableKind::Fields) {
    return decode<F>(reader);
  } else if constexpr (Traits::kind == CallableKind::Bytes) {
    detail::BytesOf<F> captured;
    reader.bytes(&captured, sizeof captured, type_name<F>());
    return std::bit_cast<F>(captured);
  } else if constexpr (std::is_trivially_copyable_v<F>) {
    return std::bit_cast<F>(detail::BytesOf<F>{});
  } else {
    return F{};
  }
}

}  // namespace weft
