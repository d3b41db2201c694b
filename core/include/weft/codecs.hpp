#pragma once

// How the standard library's values travel. Part of <weft/encode.hpp>, which includes it.

#include <weft/encode.hpp>

#include <array>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
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
    if (count / 8 > reader.remaining()) reader.damaged("std::vector<bool>", "it does not fit in the bytes left");
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
requires(!std::is_array_v<T> && !std::is_polymorphic_v<T>) struct Codec<std::unique_ptr<T, std::default_delete<T>>> {
  using Parts = Types<std::remove_const_t<T>>;
  static void write(Writer& writer, const std::unique_ptr<T>& value) {
    const Nesting nesting(writer.level(), type_name<T>());
    detail::write_value(writer, value != nullptr);
    if (value) detail::write_value<std::remove_const_t<T>>(writer, *value);
  }
  static void read(Reader& reader, std::unique_ptr<T>& value) {
    const Nesting nesting(reader.level(), type_name<T>());
    bool present = false;
    detail::read_value(reader, present);
    if (present) {
      auto made = std::make_unique<std::remove_const_t<T>>();
      detail::read_value(reader, *made);
      value = std::move(made);
    }
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
    }
    (std::index_sequence_for<T...>{});
  }
  static void read(Reader& reader, std::variant<T...>& value) {
    const std::uint64_t index = reader.count(type_name<std::variant<T...>>());
    if (index >= sizeof...(T)) reader.damaged(type_name<std::variant<T...>>(), "it has no such alternative");
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      ((index == I ? detail::read_value(reader, value.template emplace<I>()) : void()), ...);
    }
    (std::index_sequence_for<T...>{});
  }
};

template <class T, class A>
struct Codec<std::deque<T, A>> : detail::SequenceCodec<std::deque<T, A>> {};
template <class T, class A>
struct Codec<std::list<T, A>> : detail::SequenceCodec<std::list<T, A>> {};

}  // namespace weft

#include <weft/codecs_by_key.hpp>
#include <weft/codecs_by_shape.hpp>
