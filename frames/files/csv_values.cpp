#include "frames/files/csv_values.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace weft::frames {
namespace {

/// Reads `count` digits; false where one is none.
bool digits(const char* at, int count, unsigned& out) {
  unsigned value = 0, wrong = 0;
  for (int i = 0; i < count; ++i) {
    const auto digit = static_cast<unsigned char>(at[i] - '0');
    wrong |= digit > 9 ? 1 : 0;
    value = value * 10 + digit;
  }
  out = value;
  return wrong == 0;
}

/// Days since 1970 of a date: the year begins in March, so that the leap day is its last.
std::int64_t days_since_epoch(unsigned year, unsigned month, unsigned day) {
  const std::int64_t y = std::int64_t{year} - (month <= 2 ? 1 : 0);
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const auto of_era = static_cast<unsigned>(y - era * 400);
  const unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

unsigned days_of(unsigned year, unsigned month) {
  constexpr unsigned char kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : kDays[month - 1];
}

/// Reads "Z", "+HH:MM", "-HHMM" or "+HH": seconds that local time is ahead.
bool zone(const char* at, const char* end, std::int64_t& ahead) {
  ahead = 0;
  if (end - at == 1 && *at == 'Z') return true;
  if (end - at < 3 || (*at != '+' && *at != '-')) return false;
  const bool west = *at++ == '-';
  unsigned hours = 0, minutes = 0;
  if (!digits(at, 2, hours)) return false;
  at += 2;
  if (at != end) {
    if (*at == ':') ++at;
    if (end - at != 2 || !digits(at, 2, minutes)) return false;
  }
  if (hours > 23 || minutes > 59) return false;
  ahead = std::int64_t{hours} * 3600 + std::int64_t{minutes} * 60;
  if (west) ahead = -ahead;
  return true;
}

/// Reads the decimals of a second, of which nine count.
const char* fraction(const char* at, const char* end, std::int64_t& nanoseconds) {
  std::int64_t value = 0;
  int count = 0;
  for (; at != end; ++at, ++count) {
    const auto digit = static_cast<unsigned char>(*at - '0');
    if (digit > 9) break;
    if (count < 9) value = value * 10 + digit;
  }
  for (int i = count; i < 9; ++i) value *= 10;
  nanoseconds = value;
  return count == 0 ? nullptr : at;
}

}  // namespace

bool hard_whole_number(const char* begin, const char* end, std::int64_t& out) {
  if (begin != end && *begin == '+') {
    ++begin;
    if (begin != end && *begin == '-') return false;
  }
  const std::from_chars_result read = std::from_chars(begin, end, out);
  return read.ec == std::errc() && read.ptr == end;
}

bool hard_real_number(const char* begin, const char* end, double& out) {
  if (begin != end && *begin == '+') {
    ++begin;
    if (begin != end && *begin == '-') return false;
  }
  const std::from_chars_result read = std::from_chars(begin, end, out);
  if (read.ptr != end || begin == end) return false;
  if (read.ec == std::errc()) return true;
  if (read.ec != std::errc::result_out_of_range) return false;
  // What is too large is infinite, what is too small next to nothing.
  out = std::strtod(std::string(begin, end).c_str(), nullptr);
  return true;
}

bool timestamp_field(const char* begin, const char* end, std::int64_t& out) {
  const std::ptrdiff_t length = end - begin;
  unsigned year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (length < 10 || (begin[4] != '-' && begin[4] != '/') || begin[7] != begin[4]) return false;
  if (!(digits(begin, 4, year) & digits(begin + 5, 2, month) & digits(begin + 8, 2, day))) return false;
  if (month - 1 > 11 || day - 1 >= days_of(year, month)) return false;
  std::int64_t nanoseconds = 0, ahead = 0;
  if (length > 10) {
    if (length < 16 || (begin[10] != ' ' && begin[10] != 'T') || begin[13] != ':') return false;
    if (!(digits(begin + 11, 2, hour) & digits(begin + 14, 2, minute))) return false;
    const char* at = begin + 16;
    if (at != end && *at == ':') {
      if (end - at < 3 || !digits(at + 1, 2, second)) return false;
      at += 3;
      if (at != end && *at == '.') {
        at = fraction(at + 1, end, nanoseconds);
        if (at == nullptr) return false;
      }
    }
    if (hour > 23 || minute > 59 || second > 59) return false;
    if (at != end && !zone(at, end, ahead)) return false;
  }
  const std::int64_t seconds = days_since_epoch(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - ahead;
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max() / 1000000000 - 1;
  if (seconds > kMost || seconds < -kMost) return false;
  out = seconds * 1000000000 + nanoseconds;
  return true;
}

std::string_view unquoted(const char* begin, const char* end, char quote, std::string& room) {
  if (quote == 0 || begin == end || *begin != quote) return {begin, static_cast<std::size_t>(end - begin)};
  const char* const second = std::find(begin + 1, end, quote);
  if (second + 1 == end) return {begin + 1, static_cast<std::size_t>(second - begin - 1)};
  room.clear();
  bool inside = true;
  for (const char* at = begin + 1; at < end; ++at) {
    if (inside && *at == quote) {
      if (at + 1 < end && at[1] == quote)
        room += *at++;
      else
        inside = false;
    } else {
      room += *at;
    }
  }
  return room;
}

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char byte) { return byte == ' ' || byte == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace weft::frames
