#pragma once

// How the standard library's values travel. Part of <weft/encode.hpp>, which includes it.

#include <weft/encode.hpp>

#include <array>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

namespace weft {

namespace detail {

// Contiguous blocks are copied at once; everything else goes element by element.
template <class T>
void write_elements(Writer& writer, const T* elements, std::size_t count) {
  if constexpr (travels_as_block<T>) {
    writer.bytes(elements, count * sizeof(T));
  } else {
    for (std::size_t i = 0; i < count; ++i) write_value(writer, elements[i]);
  }
}
template <class T>
void read_elements(Reader& reader, T* elements, std::size_t count) {
  if constexpr (travels_as_block<T>) {
    reader.bytes(elements, count * sizeof(T), type_name<T>());
  } else {
    for (std::size_t i = 0; i < count; ++i) read_value(reader, elements[i]);
  }
}

/// A sequence whose elements are written one by one: deque, list.
template <class C>
struct SequenceCodec {
  using Parts = Types<typename C::value_type>;
  static void write(Writer& writer, const C& values) {
    writer.count(values.size());
    for (const auto& value : values) write_value(writer, value);
  }
  static void read(Reader& reader, C& values) {
    const std::size_t count = reader.elements(least_bytes<typename C::value_type>(), type_name<C>());
    for (std::size_t i = 0; i < count; ++i) read_value(reader, values.emplace_back());
  }
};

template <class C>
concept IsMap = requires { typename C::mapped_type; };

/// What an element of a map or set is made of: keys are const inside the container.
template <class C>
struct ElementOf {
  using type = typename C::key_type;
};
template <IsMap C>
struct ElementOf<C> {
  using type = std::pair<typename C::key_type, typename C::mapped_type>;
};

template <class C>
const typename C::key_type& key_of(const typename C::value_type& element) {
  if constexpr (IsMap<C>) {
    return element.first;
  } else {
    return element;
  }
}

/// A map or set. Those without an order are written in the order of their keys where keys have one, so that equal
/// containers have equal bytes.
template <class C, bool kOrdered>
struct AssociativeCodec {
  using Element = typename ElementOf<C>::type;

  static void write_element(Writer& writer, const typename C::value_type& element) {
    if constexpr (IsMap<C>) {
      write_value(writer, element.first);
      write_value(writer, element.second);
    } else {
      write_value(writer, element);
    }
  }
  static void write(Writer& writer, const C& values) {
    writer.count(values.size());
    using Key = typename C::key_type;
    if constexpr (!kOrdered && requires(const Key& a, const Key& b) { { a < b } -> std::convertible_to<bool>; }) {
      using Value = typename C::value_type;
      auto before = [](const Value* a, const Value* b) { return key_of<C>(*a) < key_of<C>(*b); };
      std::multiset<const Value*, decltype(before)> sorted;
      for (const Value& value : values) sorted.insert(&value);
      for (const Value* value : sorted) write_element(writer, *value);
    } else {
      for (const auto& value : values) write_element(writer, value);
    }
  }
  static void read(Reader& reader, C& values) {
    const std::size_t count = reader.elements(least_bytes<typename C::key_type>(), type_name<C>());
    for (std::size_t i = 0; i < count; ++i) {
      Element element{};
      if constexpr (IsMap<C>) {
        read_value(reader, element.first);
        read_value(reader, element.second);
      } else {
        read_value(reader, element);
      }
      values.insert(values.end(), std::move(element));
    }
  }
};

template <class C>
consteval auto map_parts() {
  return Types<typename C::key_type, typename C::mapped_type>{};
}

/// A type of namespace std; for those recognised by their shape because their headers are slow to compile.
template <class T>
concept InStd = type_name<T>().starts_with("std::");

}  // namespace detail

template <class C, class A>
struct Codec<std::basic_string<C, std::char_traits<C>, A>> {
  using Text = std::basic_string<C, std::char_traits<C>, A>;
  using Parts = Types<C>;
  static void write(Writer& writer, const Text& text) {
    writer.count(text.size());
    writer.bytes(text.data(), text.size() * sizeof(C));
  }
  static void read(Reader& reader, Text& text) {
    text.resize(reader.elements(sizeof(C), type_name<Text>()));
    reader.bytes(text.data(), text.size() * sizeof(C), type_name<Text>());
  }
};

template <class T, class A>
struct Codec<std::vector<T, A>> {
  using Parts = Types<T>;
  static void write(Writer& writer, const std::vector<T, A>& values) {
    writer.reserve(values.size() * detail::least_bytes<T>() + 10);
    writer.count(values.size());
    detail::write_elements(writer, values.data(), values.size());
  }
  static void read(Reader& reader, std::vector<T, A>& values) {
    values.resize(reader.elements(detail::least_bytes<T>(), type_name<std::vector<T, A>>()));
    detail::read_elements(reader, values.data(), values.size());
  }
};

/// Eight truth values a byte, the first in the lowest bit.
template <class A>
struct Codec<std::vector<bool, A>> {
  using Parts = Types<>;
  static void write(Writer& writer, const std::vector<bool, A>& values) {
    writer.count(values.size());
    for (std::size_t i = 0; i < values.size(); i += 8) {
      unsigned bits = 0;
      for (std::size_t k = 0; k < 8 && i + k < values.size(); ++k) bits |= (values[i + k] ? 1u : 0u) << k;
      writer.number(static_cast<std::uint8_t>(bits));
    }
  }
  static void read(Reader& reader, std::vector<bool, A>& values) {
    const std::uint64_t count = reader.count("std::vector<bool>");
    if (count / 8 > reader.remaining()) reader.damaged("std::vector<bool>", "it is longer than the bytes that are left");
    const std::byte* const bits = reader.view(static_cast<std::size_t>((count + 7) / 8), "std::vector<bool>");
    values.resize(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = (bits[i / 8] >> (i % 8) & std::byte{1}) != std::byte{0};
  }
};

template <class T, std::size_t N>
struct Codec<std::array<T, N>> {
  using Parts = Types<T>;
  static constexpr bool kBlock = N > 0 && detail::is_block<T>();
  static void write(Writer& writer, const std::array<T, N>& values) {
    if constexpr (N == 0) writer.number<std::uint8_t>(0);
    detail::write_elements(writer, values.data(), N);
  }
  static void read(Reader& reader, std::array<T, N>& values) {
    if constexpr (N == 0) reader.number<std::uint8_t>("std::array of nothing");
    detail::read_elements(reader, values.data(), N);
  }
};

template <class A, class B>
struct Codec<std::pair<A, B>> {
  using Parts = Types<A, B>;
  static void write(Writer& writer, const std::pair<A, B>& value) {
    detail::write_value(writer, value.first);
    detail::write_value(writer, value.second);
  }
  static void read(Reader& reader, std::pair<A, B>& value) {
    detail::read_value(reader, value.first);
    detail::read_value(reader, value.second);
  }
};

template <class... T>
struct Codec<std::tuple<T...>> {
  using Parts = Types<T...>;
  static void write(Writer& writer, const std::tuple<T...>& value) {
    if constexpr (sizeof...(T) == 0) writer.number<std::uint8_t>(0);
    std::apply([&](const T&... part) { (detail::write_value(writer, part), ...); }, value);
  }
  static void read(Reader& reader, std::tuple<T...>& value) {
    if constexpr (sizeof...(T) == 0) reader.number<std::uint8_t>("std::tuple of nothing");
    std::apply([&](T&... part) { (detail::read_value(reader, part), ...); }, value);
  }
};

template <class T>
struct Codec<std::optional<T>> {
  using Parts = Types<T>;
  static void write(Writer& writer, const std::optional<T>& value) {
    detail::write_value(writer, value.has_value());
    if (value) detail::write_value(writer, *value);
  }
  static void read(Reader& reader, std::optional<T>& value) {
    bool present = false;
    detail::read_value(reader, present);
    if (present) detail::read_value(reader, value.emplace());
  }
};

/// The value pointed to, not the pointer. Not for classes with virtual functions: their other half would be lost.
template <class T>
  requires(!std::is_array_v<T> && !std::is_polymorphic_v<T>)
struct Codec<std::unique_ptr<T, std::default_delete<T>>> {
  using Parts = Types<std::remove_const_t<T>>;
  static void write(Writer& writer, const std::unique_ptr<T>& value) {
    writer.enter(type_name<T>());
    detail::write_value(writer, value != nullptr);
    if (value) detail::write_value<std::remove_const_t<T>>(writer, *value);
    writer.leave();
  }
  static void read(Reader& reader, std::unique_ptr<T>& value) {
    reader.enter(type_name<T>());
    bool present = false;
    detail::read_value(reader, present);
    if (present) {
      auto made = std::make_unique<std::remove_const_t<T>>();
      detail::read_value(reader, *made);
      value = std::move(made);
    }
    reader.leave();
  }
};

template <class... T>
struct Codec<std::variant<T...>> {
  using Parts = Types<T...>;
  static void write(Writer& writer, const std::variant<T...>& value) {
    // A variant that lost its value by an exception has the index npos; the reader refuses what is written for it.
    writer.count(value.valueless_by_exception() ? sizeof...(T) : value.index());
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      ((value.index() == I ? detail::write_value(writer, *std::get_if<I>(&value)) : void()), ...);
    }(std::index_sequence_for<T...>{});
  }
  static void read(Reader& reader, std::variant<T...>& value) {
    const std::uint64_t index = reader.count(type_name<std::variant<T...>>());
    if (index >= sizeof...(T)) reader.damaged(type_name<std::variant<T...>>(), "it has no such alternative");
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      ((index == I ? detail::read_value(reader, value.template emplace<I>()) : void()), ...);
    }(std::index_sequence_for<T...>{});
  }
};

template <class T, class A>
struct Codec<std::deque<T, A>> : detail::SequenceCodec<std::deque<T, A>> {};
template <class T, class A>
struct Codec<std::list<T, A>> : detail::SequenceCodec<std::list<T, A>> {};

// Only comparisons and hashes without state: the reader makes its own.
template <class K, class V, class L, class A>
  requires std::is_empty_v<L>
struct Codec<std::map<K, V, L, A>> : detail::AssociativeCodec<std::map<K, V, L, A>, true> {
  using Parts = Types<K, V>;
};
template <class K, class V, class L, class A>
  requires std::is_empty_v<L>
struct Codec<std::multimap<K, V, L, A>> : detail::AssociativeCodec<std::multimap<K, V, L, A>, true> {
  using Parts = Types<K, V>;
};
template <class K, class L, class A>
  requires std::is_empty_v<L>
struct Codec<std::set<K, L, A>> : detail::AssociativeCodec<std::set<K, L, A>, true> {
  using Parts = Types<K>;
};
template <class K, class L, class A>
  requires std::is_empty_v<L>
struct Codec<std::multiset<K, L, A>> : detail::AssociativeCodec<std::multiset<K, L, A>, true> {
  using Parts = Types<K>;
};
template <class K, class V, class H, class E, class A>
  requires(std::is_empty_v<H> && std::is_empty_v<E>)
struct Codec<std::unordered_map<K, V, H, E, A>> : detail::AssociativeCodec<std::unordered_map<K, V, H, E, A>, false> {
  using Parts = Types<K, V>;
};
template <class K, class H, class E, class A>
  requires(std::is_empty_v<H> && std::is_empty_v<E>)
struct Codec<std::unordered_set<K, H, E, A>> : detail::AssociativeCodec<std::unordered_set<K, H, E, A>, false> {
  using Parts = Types<K>;
};

/// std::complex.
template <class T>
  requires(detail::InStd<T> && requires(const T& value) { T(value.real(), value.imag()); })
struct Codec<T> {
  using Real = typename T::value_type;
  using Parts = Types<Real>;
  static constexpr bool kBlock = detail::is_block<Real>();
  static void write(Writer& writer, const T& value) {
    detail::write_value<Real>(writer, value.real());
    detail::write_value<Real>(writer, value.imag());
  }
  static void read(Reader& reader, T& value) {
    Real real{}, imaginary{};
    detail::read_value(reader, real);
    detail::read_value(reader, imaginary);
    value = T(real, imaginary);
  }
};

/// std::chrono::duration.
template <class T>
  requires(detail::InStd<T> && requires(const T& value) { typename T::period; T(value.count()); })
struct Codec<T> {
  using Parts = Types<typename T::rep>;
  static constexpr bool kBlock = detail::is_block<typename T::rep>();
  static void write(Writer& writer, const T& value) { detail::write_value<typename T::rep>(writer, value.count()); }
  static void read(Reader& reader, T& value) {
    typename T::rep count{};
    detail::read_value(reader, count);
    value = T(count);
  }
};

/// std::chrono::time_point, but not of a clock that every process starts anew.
template <class T>
  requires(detail::InStd<T> && requires(const T& value) { T(value.time_since_epoch()); requires !T::clock::is_steady; })
struct Codec<T> {
  using Parts = Types<typename T::duration>;
  static constexpr bool kBlock = detail::is_block<typename T::duration>();
  static void write(Writer& writer, const T& value) { detail::write_value(writer, value.time_since_epoch()); }
  static void read(Reader& reader, T& value) {
    typename T::duration since_epoch{};
    detail::read_value(reader, since_epoch);
    value = T(since_epoch);
  }
};

/// std::filesystem::path.
template <class T>
  requires(detail::InStd<T> && requires(const T& value) { T(value.native()); value.root_directory(); })
struct Codec<T> {
  using Parts = Types<typename T::value_type>;
  static void write(Writer& writer, const T& value) { detail::write_value(writer, value.native()); }
  static void read(Reader& reader, T& value) {
    typename T::string_type text;
    detail::read_value(reader, text);
    value = T(std::move(text));
  }
};

}  // namespace weft
