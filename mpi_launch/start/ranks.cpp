#include "mpi_launch/start/ranks.hpp"

#include <weft/error.hpp>

#include <charconv>
#include <chrono>
#include <optional>
#include <thread>

namespace weft::launch {

namespace {

std::optional<std::uint32_t> number(const HostView& host, const char* name) {
  const std::string text = host.variable(name);
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct Variables {
  const char* launcher;
  const char* rank;
  const char* count;
  const char* local_count;
  bool mpi;
};

// In the order of asking: what is inside wins over what is outside (mpirun within a SLURM step).
constexpr Variables kKnown[] = {
    {"WEFT_RANK", "WEFT_RANK", "WEFT_RANKS", "", false},
    {"Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE", true},
    {"PMI", "PMI_RANK", "PMI_SIZE", "MPI_LOCALNRANKS", true},
    {"SLURM with PMIx", "PMIX_RANK", "SLURM_STEP_NUM_TASKS", "", true},
    {"SLURM", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "", false},
};

}  // namespace

Ranks read_ranks(const HostView& host) {
  for (const Variables& known : kKnown) {
    const auto rank = number(host, known.rank);
    const auto count = number(host, known.count);
    if (!rank && !count) continue;
    if (!rank || !count) {
      // Half of a pair of the launcher's own is nothing to us; of ours it is a mistake.
      if (known.launcher != std::string("WEFT_RANK")) continue;
      throw ConfigError(
          "WEFT_RANK and WEFT_RANKS go together: the number of this process (from 0) and how many there are");
    }
    if (*count == 0 || *rank >= *count) {
      throw ConfigError(std::string(known.rank) + "=" + std::to_string(*rank) + " does not fit " + known.count + "=" +
                        std::to_string(*count) + ": ranks count from 0");
    }
    Ranks ranks{*rank, *count, known.launcher, known.mpi, false};
    if (known.mpi && std::string(known.launcher) == "SLURM with PMIx" && host.variable("PMIX_NAMESPACE").empty())
      ranks.mpi = false;
    const auto local = number(host, known.local_count);
    const auto nodes = number(host, "SLURM_STEP_NUM_NODES");
    ranks.one_node = local ? *local == *count : nodes && *nodes == 1;
    return ranks;
  }
  return {};
}

void let_rank_0_speak() noexcept {
  try {
    if (read_ranks().rank != 0) std::this_thread::sleep_for(std::chrono::milliseconds(2500));
  } catch (const Error&) {
    // What is wrong with the launcher's variables is being reported.
  }
}

}  // namespace weft::launch
