#pragma once

#include "core/runtime/look.hpp"

#include <weft/ledger.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace weft {
class Client;
class Runtime;
}  // namespace weft

namespace weft::dashboard {

/// Gathers what a client does, for the page: one JSON object, made anew at most twice a second, however many look.
///
/// Workers are looked at only while somebody looks at the page, and note their tasks only then. Where more tasks are
/// noted than anybody could see, they are noted for one second in several.
/// Owns: what it has gathered.  Threading: one thread; the client outlives it.
class State {
 public:
  /// `fresh`: so long an object is given again.
  explicit State(const Client& client, std::chrono::milliseconds fresh = std::chrono::milliseconds(400));
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  /// Returns one JSON object: docs/page.md says what is in it.
  const std::string& json();
  /// Nobody looks any more: the workers need to note nothing.
  void rest();

 private:
  using Clock = std::chrono::steady_clock;
  /// What is known of a worker from the last time.
  struct Before {
    double processor_seconds = 0;
    std::uint64_t fetched_bytes = 0;
    std::uint64_t tasks_done = 0;
    Clock::time_point at;
  };
  /// Tasks that one line of the program describes, as far as they were noted.
  struct Line {
    std::string name;
    std::uint64_t ended = 0;
    std::uint64_t failed = 0;
    double seconds = 0;
  };

  std::vector<WorkerLook> look();
  void take_tasks(const std::vector<WorkerLook>& seen);
  void write_counts();
  void write_workers(const std::vector<WorkerLook>& seen);
  void write_lines(const std::vector<WorkerLook>& seen);
  void write_tasks();
  void write_ledger();
  void write_news();

  const Client& client_;
  const std::chrono::milliseconds fresh_;
  Runtime& runtime_;
  const Clock::time_point begin_ = Clock::now();
  Clock::time_point made_;
  std::string json_;
  bool may_look_ = true;  // not where the workers are another program's
  std::map<std::string, Before> before_;
  std::uint64_t done_before_ = 0;
  Clock::time_point done_at_ = Clock::now();
  double rate_ = 0;
  // Tasks that were noted.
  bool noting_ = false;
  unsigned pauses_ = 0;  // looks before tasks are noted again
  std::map<std::string, KnownTasks> known_;
  std::deque<RanTask> recent_;
  std::map<std::string, Line> lines_;  // by "file:line"
  std::uint64_t noted_ = 0;
  // The ledger, which is asked for less often.
  Clock::time_point booked_;
  LedgerReport ledger_;
};

}  // namespace weft::dashboard
