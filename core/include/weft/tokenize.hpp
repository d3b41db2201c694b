#pragma once

#include <weft/encode.hpp>

#include <string>

namespace weft {

namespace detail {
/// Returns 32 hexadecimal digits of the bytes.
std::string digest_text(const void* bytes, std::size_t size);
}  // namespace detail

/// Returns a text that is the same for equal values of equal types, in every run of a program, and hardly ever for
/// others: a name for what was computed of them. For values that travel; lazy ones are compared by `.pure`.
template <class... T>
std::string tokenize(const T&... values) {
  static_assert((Travels<T> && ...),
                "weft: tokenize needs values that can be encoded: give their types "
                "weft_fields(archive, T&)");
  Writer writer;
  [[maybe_unused]] const auto add = [&]<class V>(const V& value) {
    const std::string_view type = type_name<V>();
    writer.count(type.size());
    writer.bytes(type.data(), type.size());
    encode(writer, value);
  };
  (add(values), ...);
  return detail::digest_text(writer.data(), writer.size());
}

}  // namespace weft
