#pragma once

#include "core/memory/limits.hpp"

#include <cstdint>
#include <string>

namespace weft::launch {

/// Which of several processes this one is, as its launcher's variables say.
struct Ranks {
  std::uint32_t rank = 0;
  std::uint32_t count = 1;
  /// "Open MPI", "PMIx", "PMI", "SLURM", "WEFT_RANK"; empty where nobody launched it.
  std::string launcher;
  /// MPI can be started here: the launcher speaks what an MPI library understands.
  bool mpi = false;
  /// All ranks are on this node, as far as the launcher says.
  bool one_node = false;

  bool several() const { return count > 1; }
};

/// Reads the variables of Open MPI, PMIx, PMI (MPICH, Intel MPI), SLURM and of weft itself (WEFT_RANK, WEFT_RANKS).
/// Throws ConfigError where they contradict each other. A batch script that runs a program without `srun` is alone.
Ranks read_ranks(const HostView& host = {});

/// Words that cannot be read are the same mistake on every rank: rank 0 says it. Launchers end a job with the first of
/// its ranks that fails, so the others wait here until rank 0 has been heard, which ends them. One that comes back
/// knows that rank 0 had nothing to say.
void let_rank_0_speak() noexcept;

}  // namespace weft::launch
