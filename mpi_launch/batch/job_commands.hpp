#pragma once

#include "mpi_launch/batch/script.hpp"

#include <string>

namespace weft::launch {

/// Returns the number of the job in what the command that submitted it wrote; empty where there is none.
std::string job_number(BatchSystem system, const std::string& said);

/// Returns the lines of `sh` that ask for a job's state, and that end it.
std::string state_line(BatchSystem system, const std::string& job);
std::string cancel_line(BatchSystem system, const std::string& job);

struct JobState {
  bool ended = false;
  /// As the system says it: "PENDING, Priority".
  std::string text;
};
/// Reads the answer to `state_line`. What says nothing of the job, as a system that does not answer, is no end.
JobState job_state(BatchSystem system, int exit_code, const std::string& said);

}  // namespace weft::launch
