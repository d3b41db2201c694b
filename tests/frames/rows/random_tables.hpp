#pragma once

#include <weft/table.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace weft::frames {

/// Returns a column of `rows` random elements of about `distinct` different values, one in eight missing where
/// `missing`.
inline Column random_column(ColumnType type, std::size_t rows, int distinct, bool missing, std::mt19937_64& random) {
  std::vector<Cell> cells;
  const bool wide = random() % 3 == 0;  // values far from each other, long strings
  const bool middling = random() % 2 == 0;
  for (std::size_t i = 0; i < rows; ++i) {
    const auto value = static_cast<std::int64_t>(random() % static_cast<unsigned>(distinct)) - distinct / 2;
    if (missing && random() % 8 == 0) {
      cells.emplace_back();
      continue;
    }
    switch (type) {
      case ColumnType::Bool:
        cells.emplace_back(value % 2 == 0);
        break;
      case ColumnType::Int32:
        cells.emplace_back(value);
        break;
      case ColumnType::Int64:
      case ColumnType::Timestamp:
        cells.emplace_back(!wide        ? value
                           : value == 0 ? std::numeric_limits<std::int64_t>::max()
                                        : std::numeric_limits<std::int64_t>::min() + (value + distinct) * 1000003);
        break;
      case ColumnType::Float32:
      case ColumnType::Float64: {
        const double real = static_cast<double>(value) / 4;
        cells.emplace_back(value == 0 && random() % 2 == 0 ? -0.0 : value == 1 && wide ? -INFINITY : real);
        break;
      }
      case ColumnType::String:
      case ColumnType::Category: {
        const std::string text = value == 0   ? ""
                                 : value == 1 ? std::string("b\0", 2)
                                              : "\xc3\xa4" + std::to_string(value);
        cells.emplace_back(wide && value > 1       ? "a longer text: " + text
                           : middling && value > 2 ? "middling" + text
                                                   : text);
        break;
      }
    }
  }
  return Column::of(type, cells);
}

inline constexpr ColumnType kAllTypes[] = {ColumnType::Bool,    ColumnType::Int32,   ColumnType::Int64,
                                           ColumnType::Float32, ColumnType::Float64, ColumnType::Timestamp,
                                           ColumnType::String,  ColumnType::Category};

inline ColumnType random_type(std::mt19937_64& random) { return kAllTypes[random() % std::size(kAllTypes)]; }

/// Returns a table of columns "k0", "k1", ... of random types, and "row", which numbers the rows.
inline Table random_table(std::size_t rows, std::size_t keys, bool missing, std::mt19937_64& random) {
  Table table;
  for (std::size_t k = 0; k < keys; ++k) {
    const int distinct = random() % 2 == 0 ? 5 : 300;
    table.set("k" + std::to_string(k), random_column(random_type(random), rows, distinct, missing, random));
  }
  std::vector<std::int64_t> numbers(rows);
  for (std::size_t i = 0; i < rows; ++i) numbers[i] = static_cast<std::int64_t>(i);
  table.set("row", Column::of(numbers));
  return table;
}

inline std::vector<std::string> key_names(std::size_t keys) {
  std::vector<std::string> names;
  for (std::size_t k = 0; k < keys; ++k) names.push_back("k" + std::to_string(k));
  return names;
}

/// Returns the cells of a row, 0.0 for -0.0.
inline std::vector<Cell> cells_of(const Table& table, const std::vector<std::string>& names, std::size_t row) {
  std::vector<Cell> cells;
  for (const std::string& name : names) {
    Cell cell = table[name].cell(row);
    if (auto* const real = std::get_if<double>(&cell)) *real += 0.0;
    cells.push_back(std::move(cell));
  }
  return cells;
}

}  // namespace weft::frames
