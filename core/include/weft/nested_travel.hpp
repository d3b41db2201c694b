#pragma once

#include <weft/encode.hpp>
#include <weft/nested.hpp>

namespace weft::detail {

/// The inputs of a task whose closure is being decoded: handles inside containers write nothing, because the task's
/// edges name the same tasks in the same order.
/// Owns: nothing.  Threading: one at a time in a thread.
class DecodedInputs {
 public:
  explicit DecodedInputs(TaskId task) noexcept;
  DecodedInputs(const DecodedInputs&) = delete;
  DecodedInputs& operator=(const DecodedInputs&) = delete;
  ~DecodedInputs();

  /// Steps over inputs that are arguments by themselves: they are not in the closure.
  static void skip(std::uint32_t count);
  /// Returns the next input, with a use that the caller owns. Throws weft::Error where there is none.
  static TaskId take();
  /// Returns how many are left.
  static std::uint32_t left();

  /// While it exists, handles are read as empty ones: whoever holds them puts the inputs in afterwards.
  class Later {
   public:
    Later() noexcept;
    Later(const Later&) = delete;
    Later& operator=(const Later&) = delete;
    ~Later();

   private:
    const bool outer_;
  };
  static bool come_later() noexcept;
};

/// How an argument that is kept in a closure travels: as its encoding, but for the handles in it.
template <class A>
struct ArgumentCodec {
  static constexpr bool travels = is_handle<A> || TravelsOrStays<A>;
  static void write(Writer& writer, const A& value) {
    if constexpr (!is_handle<A>) encode(writer, value);
  }
  static A read(Reader& reader) {
    if constexpr (!is_handle<A>) {
      return decode<A>(reader);
    } else if (DecodedInputs::come_later()) {
      return A();
    } else if constexpr (requires { A::adopt(TaskId{}); }) {
      return A::adopt(DecodedInputs::take());
    } else {
      return A::adopt(DecodedInputs::take(), 0);
    }
  }
};

/// An argument that its task can be given in another process, or from a file.
template <class A>
inline constexpr bool argument_travels = ArgumentCodec<A>::travels;

template <class... Field>
consteval bool all_arguments_travel(Types<Field...>) {
  return (argument_travels<Field> && ...);
}

template <class S>
consteval bool told_handles_travel() {
  if constexpr (local_only<S>) {
    return false;
  } else if constexpr (HasFieldsFunction<S>) {
    return std::is_default_constructible_v<S>;
  } else if constexpr (PlainStruct<S>) {
    return all_arguments_travel(FieldTypes<S>{});
  } else {
    return false;
  }
}

/// Throws: a struct tells other handles where it has arrived than where it came from.
[[noreturn]] void refuse_other_handles(std::string_view type);

/// A struct that tells its handles goes as its other fields; its handles are put in where it tells them, in its order.
template <class S>
requires(tells_handles<S> && !is_handle<S>) struct ArgumentCodec<S> {
  static constexpr bool travels = told_handles_travel<S>();
  static void write(Writer& writer, const S& value) {
    std::size_t told = 0;
    auto count = [&](const Handle&) { ++told; };
    weft_handles(value, count);
    writer.count(told);
    if constexpr (HasFieldsFunction<S>) {
      Writer fields;
      encode(fields, value);
      // Looked at here, where somebody can be told: on arrival it would be too late.
      Reader reader(fields);
      const S again = decode<S>(reader);
      std::size_t told_again = 0;
      auto count_again = [&](const Handle&) { ++told_again; };
      weft_handles(again, count_again);
      if (told_again != told) refuse_other_handles(type_name<S>());
      writer.bytes(fields.data(), fields.size());
    } else {
      with_fields(value, [&]<class... F>(const F&... field) { (ArgumentCodec<F>::write(writer, field), ...); });
    }
  }
  static S read(Reader& reader) {
    std::uint64_t left = reader.count(type_name<S>());
    S value = read_fields(reader);
    if (DecodedInputs::come_later()) return value;
    auto put = [&]<class H>(const H& handle) {
      if (left-- == 0) refuse_other_handles(type_name<S>());
      const_cast<H&>(handle) = ArgumentCodec<H>::read(reader);
    };
    weft_handles(std::as_const(value), put);
    if (left != 0) refuse_other_handles(type_name<S>());
    return value;
  }

 private:
  static S read_fields(Reader& reader) {
    if constexpr (HasFieldsFunction<S>) {
      return decode<S>(reader);
    } else {
      const DecodedInputs::Later later;
      S value{};
      with_fields(value, [&]<class... F>(F&... field) { ((field = ArgumentCodec<F>::read(reader)), ...); });
      return value;
    }
  }
};

/// Returns a count of elements that the bytes and the inputs left can hold.
std::size_t read_element_count(Reader& reader);

template <class T, class A>
requires has_handles<T>
struct ArgumentCodec<std::vector<T, A>> {
  static constexpr bool travels = argument_travels<T>;
  static void write(Writer& writer, const std::vector<T, A>& values) {
    writer.count(values.size());
    for (const T& value : values) ArgumentCodec<T>::write(writer, value);
  }
  static std::vector<T, A> read(Reader& reader) {
    std::vector<T, A> values;
    for (std::size_t left = read_element_count(reader); left != 0; --left) {
      values.push_back(ArgumentCodec<T>::read(reader));
    }
    return values;
  }
};

template <class T, std::size_t N>
requires has_handles<T>
struct ArgumentCodec<std::array<T, N>> {
  static constexpr bool travels = argument_travels<T>;
  static void write(Writer& writer, const std::array<T, N>& values) {
    for (const T& value : values) ArgumentCodec<T>::write(writer, value);
  }
  static std::array<T, N> read(Reader& reader) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return std::array<T, N>{(static_cast<void>(I), ArgumentCodec<T>::read(reader))...};
    }
    (std::make_index_sequence<N>{});
  }
};

template <class K, class T, class C, class A>
requires has_handles<T>
struct ArgumentCodec<std::map<K, T, C, A>> {
  static constexpr bool travels = TravelsOrStays<K> && argument_travels<T>;
  static void write(Writer& writer, const std::map<K, T, C, A>& values) {
    writer.count(values.size());
    for (const auto& [key, value] : values) {
      encode(writer, key);
      ArgumentCodec<T>::write(writer, value);
    }
  }
  static std::map<K, T, C, A> read(Reader& reader) {
    std::map<K, T, C, A> values;
    for (std::size_t left = read_element_count(reader); left != 0; --left) {
      K key = decode<K>(reader);
      values.emplace_hint(values.end(), std::move(key), ArgumentCodec<T>::read(reader));
    }
    return values;
  }
};

template <class K, class T, class H, class E, class A>
requires has_handles<T>
struct ArgumentCodec<std::unordered_map<K, T, H, E, A>> {
  static constexpr bool travels = TravelsOrStays<K> && argument_travels<T>;
  static void write(Writer& writer, const std::unordered_map<K, T, H, E, A>& values) {
    writer.count(values.size());
    for (const auto& [key, value] : by_key(values)) {
      encode(writer, *key);
      ArgumentCodec<T>::write(writer, *value);
    }
  }
  static std::unordered_map<K, T, H, E, A> read(Reader& reader) {
    std::unordered_map<K, T, H, E, A> values;
    for (std::size_t left = read_element_count(reader); left != 0; --left) {
      K key = decode<K>(reader);
      values.emplace(std::move(key), ArgumentCodec<T>::read(reader));
    }
    return values;
  }
};

template <class T>
requires has_handles<T>
struct ArgumentCodec<std::optional<T>> {
  static constexpr bool travels = argument_travels<T>;
  static void write(Writer& writer, const std::optional<T>& value) {
    writer.count(value ? 1 : 0);
    if (value) ArgumentCodec<T>::write(writer, *value);
  }
  static std::optional<T> read(Reader& reader) {
    return reader.count("optional") != 0 ? std::optional<T>(ArgumentCodec<T>::read(reader)) : std::nullopt;
  }
};

template <class... T>
requires(has_handles<T> || ...) struct ArgumentCodec<std::variant<T...>> {
  using Variant = std::variant<T...>;
  static constexpr bool travels = (argument_travels<T> && ...);
  static void write(Writer& writer, const Variant& value) {
    writer.count(value.index());
    std::visit([&]<class V>(const V& held) { ArgumentCodec<V>::write(writer, held); }, value);
  }
  static Variant read(Reader& reader) {
    const std::uint64_t index = reader.count(type_name<Variant>());
    std::optional<Variant> value;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      static_cast<void>(
          ((index == I && (value.emplace(std::in_place_index<I>, ArgumentCodec<T>::read(reader)), true)) || ...));
    }
    (std::index_sequence_for<T...>{});
    if (!value) reader.damaged(type_name<Variant>(), "it has no such alternative");
    return std::move(*value);
  }
};

template <class X, class Y>
requires(has_handles<X> || has_handles<Y>) struct ArgumentCodec<std::pair<X, Y>> {
  static constexpr bool travels = argument_travels<X> && argument_travels<Y>;
  static void write(Writer& writer, const std::pair<X, Y>& values) {
    ArgumentCodec<X>::write(writer, values.first);
    ArgumentCodec<Y>::write(writer, values.second);
  }
  // Braces fix the order in which the parts are read.
  static std::pair<X, Y> read(Reader& reader) {
    return std::pair<X, Y>{ArgumentCodec<X>::read(reader), ArgumentCodec<Y>::read(reader)};
  }
};

template <class... T>
requires(has_handles<T> || ...) struct ArgumentCodec<std::tuple<T...>> {
  static constexpr bool travels = (argument_travels<T> && ...);
  static void write(Writer& writer, const std::tuple<T...>& values) {
    std::apply([&](const T&... value) { (ArgumentCodec<T>::write(writer, value), ...); }, values);
  }
  static std::tuple<T...> read(Reader& reader) { return std::tuple<T...>{ArgumentCodec<T>::read(reader)...}; }
};

}  // namespace weft::detail
