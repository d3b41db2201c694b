#include "core/cluster/grid_cut.hpp"

#include <algorithm>

namespace weft::cluster {
namespace {

/// Columns of a packet: a wedge of so many has half as many rows.
constexpr std::uint32_t kFewestColumns = 4;
constexpr std::uint32_t kMostColumns = 128;
constexpr std::uint32_t kFewestRows = 8;
/// Packets smaller than this cost more than they bring.
constexpr std::uint32_t kFewestTasks = 6;

/// The tasks that follow each other in each column: a root begins one, others belong to that of their middle input.
/// Empty: there are too many columns for this to be a grid, or one is much longer than others.
std::vector<std::vector<std::uint32_t>> columns_of(std::span<const std::uint32_t> first_input,
                                                   std::span<const std::uint32_t> inputs) {
  const auto total = static_cast<std::uint32_t>(first_input.size() - 1);
  std::vector<std::uint32_t> column(total);
  std::vector<std::vector<std::uint32_t>> columns;
  for (std::uint32_t i = 0; i < total; ++i) {
    const std::uint32_t count = first_input[i + 1] - first_input[i];
    if (count == 0) {
      if (columns.size() > total / kFewestRows) return {};
      column[i] = static_cast<std::uint32_t>(columns.size());
      columns.emplace_back();
    } else {
      column[i] = column[inputs[first_input[i] + count / 2]];
    }
    columns[column[i]].push_back(i);
  }
  const auto is_long = [&](const auto& one) { return one.size() > 2 * std::size_t{total} / columns.size() + 2; };
  if (std::any_of(columns.begin(), columns.end(), is_long)) return {};
  return columns;
}

/// The packets, as they grow.
struct Cutter {
  std::span<const std::uint32_t> first_input;
  std::span<const std::uint32_t> inputs;
  const std::vector<std::vector<std::uint32_t>>& columns;
  std::vector<std::uint32_t> next = std::vector<std::uint32_t>(columns.size(), 0);
  std::vector<bool> taken = std::vector<bool>(first_input.size() - 1, false);
  GridCut cut{};

  bool may_go(std::uint32_t task) const {
    for (std::uint32_t k = first_input[task]; k != first_input[task + 1]; ++k) {
      if (!taken[inputs[k]]) return false;
    }
    return true;
  }

  /// Takes all that columns from `begin` to `end` can do without the others, row by row.
  void grow(std::uint32_t begin, std::uint32_t end) {
    const std::size_t before = cut.order.size();
    for (bool moved = true; moved;) {
      moved = false;
      for (std::uint32_t c = begin; c != end; ++c) {
        if (next[c] == columns[c].size() || !may_go(columns[c][next[c]])) continue;
        const std::uint32_t task = columns[c][next[c]++];
        taken[task] = true;
        cut.order.push_back(task);
        moved = true;
      }
    }
    if (cut.order.size() != before) cut.ends.push_back(static_cast<std::uint32_t>(cut.order.size()));
  }
};

}  // namespace

std::optional<GridCut> cut_grid(std::span<const std::uint32_t> first_input, std::span<const std::uint32_t> inputs,
                                std::uint32_t workers) {
  const auto total = static_cast<std::uint32_t>(first_input.size() - 1);
  if (workers < 2) return std::nullopt;
  const std::vector<std::vector<std::uint32_t>> columns = columns_of(first_input, inputs);
  const auto count = static_cast<std::uint32_t>(columns.size());
  if (count < workers * kFewestColumns) return std::nullopt;
  const std::uint32_t width = std::min(count / workers, kMostColumns);
  Cutter cutter{first_input, inputs, columns};
  cutter.cut.order.reserve(total);
  for (bool between = false; cutter.cut.order.size() != total; between = !between) {
    const std::size_t before = cutter.cut.order.size();
    const std::uint32_t shift = between ? width / 2 : 0;
    const std::uint32_t last = count - shift;
    for (std::uint32_t begin = shift; begin < last;) {
      // What is left over at the end goes to the last stretch; half a stretch at an edge waits for its next turn.
      const std::uint32_t end = last - begin < 2 * width ? last : begin + width;
      cutter.grow(begin, end);
      begin = end;
    }
    if (cutter.cut.order.size() == before && between) return std::nullopt;
    if (cutter.cut.ends.size() > 8 && cutter.cut.ends.size() * kFewestTasks > cutter.cut.order.size())
      return std::nullopt;
  }
  return std::move(cutter.cut);
}

}  // namespace weft::cluster
