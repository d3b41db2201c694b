#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weft::frames {

// What one field says. Each tells whether it is a value of its kind as a whole; `out` is to be used only then. Those
// with `hard_` in front know all forms, the others the usual ones.

bool hard_whole_number(const char* begin, const char* end, std::int64_t& out);
bool hard_real_number(const char* begin, const char* end, double& out);
/// Dates that do not fit 64 bits of nanoseconds are none.
bool timestamp_field(const char* begin, const char* end, std::int64_t& out);

inline bool whole_number(const char* begin, const char* end, std::int64_t& out) {
  const char* at = begin;
  const bool minus = at != end && *at == '-';
  at += minus ? 1 : 0;
  const auto digits = static_cast<std::size_t>(end - at);
  if (digits - 1 >= 18) return hard_whole_number(begin, end, out);
  std::int64_t value = 0;
  for (; at != end; ++at) {
    const auto digit = static_cast<unsigned char>(*at - '0');
    if (digit > 9) return hard_whole_number(begin, end, out);
    value = value * 10 + digit;
  }
  out = minus ? -value : value;
  return true;
}

/// A quotient of two floats that are exact is the nearest float: no more is needed for up to 2^53 and 22 decimals.
inline bool real_number(const char* begin, const char* end, double& out) {
  static constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                       1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  const char* at = begin;
  const bool minus = at != end && *at == '-';
  at += minus ? 1 : 0;
  const auto length = static_cast<std::size_t>(end - at);
  // 19 digits and a point.
  if (length - 1 >= 20) return hard_real_number(begin, end, out);
  std::uint64_t value = 0;
  std::size_t decimals = 0;
  for (; at != end; ++at) {
    const auto digit = static_cast<unsigned char>(*at - '0');
    if (digit > 9) break;
    value = value * 10 + digit;
  }
  if (at != end) {
    if (*at != '.') return hard_real_number(begin, end, out);
    decimals = static_cast<std::size_t>(end - ++at);
    for (; at != end; ++at) {
      const auto digit = static_cast<unsigned char>(*at - '0');
      if (digit > 9) return hard_real_number(begin, end, out);
      value = value * 10 + digit;
    }
    if (length == 1) return false;
  } else if (length == 20) {
    return hard_real_number(begin, end, out);
  }
  if (value > std::uint64_t{1} << 53) return hard_real_number(begin, end, out);
  const double quotient = static_cast<double>(value) / kPowers[decimals];
  out = minus ? -quotient : quotient;
  return true;
}

inline bool truth(const char* begin, const char* end, std::uint8_t& out) {
  const std::string_view text(begin, static_cast<std::size_t>(end - begin));
  out = text.size() == 4 ? 1 : 0;
  return text == "True" || text == "False" || text == "true" || text == "false" || text == "TRUE" || text == "FALSE";
}

/// Returns what a field says without its quotes; `room` keeps it where it is not written as it is.
std::string_view unquoted(const char* begin, const char* end, char quote, std::string& room);
/// Returns the text without blanks around it.
std::string_view trimmed(std::string_view text);

}  // namespace weft::frames
