#pragma once

#include <weft/table.hpp>

#include <cstdint>

namespace weft::frames {

enum class Cumulative : std::uint8_t { Sum, Product, Min, Max };
enum class WindowKind : std::uint8_t { Shift, Diff, Sum, Mean, Min, Max, Count, Std, Var };

/// What is made of each row and those around it.
struct Window {
  WindowKind kind = WindowKind::Shift;
  std::int64_t rows = 1;   ///< how far back; of shift and diff: negative ones look ahead
  std::int64_t least = 1;  ///< values that must be there
};

/// Returns the running sum (product, ...) of the values, which goes on from `before`: one value, or no row. A missing
/// value stays missing and is passed over. Whole numbers are int64 then.
Column cumulate(const Column& column, Cumulative kind, const Column& before);
/// Returns the last value that is not missing as a column of one row, or of none.
Column last_value(const Column& column);
/// Returns how many rows before, and behind, a row its window reaches.
std::int64_t rows_before(const Window& window);
std::int64_t rows_behind(const Window& window);
/// Returns what the window gives for rows [first, first + count) of the column. Each row's window is computed by
/// itself, so the bits do not depend on where partitions begin.
Column slide(const Column& column, const Window& window, std::size_t first, std::size_t count);

}  // namespace weft::frames
