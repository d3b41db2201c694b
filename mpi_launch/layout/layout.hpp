#pragma once

#include "mpi_launch/control/messages.hpp"
#include "mpi_launch/start/ranks.hpp"

#include <weft/config.hpp>

#include <string>
#include <vector>

namespace weft::launch {

/// What one worker is given.
struct WorkerPlan {
  std::uint32_t place = 0;
  std::string host;
  std::uint32_t slots = 1;
  std::vector<int> processors;
  /// Its share of the node's memory, and what of that results may hold.
  std::uint64_t memory_bytes = 0;
  std::uint64_t budget_bytes = 0;
  std::vector<std::uint32_t> gpus;
  std::string scratch;
  /// More slots than cores on its node: they take turns, and are bound to none.
  bool crowded = false;
  /// Idle loops of this node may look for work before they sleep.
  bool spins = true;
};

/// Who runs where, and where each number came from.
struct Layout {
  std::vector<WorkerPlan> workers;
  /// "name    value    where it came from", one a line.
  std::vector<std::string> rows;
  /// What the user should know.
  std::vector<std::string> notes;
};

/// Divides each node among its ranks. Throws ConfigError with a sentence where the settings ask for what is not there
/// (more workers than ranks, an unusable scratch folder). Depends on nothing but its arguments.
Layout make_layout(const Settings& settings, const Ranks& ranks, const std::vector<Hello>& hellos);

/// Returns the block that is printed at the start, one line a row, each ended.
std::string layout_text(const Ranks& ranks, const Layout& layout, std::size_t nodes);

/// Throws Error with one sentence that names both sides where two ranks run different programs.
void check_same_program(const std::vector<Hello>& hellos);

}  // namespace weft::launch
