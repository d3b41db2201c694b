#include <weft/table.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ostream>

namespace weft {
namespace {

std::string cell_text(const Column& column, std::size_t row) {
  if (column.is_missing(row))
    return column.type() == ColumnType::Float64 || column.type() == ColumnType::Float32 ? "NaN" : "<NA>";
  const Cell cell = column.cell(row);
  if (const auto* const flag = std::get_if<bool>(&cell)) return *flag ? "True" : "False";
  if (column.type() == ColumnType::Timestamp) return timestamp_text(std::get<std::int64_t>(cell));
  if (const auto* const whole = std::get_if<std::int64_t>(&cell)) return std::to_string(*whole);
  if (const auto* const real = std::get_if<double>(&cell)) {
    char text[40];
    const bool plain = *real == 0 || (std::fabs(*real) >= 1e-4 && std::fabs(*real) < 1e15);
    std::snprintf(text, sizeof text, plain ? "%.6f" : "%.6e", *real);
    return text;
  }
  return std::get<std::string>(cell);
}

/// Letters, not bytes: the width of what is UTF-8.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char one) { return (one & 0xc0) != 0x80; }));
}

}  // namespace

std::string Table::text(std::size_t most_rows) const {
  std::vector<std::size_t> rows;
  const bool cut = rows_ > most_rows;
  const std::size_t first = cut ? (most_rows + 1) / 2 : rows_;
  for (std::size_t i = 0; i < first; ++i) rows.push_back(i);
  for (std::size_t i = rows_ - (cut ? most_rows / 2 : 0); i < rows_; ++i) rows.push_back(i);
  std::vector<std::string> lines(rows.size() + 1 + (cut ? 1 : 0));
  for (const Named& one : columns_) {
    std::vector<std::string> cells = {one.name};
    for (const std::size_t row : rows) cells.push_back(cell_text(one.column, row));
    if (cut) cells.insert(cells.begin() + 1 + static_cast<std::ptrdiff_t>(first), "...");
    std::size_t widest = 0;
    for (const std::string& cell : cells) widest = std::max(widest, width(cell));
    for (std::size_t i = 0; i < cells.size(); ++i)
      lines[i] += (lines[i].empty() ? "" : "  ") + std::string(widest - width(cells[i]), ' ') + cells[i];
  }
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return all + "[" + std::to_string(rows_) + " rows x " + std::to_string(columns_.size()) + " columns]\n";
}

std::ostream& operator<<(std::ostream& out, const Table& table) { return out << table.text(); }

}  // namespace weft
