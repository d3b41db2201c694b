#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace weft::command::plot {

/// Columns and rows of a letter, and the columns to the next one.
inline constexpr int kLetterColumns = 5, kLetterRows = 9, kLetterStep = 6;

/// The letters of a text in UTF-8, each as kLetterRows rows of kLetterColumns points: the first is the highest bit of
/// the 45. What the table lacks is a question mark.
std::vector<std::uint64_t> letters_of(std::string_view text);
inline bool has_point(std::uint64_t letter, int row, int column) {
  return (letter >> (kLetterColumns * kLetterRows - 1 - (row * kLetterColumns + column)) & 1) != 0;
}

}  // namespace weft::command::plot
