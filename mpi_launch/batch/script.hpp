#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weft::launch {

enum class BatchSystem { Slurm, Pbs, Lsf, Sge, HtCondor, Oar };

/// Returns the system of that name: slurm, pbs, lsf, sge, htcondor or oar. Throws ConfigError naming them.
BatchSystem batch_system(const std::string& name);

/// What a batch job is to be.
struct BatchJob {
  std::string name = "weft";
  std::uint32_t nodes = 1;
  std::uint32_t ranks_per_node = 1;
  std::uint32_t cores_per_rank = 1;
  std::uint32_t gpus_per_node = 0;
  /// "" leaves each to the system's default.
  std::string memory_per_node;
  std::string queue;
  std::string account;
  /// Seconds, at least 60.
  std::uint64_t walltime_s = 3600;
  /// Submits itself again when the program asks for it with exit code 75.
  bool resume = false;
  /// One process, started by the script itself: no srun, no mpirun.
  bool plain = false;
  /// Lines to run before the program: module loads, environments.
  std::vector<std::string> prologue;
  /// The program and its arguments.
  std::vector<std::string> command;
};

/// Returns the script for the system. Depends on nothing but its arguments. Throws ConfigError where the job makes no
/// sense (no program, no nodes, a line break in a name), or where the system has no such thing (a queue of HTCondor).
std::string batch_script(BatchSystem system, const BatchJob& job);

/// Returns the command that submits a script read from a file: {"sbatch", "job.sh"}.
std::vector<std::string> submit_command(BatchSystem system, const std::string& script);

/// Returns the word quoted for a shell, unchanged where nothing needs it.
std::string shell_word(const std::string& word);

}  // namespace weft::launch
