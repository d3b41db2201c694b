#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace weft::cluster {

/// Tasks in the order in which they are dealt, by their numbers, and where each packet ends in it.
struct GridCut {
  std::vector<std::uint32_t> order;
  std::vector<std::uint32_t> ends;
};

/// Cuts a grid, whose tasks read neighbours of the row before, into packets that need nothing of each other while they
/// run: first each stretch of columns goes on alone for as long as its neighbours let it, which makes a wedge that
/// grows narrower, then the stretches between them fill the gaps and go on as far, and so on. `inputs` of task i are
/// those from `first_input[i]` to `first_input[i + 1]`, smaller than i each. Nothing for what is no such grid, or a
/// small one.
std::optional<GridCut> cut_grid(std::span<const std::uint32_t> first_input, std::span<const std::uint32_t> inputs,
                                std::uint32_t workers);

}  // namespace weft::cluster
