#pragma once

#include <weft/table.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace weft::frames {

/// Returns the rows part by part, in their order within each. `begins` comes with an element more than there are parts,
/// all of them 0, and says afterwards where each part begins.
std::vector<std::uint32_t> rows_by_part(std::span<const std::uint32_t> part_of, std::vector<std::uint32_t>& begins);
/// Cuts a table: row i goes into part `part_of[i]`.
std::vector<Table> scatter(const Table& table, std::span<const std::uint32_t> part_of, std::size_t parts);

}  // namespace weft::frames
