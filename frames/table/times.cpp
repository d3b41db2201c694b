#include <weft/table.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace weft {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kDay = 86'400 * kSecond;

/// Reads a number of exactly `digits` digits; returns false where others stand there.
bool read_digits(std::string_view& text, std::size_t digits, int& number) {
  if (text.size() < digits) return false;
  number = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    number = number * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return true;
}

bool read_letter(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

/// Reads what may stand behind a date: "T07:05:30.25Z", "+02:00"; returns nanoseconds since midnight, UTC.
std::optional<std::int64_t> read_time(std::string_view text) {
  int hour = 0, minute = 0, second = 0;
  if (!read_digits(text, 2, hour) || !read_letter(text, ":") || !read_digits(text, 2, minute)) return {};
  std::int64_t fraction = 0;
  if (read_letter(text, ":")) {
    if (!read_digits(text, 2, second)) return {};
    if (read_letter(text, ".,")) {
      if (text.empty() || text.front() < '0' || text.front() > '9') return {};
      for (std::int64_t unit = kSecond / 10; !text.empty() && text.front() >= '0' && text.front() <= '9'; unit /= 10) {
        fraction += unit * (text.front() - '0');
        text.remove_prefix(1);
      }
    }
  }
  if (hour > 23 || minute > 59 || second > 59) return {};
  std::int64_t zone = 0;
  if (!text.empty() && !read_letter(text, "Z")) {
    const std::int64_t sign = text.front() == '-' ? -1 : 1;
    int hours = 0, minutes = 0;
    if (!read_letter(text, "+-") || !read_digits(text, 2, hours)) return {};
    read_letter(text, ":");
    if (!text.empty() && !read_digits(text, 2, minutes)) return {};
    zone = sign * (hours * 60 + minutes) * 60 * kSecond;
  }
  if (!text.empty()) return {};
  return ((hour * 60 + minute) * 60 + second) * kSecond + fraction - zone;
}

}  // namespace

std::optional<std::int64_t> parse_timestamp(std::string_view text) {
  int year = 0, month = 0, day = 0;
  if (!read_digits(text, 4, year) || !read_letter(text, "-/") || !read_digits(text, 2, month) ||
      !read_letter(text, "-/") || !read_digits(text, 2, day))
    return {};
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  // What 64 bits of nanoseconds hold.
  if (!date.ok() || year < 1678 || year > 2261) return {};
  const std::int64_t midnight = std::chrono::sys_days(date).time_since_epoch().count() * kDay;
  if (text.empty()) return midnight;
  if (!read_letter(text, "T ")) return {};
  const std::optional<std::int64_t> time = read_time(text);
  if (!time) return {};
  return midnight + *time;
}

std::string timestamp_text(std::int64_t nanoseconds) {
  std::int64_t day = nanoseconds / kDay;
  std::int64_t rest = nanoseconds % kDay;
  if (rest < 0) {
    rest += kDay;
    --day;
  }
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
  const std::int64_t seconds = rest / kSecond;
  char text[64];
  int length = std::snprintf(text, sizeof text, "%04d-%02u-%02u %02d:%02d:%02d", static_cast<int>(date.year()),
                             static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                             static_cast<int>(seconds / 3600), static_cast<int>(seconds / 60 % 60),
                             static_cast<int>(seconds % 60));
  std::string all(text, static_cast<std::size_t>(length));
  if (rest % kSecond == 0) return all;
  length = std::snprintf(text, sizeof text, ".%09lld", static_cast<long long>(rest % kSecond));
  all.append(text, static_cast<std::size_t>(length));
  while (all.back() == '0') all.pop_back();
  return all;
}

}  // namespace weft
