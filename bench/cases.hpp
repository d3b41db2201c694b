// The cases of weft_bench. Adding one: a function in the file of its kind, and a line in that file's list.

#pragma once

#include <string_view>
#include <vector>

#include "bench/arguments.hpp"
#include "bench/report.hpp"

namespace weft {
struct Options;
}

namespace weft::bench {

/// Prints measured lines as they come.
/// Owns: nothing.  Threading: main thread.
class Output {
 public:
  explicit Output(bool json) : json_(json) {}
  void print(const Line& line) const;

 private:
  bool json_;
};

struct Case {
  const char* name;
  const char* summary;
  std::vector<Option> options;
  void (*run)(const Case& self, const Arguments& arguments, const Output& output);
};

std::vector<Case> shape_cases();
std::vector<Case> latency_cases();
std::vector<Case> metg_cases();
std::vector<Case> memory_cases();
std::vector<Case> machine_cases();
std::vector<Case> formula_cases();
std::vector<Case> transfer_cases();
std::vector<Case> cluster_cases();
std::vector<Case> recover_cases();

/// Options that every case with a client has.
inline constexpr Option kScheduler = {"scheduler", "threads", "who runs the tasks: sync, threads, or mpi under mpirun"};
inline constexpr Option kThreads = {"threads", "0", "slots; 0: as many as the cores the process may use"};

/// Returns the client's options: what kScheduler and kThreads say, no configuration file and no progress lines.
Options client_options(const Arguments& arguments);

/// Freed memory stays with the process from now on, so that a warm run is warm; the peers' programs do the same.
void keep_freed_memory();

/// Throws std::runtime_error that `what` was wrong: no time of a wrong result is ever printed.
[[noreturn]] void wrong_result(std::string_view what);

}  // namespace weft::bench
