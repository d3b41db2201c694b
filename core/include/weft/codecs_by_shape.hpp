#pragma once

// How values of the standard library travel whose headers are slow to compile: recognised by namespace and shape, so
// that only programs which use them pay for them. Part of <weft/encode.hpp>, which includes it.

#include <weft/encode.hpp>

#include <utility>

namespace weft {

namespace detail {
template <class T>
concept InStd = type_name<T>()
.starts_with("std::");
}  // namespace detail

/// std::complex.
template <class T>
requires(detail::InStd<T>&& requires(const T& value) { T(value.real(), value.imag()); }) struct Codec<T> {
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
requires(detail::InStd<T>&& requires(const T& value) {
  typename T::period;
  T(value.count());
}) struct Codec<T> {
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
requires(detail::InStd<T>&& requires(const T& value) {
  T(value.time_since_epoch());
  requires !T::clock::is_steady;
}) struct Codec<T> {
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
requires(detail::InStd<T>&& requires(const T& value) {
  T(value.native());
  value.root_directory();
}) struct Codec<T> {
  using Parts = Types<typename T::value_type>;
  static void write(Writer& writer, const T& value) { detail::write_value(writer, value.native()); }
  static void read(Reader& reader, T& value) {
    typename T::string_type text;
    detail::read_value(reader, text);
    value = T(std::move(text));
  }
};

}  // namespace weft
