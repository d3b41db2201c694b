#include "mpi_launch/batch/job_commands.hpp"

#include <algorithm>
#include <cctype>
#include <initializer_list>
#include <string_view>

namespace weft::launch {

namespace {

bool is_digit(char letter) { return std::isdigit(static_cast<unsigned char>(letter)) != 0; }

std::string first_number(const std::string& text) {
  const auto begin = std::find_if(text.begin(), text.end(), is_digit);
  return {begin, std::find_if_not(begin, text.end(), is_digit)};
}

bool says(const std::string& text, std::initializer_list<std::string_view> any) {
  return std::any_of(any.begin(), any.end(), [&](std::string_view one) { return text.find(one) != std::string::npos; });
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

/// Returns the word behind `mark`, as in "    job_state = R".
std::string word_behind(const std::string& text, std::string_view mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string::npos) return "";
  const std::size_t begin = text.find_first_not_of(' ', at + mark.size());
  return begin == std::string::npos ? "" : text.substr(begin, text.find_first_of(" \n", begin) - begin);
}

}  // namespace

std::string job_number(BatchSystem system, const std::string& said) {
  switch (system) {
    case BatchSystem::Slurm:     // Submitted batch job 17
    case BatchSystem::Lsf:       // Job <17> is submitted to queue <normal>.
    case BatchSystem::Sge:       // Your job 17 ("weft") has been submitted
    case BatchSystem::HtCondor:  // 17.0 - 17.0
    case BatchSystem::Oar:       // OAR_JOB_ID=17
      return first_number(said);
    case BatchSystem::Pbs: {  // 17.server
      const std::string line = first_line(said);
      return !line.empty() && is_digit(line[0]) ? line : "";
    }
  }
  return "";
}

std::string state_line(BatchSystem system, const std::string& job) {
  switch (system) {
    case BatchSystem::Slurm:
      return "squeue -h -j " + shell_word(job) + " -o '%T, %r'";
    case BatchSystem::Pbs:
      return "qstat -f " + shell_word(job);
    case BatchSystem::Lsf:
      return "bjobs -noheader -o 'stat' " + shell_word(job);
    case BatchSystem::Sge:
      return "qstat -j " + shell_word(job);
    case BatchSystem::HtCondor:
      return "condor_q -af JobStatus -job " + shell_word(job);
    case BatchSystem::Oar:
      return "oarstat -s -j " + shell_word(job);
  }
  return "";
}

std::string cancel_line(BatchSystem system, const std::string& job) {
  switch (system) {
    case BatchSystem::Slurm:
      return "scancel " + shell_word(job);
    case BatchSystem::Pbs:
    case BatchSystem::Sge:
      return "qdel " + shell_word(job);
    case BatchSystem::Lsf:
      return "bkill " + shell_word(job);
    case BatchSystem::HtCondor:
      return "condor_rm " + shell_word(job);
    case BatchSystem::Oar:
      return "oardel " + shell_word(job);
  }
  return "";
}

JobState job_state(BatchSystem system, int exit_code, const std::string& said) {
  const std::string line = first_line(said);
  switch (system) {
    case BatchSystem::Slurm:
      if (exit_code != 0) return {says(said, {"Invalid job id"}), ""};
      return {line.empty() || says(line, {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY",
                                          "PREEMPTED", "BOOT_FAIL", "DEADLINE"}),
              line};
    case BatchSystem::Pbs: {
      if (exit_code != 0) return {says(said, {"Unknown Job", "has finished"}), ""};
      const std::string state = word_behind(said, "job_state =");
      return {state == "C" || state == "F", state};
    }
    case BatchSystem::Lsf:
      return {says(said, {"DONE", "EXIT", "is not found"}), line};
    case BatchSystem::Sge:
      return {exit_code != 0 && says(said, {"do not exist"}), exit_code == 0 ? "known to qstat" : ""};
    case BatchSystem::HtCondor: {
      // Out of the queue, or removed, or completed.
      static constexpr std::string_view kStates[] = {"", "idle", "running", "removed", "completed", "held"};
      if (exit_code != 0) return {};
      const auto number = line.empty() ? std::size_t{0} : static_cast<std::size_t>(line[0] - '0');
      return {line.empty() || number == 3 || number == 4, number < 6 ? std::string(kStates[number]) : line};
    }
    case BatchSystem::Oar:
      return {exit_code == 0 && says(line, {"Terminated", "Error"}), line};
  }
  return {};
}

}  // namespace weft::launch
