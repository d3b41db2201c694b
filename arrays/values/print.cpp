#include <weft/ndarray.hpp>

#include <weft/times.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <complex>
#include <cstring>
#include <ostream>

namespace weft {
namespace {

constexpr std::int64_t kThreshold = 1000;
constexpr std::int64_t kEdge = 3;
constexpr std::size_t kLineWidth = 75;
constexpr int kPrecision = 8;

/// How the reals of one array are written: all fixed with the same number of digits, or all scientific.
struct RealFormat {
  bool scientific = false;
  int digits = 1;
  bool single = false;
  /// Of scientific ones: the digits of the longest exponent.
  std::size_t exponent = 2;
};

/// Returns the shortest digits that give the value back, at most kPrecision behind the point.
std::string fixed_text(double value, bool single) {
  char text[400];
  std::to_chars_result end;
  if (single) {
    end = std::to_chars(text, text + sizeof text, static_cast<float>(value), std::chars_format::fixed);
  } else {
    end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed);
  }
  std::string shortest(text, end.ptr);
  const std::size_t point = shortest.find('.');
  if (point == std::string::npos) return shortest + ".";
  if (shortest.size() - point - 1 <= static_cast<std::size_t>(kPrecision)) return shortest;
  end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, kPrecision);
  shortest.assign(text, end.ptr);
  while (shortest.back() == '0') shortest.pop_back();
  return shortest;
}

std::string scientific_text(double value, int digits) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific, digits);
  return std::string(text, end.ptr);
}

int shortest_scientific_digits(double value, bool single) {
  char text[64];
  const auto end =
      single ? std::to_chars(text, text + sizeof text, static_cast<float>(value), std::chars_format::scientific)
             : std::to_chars(text, text + sizeof text, value, std::chars_format::scientific);
  const std::string_view view(text, static_cast<std::size_t>(end.ptr - text));
  const std::size_t point = view.find('.');
  if (point == std::string_view::npos) return 0;
  const auto behind = static_cast<int>(view.find('e') - point - 1);
  if (behind <= kPrecision) return behind;
  // As many as are left of those that are shown, without zeros at their end.
  const std::string shown = scientific_text(value, kPrecision);
  const std::size_t last = shown.find_last_not_of('0', shown.find('e') - 1);
  return static_cast<int>(last - shown.find('.'));
}

RealFormat choose_format(const std::vector<double>& values, bool single) {
  RealFormat format;
  format.single = single;
  double largest = 0;
  double least = INFINITY;
  for (const double value : values) {
    const double size = std::fabs(value);
    if (!std::isfinite(size) || size == 0) continue;
    largest = std::max(largest, size);
    least = std::min(least, size);
  }
  format.scientific = largest > 0 && (largest >= 1e8 || least < 1e-4 || largest / least > 1000);
  int digits = 0;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    if (format.scientific) {
      digits = std::max(digits, shortest_scientific_digits(value, single));
    } else {
      const std::string text = fixed_text(value, single);
      digits = std::max(digits, static_cast<int>(text.size() - text.find('.') - 1));
    }
  }
  format.digits = digits;
  for (const double value : values) {
    if (!format.scientific || !std::isfinite(value)) continue;
    const std::string text = scientific_text(value, digits);
    format.exponent = std::max(format.exponent, text.size() - text.find('e') - 2);
  }
  return format;
}

std::string real_text(double value, const RealFormat& format) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  if (format.scientific) {
    std::string text = scientific_text(value, format.digits);
    if (format.digits == 0) text.insert(text.find('e'), ".");
    const std::size_t exponent = text.find('e') + 2;
    return text.insert(exponent, format.exponent - (text.size() - exponent), '0');
  }
  std::string text = fixed_text(value, format.single);
  const auto behind = text.size() - text.find('.') - 1;
  // NumPy pads on the right, so that points stand below each other.
  return text + std::string(static_cast<std::size_t>(format.digits) - behind, ' ');
}

/// Writes a number by itself as Python does: with the digits that give it back.
std::string single_text(double value, bool single, bool whole_point) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  char text[400];
  const auto written = [&](std::chars_format format) {
    const auto end = single ? std::to_chars(text, text + sizeof text, static_cast<float>(value), format)
                            : std::to_chars(text, text + sizeof text, value, format);
    return std::string(text, end.ptr);
  };
  const double size = std::fabs(value);
  if (size != 0 && (size < 1e-4 || size >= 1e16)) return written(std::chars_format::scientific);
  std::string fixed = written(std::chars_format::fixed);
  if (whole_point && fixed.find('.') == std::string::npos) fixed += ".0";
  return fixed;
}

std::string single_text(double real, double imaginary, bool single) {
  const std::string second = single_text(imaginary, single, false) + "j";
  if (real == 0 && !std::signbit(real)) return second;
  return "(" + single_text(real, single, false) + (std::signbit(imaginary) && imaginary == imaginary ? "" : "+") +
         second + ")";
}

/// Puts blanks before each, so that all are as long as the longest.
void align(std::vector<std::string>& words) {
  std::size_t width = 0;
  for (const std::string& word : words) width = std::max(width, word.size());
  for (std::string& word : words) word.insert(0, width - word.size(), ' ');
}

const char* unit_name(TimeUnit unit) {
  constexpr const char* kNames[] = {
      "generic time units", "years",        "months",     "weeks", "days", "hours", "minutes", "seconds",
      "milliseconds",       "microseconds", "nanoseconds"};
  return kNames[static_cast<std::size_t>(unit)];
}

/// Writes an array as NumPy's array2string does with its default settings.
class Printer {
 public:
  explicit Printer(const NDArray& array) : array_(array.as_contiguous()), shortened_(array.size() > kThreshold) {
    std::vector<std::int64_t> index;
    collect(0, 0, index);
    format();
  }

  std::string text() {
    if (array_.ndim() == 0) return trimmed(words_.empty() ? "" : words_[0]);
    if (array_.size() == 0) return "[]";
    align(words_);
    std::string out;
    next_ = 0;
    write(0, out);
    return out;
  }

 private:
  static std::string trimmed(std::string text) {
    while (!text.empty() && text.back() == ' ') text.pop_back();
    return text;
  }
  bool skips(std::size_t axis) const { return shortened_ && array_.shape()[axis] > 2 * kEdge; }

  void collect(std::size_t axis, std::int64_t flat, std::vector<std::int64_t>& index) {
    if (axis == array_.ndim()) {
      shown_.push_back(flat);
      return;
    }
    const std::int64_t extent = array_.shape()[axis];
    for (std::int64_t i = 0; i < extent; ++i) {
      if (skips(axis) && i == kEdge) i = extent - kEdge;
      collect(axis + 1, flat * extent + i, index);
    }
  }

  template <class T>
  T element(std::int64_t flat) const {
    T value;
    std::memcpy(&value, array_.data() + static_cast<std::size_t>(flat) * sizeof(T), sizeof(T));
    return value;
  }

  template <class T>
  void format_integers() {
    for (const std::int64_t flat : shown_) words_.push_back(std::to_string(element<T>(flat)));
  }
  void format_times() {
    const Dtype dtype = array_.dtype();
    const bool date = dtype.code() == TypeCode::Datetime64, alone = array_.ndim() == 0;
    for (const std::int64_t flat : shown_) {
      std::string text = time_text(element<std::int64_t>(flat), dtype);
      const bool none = text == "NaT";
      if (alone && !date && !none) text += std::string(" ") + unit_name(dtype.unit());
      words_.push_back(!alone && (date || none) ? "'" + text + "'" : text);
    }
  }
  template <class T>
  void format_reals() {
    std::vector<double> values;
    for (const std::int64_t flat : shown_) values.push_back(static_cast<double>(element<T>(flat)));
    if (array_.ndim() == 0) return words_.push_back(single_text(values[0], sizeof(T) == 4, true));
    const RealFormat chosen = choose_format(values, sizeof(T) == 4);
    for (const double value : values) words_.push_back(real_text(value, chosen));
  }

  template <class T>
  void format_complex() {
    std::vector<double> reals, imaginaries;
    for (const std::int64_t flat : shown_) {
      const auto value = element<std::complex<T>>(flat);
      reals.push_back(static_cast<double>(value.real()));
      imaginaries.push_back(static_cast<double>(value.imag()));
    }
    if (array_.ndim() == 0) return words_.push_back(single_text(reals[0], imaginaries[0], sizeof(T) == 4));
    const RealFormat real = choose_format(reals, sizeof(T) == 4);
    const RealFormat imaginary = choose_format(imaginaries, sizeof(T) == 4);
    std::vector<std::string> seconds;
    for (std::size_t i = 0; i < reals.size(); ++i) {
      words_.push_back(real_text(reals[i], real));
      seconds.push_back(real_text(imaginaries[i], imaginary));
      if (seconds.back()[0] != '-') seconds.back().insert(0, "+");
    }
    // Points stand below each other in both parts.
    align(words_);
    align(seconds);
    for (std::size_t i = 0; i < reals.size(); ++i) {
      // The letter stands directly behind the digits; blanks follow it.
      words_[i] += seconds[i].insert(seconds[i].find_last_not_of(' ') + 1, "j");
    }
  }

  void format() {
    switch (array_.dtype().code()) {
      case TypeCode::Bool:
        for (const std::int64_t flat : shown_) words_.push_back(element<std::uint8_t>(flat) != 0 ? "True" : "False");
        return;
      case TypeCode::Int8:
        return format_integers<std::int8_t>();
      case TypeCode::Int16:
        return format_integers<std::int16_t>();
      case TypeCode::Int32:
        return format_integers<std::int32_t>();
      case TypeCode::Int64:
        return format_integers<std::int64_t>();
      case TypeCode::UInt8:
        return format_integers<std::uint8_t>();
      case TypeCode::UInt16:
        return format_integers<std::uint16_t>();
      case TypeCode::UInt32:
        return format_integers<std::uint32_t>();
      case TypeCode::UInt64:
        return format_integers<std::uint64_t>();
      case TypeCode::Float32:
        return format_reals<float>();
      case TypeCode::Float64:
        return format_reals<double>();
      case TypeCode::Complex64:
        return format_complex<float>();
      case TypeCode::Complex128:
        return format_complex<double>();
      case TypeCode::Datetime64:
      case TypeCode::Timedelta64:
        return format_times();
    }
  }

  void write(std::size_t axis, std::string& out) {
    const std::int64_t extent = array_.shape()[axis];
    const bool last = axis + 1 == array_.ndim();
    const std::string indent(axis + 1, ' ');
    out += '[';
    std::size_t line = axis + 1;
    for (std::int64_t i = 0; i < extent; ++i) {
      const bool dots = skips(axis) && i == kEdge;
      if (dots) i = extent - kEdge;
      if (last) {
        if (dots) add_word("...", indent, line, out, false);
        add_word(words_[next_++], indent, line, out, i == 0);
        continue;
      }
      if (i > 0) {
        const std::string breaks(array_.ndim() - axis - 1, '\n');
        if (dots) out += breaks + indent + "...";
        out += breaks + indent;
      }
      write(axis + 1, out);
    }
    out += ']';
  }

  void add_word(const std::string& word, const std::string& indent, std::size_t& line, std::string& out, bool first) {
    if (!first) {
      if (line + 1 + word.size() > kLineWidth - array_.ndim() + 1 - 1 + 0) {
        // Blanks behind a word are for the next one of its line.
        out.erase(out.find_last_not_of(' ') + 1);
        out += '\n' + indent;
        line = indent.size();
      } else {
        out += ' ';
        ++line;
      }
    }
    out += word;
    line += word.size();
  }

  const NDArray array_;
  const bool shortened_;
  std::vector<std::int64_t> shown_;
  std::vector<std::string> words_;
  std::size_t next_ = 0;
};

}  // namespace

std::string NDArray::text() const { return Printer(*this).text(); }

std::ostream& operator<<(std::ostream& out, const NDArray& array) { return out << array.text(); }

}  // namespace weft
