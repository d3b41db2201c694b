// Times as text, both ways.
#include <weft/times.hpp>

#include "arrays/values/ticks.hpp"

#include <array>
#include <cstdio>

namespace weft {
namespace {

using arrays::convert_ticks;
using arrays::kNaT;

/// Reads the fields of a time one after the other.
/// Owns: nothing; sees the text.  Threading: one thread.
class Reading {
 public:
  explicit Reading(std::string_view text) : text_(text), rest_(text) {}

  [[noreturn]] void fail() const {
    throw Error("'" + std::string(text_) + "' is no time: write 2024-05-17T13:45:30.123 or the first parts of it");
  }
  bool done() const { return rest_.empty(); }
  bool take(char letter) {
    if (rest_.empty() || rest_[0] != letter) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char letter) {
    if (!take(letter)) fail();
  }
  std::int64_t number(std::size_t digits, std::int64_t least, std::int64_t most) {
    if (rest_.size() < digits) fail();
    std::int64_t value = 0;
    for (const char digit : rest_.substr(0, digits)) {
      if (digit < '0' || digit > '9') fail();
      value = value * 10 + (digit - '0');
    }
    if (value < least || value > most) fail();
    rest_.remove_prefix(digits);
    return value;
  }
  std::size_t digits_left() const { return rest_.size(); }

 private:
  std::string_view text_;
  std::string_view rest_;
};

/// A time in its own unit.
struct Ticks {
  std::int64_t count = 0;
  TimeUnit unit = TimeUnit::Year;
};

Ticks read_clock(Reading& text, std::int64_t days) {
  Ticks time{days * 24 + text.number(2, 0, 23), TimeUnit::Hour};
  if (text.done()) return time;
  text.expect(':');
  time = {time.count * 60 + text.number(2, 0, 59), TimeUnit::Minute};
  if (text.done()) return time;
  text.expect(':');
  time = {time.count * 60 + text.number(2, 0, 59), TimeUnit::Second};
  if (text.done()) return time;
  text.expect('.');
  const std::size_t digits = text.digits_left();
  if (digits == 0 || digits > 9) text.fail();
  std::int64_t fraction = text.number(digits, 0, 999'999'999);
  const std::size_t wanted = (digits + 2) / 3 * 3;
  for (std::size_t i = digits; i < wanted; ++i) fraction *= 10;
  const std::int64_t per_second = wanted == 3 ? 1'000 : wanted == 6 ? 1'000'000 : 1'000'000'000;
  return {time.count * per_second + fraction, wanted == 3   ? TimeUnit::Milli
                                              : wanted == 6 ? TimeUnit::Micro
                                                            : TimeUnit::Nano};
}

Ticks read_time(Reading& text) {
  const bool negative = text.take('-');
  const std::int64_t year = text.number(4, 0, 9'999) * (negative ? -1 : 1);
  if (text.done()) return {year - 1970, TimeUnit::Year};
  text.expect('-');
  const std::int64_t months = (year - 1970) * 12 + text.number(2, 1, 12) - 1;
  if (text.done()) return {months, TimeUnit::Month};
  text.expect('-');
  const std::int64_t first = arrays::days_of_month(months), length = arrays::days_of_month(months + 1) - first;
  const std::int64_t days = first + text.number(2, 1, length) - 1;
  if (text.done()) return {days, TimeUnit::Day};
  if (!text.take(' ')) text.expect('T');
  return read_clock(text, days);
}

std::string date_text(std::int64_t days) {
  const std::int64_t months = arrays::month_of_days(days);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04lld-%02lld-%02lld",
                static_cast<long long>(arrays::quotient(months, 12) + 1970),
                static_cast<long long>(months - arrays::quotient(months, 12) * 12 + 1),
                static_cast<long long>(days - arrays::days_of_month(months) + 1));
  return text.data();
}

}  // namespace

Scalar datetime(std::string_view text, TimeUnit unit) {
  if (text == "NaT") return not_a_time(datetime64(unit));
  Reading reading(text);
  const Ticks time = read_time(reading);
  if (unit == TimeUnit::Generic) unit = time.unit;
  const Dtype to = datetime64(unit);
  return Scalar(Scalar(convert_ticks(time.count, datetime64(time.unit), to)), to);
}

Scalar timedelta(std::int64_t count, TimeUnit unit) { return Scalar(Scalar(count), timedelta64(unit)); }

Scalar not_a_time(Dtype dtype) {
  if (!dtype.is_time()) throw Error("NaT is a datetime64 or a timedelta64, not " + dtype.name());
  return Scalar(Scalar(kNaT), dtype);
}

std::string time_text(std::int64_t ticks, Dtype dtype) {
  if (ticks == kNaT) return "NaT";
  const TimeUnit unit = dtype.unit();
  if (dtype.code() != TypeCode::Datetime64 || unit == TimeUnit::Generic) return std::to_string(ticks);
  std::array<char, 64> text{};
  const auto print = [&](const char* format, auto... values) {
    std::snprintf(text.data(), text.size(), format, static_cast<long long>(values)...);
    return std::string(text.data());
  };
  if (unit == TimeUnit::Year) return print("%04lld", ticks + 1970);
  const std::int64_t days = convert_ticks(ticks, dtype, datetime64(TimeUnit::Day));
  if (unit == TimeUnit::Month) return date_text(days).substr(0, date_text(days).rfind('-'));
  std::string out = date_text(days);
  if (unit == TimeUnit::Week || unit == TimeUnit::Day) return out;
  const std::int64_t per_day = arrays::nanoseconds_of(TimeUnit::Day) / arrays::nanoseconds_of(unit);
  const std::int64_t rest = (ticks - days * per_day) * arrays::nanoseconds_of(unit);
  constexpr std::int64_t kSecond = 1'000'000'000;
  out += print("T%02lld", rest / (3'600 * kSecond));
  if (unit == TimeUnit::Hour) return out;
  out += print(":%02lld", rest / (60 * kSecond) % 60);
  if (unit == TimeUnit::Minute) return out;
  out += print(":%02lld", rest / kSecond % 60);
  if (unit == TimeUnit::Milli) out += print(".%03lld", rest % kSecond / 1'000'000);
  if (unit == TimeUnit::Micro) out += print(".%06lld", rest % kSecond / 1'000);
  if (unit == TimeUnit::Nano) out += print(".%09lld", rest % kSecond);
  return out;
}

}  // namespace weft
