#include "frames/files/csv.hpp"

#include <weft/error.hpp>

#include <charconv>
#include <cmath>

namespace weft::frames {
namespace {

template <class T>
void add_number(std::string& out, T value) {
  char digits[40];
  const std::to_chars_result end = std::to_chars(digits, digits + sizeof digits, value);
  out.append(digits, end.ptr);
}

/// The shortest digits that give the same float again, and a sign that it is one.
template <class T>
void add_real(std::string& out, T value) {
  const std::size_t before = out.size();
  add_number(out, value);
  if (std::isfinite(value) && out.find_first_of(".e", before) == std::string::npos) out += ".0";
}

void add_digits(std::string& out, std::int64_t value, int count) {
  char digits[20];
  for (int i = count; i-- > 0; value /= 10) digits[i] = static_cast<char>('0' + value % 10);
  out.append(digits, static_cast<std::size_t>(count));
}

void add_timestamp(std::string& out, std::int64_t nanoseconds) {
  constexpr std::int64_t kSecond = 1000000000, kDay = 86400 * kSecond;
  std::int64_t days = nanoseconds / kDay, rest = nanoseconds % kDay;
  if (rest < 0) {
    rest += kDay;
    --days;
  }
  // Years that begin in March, in eras of 400: no date of 64 bits is before year 0.
  const std::int64_t from_zero = days + 719468;
  const std::int64_t era = from_zero / 146097, of_era = from_zero % 146097;
  const std::int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const std::int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
  const std::int64_t month = (5 * of_year + 2) / 153;
  add_digits(out, era * 400 + year + (month >= 10 ? 1 : 0), 4);
  out += '-';
  add_digits(out, month < 10 ? month + 3 : month - 9, 2);
  out += '-';
  add_digits(out, of_year - (153 * month + 2) / 5 + 1, 2);
  const std::int64_t seconds = rest / kSecond;
  out += ' ';
  add_digits(out, seconds / 3600, 2);
  out += ':';
  add_digits(out, seconds / 60 % 60, 2);
  out += ':';
  add_digits(out, seconds % 60, 2);
  std::int64_t decimals = rest % kSecond;
  if (decimals == 0) return;
  int count = 9;
  for (; decimals % 10 == 0; decimals /= 10) --count;
  out += '.';
  add_digits(out, decimals, count);
}

/// Writes the fields of a table.
/// Owns: the text.  Threading: one thread.
class CsvWriter {
 public:
  CsvWriter(const Table& table, const CsvWriteOptions& options)
      : table_(table), options_(options), alone_(table.column_count() == 1) {
    special_ = std::string("\"\n\r") + options.separator;
  }

  std::string write(bool header) {
    const std::vector<Table::Named>& columns = table_.columns();
    text_.reserve((table_.row_count() + 1) * columns.size() * 12);
    for (std::size_t i = 0; header && i < columns.size(); ++i) {
      add_text(columns[i].name);
      end_field(i, columns.size());
    }
    for (std::size_t row = 0; row < table_.row_count(); ++row) {
      for (std::size_t i = 0; i < columns.size(); ++i) {
        if (columns[i].column.is_missing(row))
          add_text(options_.missing);
        else
          add_value(columns[i].column, row);
        end_field(i, columns.size());
      }
    }
    return std::move(text_);
  }

 private:
  void end_field(std::size_t column, std::size_t columns) {
    text_ += column + 1 == columns ? '\n' : options_.separator;
  }

  void add_text(std::string_view text) {
    // Alone in its line, a blank one would be no record.
    const bool blank = alone_ && text.find_first_not_of(" \t") == std::string_view::npos;
    if (!blank && text.find_first_of(special_) == std::string_view::npos) {
      text_ += text;
      return;
    }
    text_ += '"';
    for (const char byte : text) {
      if (byte == '"') text_ += '"';
      text_ += byte;
    }
    text_ += '"';
  }

  void add_value(const Column& column, std::size_t row) {
    switch (column.type()) {
      case ColumnType::Bool:
        text_ += column.data<std::uint8_t>()[row] != 0 ? "True" : "False";
        break;
      case ColumnType::Int32:
        add_number(text_, column.data<std::int32_t>()[row]);
        break;
      case ColumnType::Int64:
        add_number(text_, column.data<std::int64_t>()[row]);
        break;
      case ColumnType::Float32:
        add_real(text_, column.data<float>()[row]);
        break;
      case ColumnType::Float64:
        add_real(text_, column.data<double>()[row]);
        break;
      case ColumnType::Timestamp:
        add_timestamp(text_, column.data<std::int64_t>()[row]);
        break;
      case ColumnType::String:
      case ColumnType::Category:
        add_text(column.text(row));
        break;
    }
  }

  const Table& table_;
  const CsvWriteOptions& options_;
  const bool alone_;
  std::string special_;
  std::string text_;
};

}  // namespace

std::string csv_text(const Table& table, const CsvWriteOptions& options, bool header) {
  if (options.separator == '"' || options.separator == '\n' || options.separator == '\r')
    throw Error("to_csv: a quote or an end of line cannot be the separator: choose another");
  return CsvWriter(table, options).write(header);
}

}  // namespace weft::frames
