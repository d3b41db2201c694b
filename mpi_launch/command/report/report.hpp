#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace weft::command::data {

class Given;

int run_report(const Given& given);

}  // namespace weft::command::data

namespace weft::command::report {

struct Phase {
  std::string name;
  double seconds = 0;
  /// Of the time of all slots.
  double share = 0;
};
struct Task {
  std::string name, place, worker;
  std::int64_t slot = 0;
  double start = 0, seconds = 0;
  bool failed = false;
};
/// The tasks of one line of source.
struct Stage {
  std::string name;
  std::uint64_t tasks = 0;
  double seconds = 0, longest = 0;
};
struct WorkerLine {
  std::string name;
  std::int64_t slots = 0;
  double busy_cores = 0, peak_bytes = 0;
  /// Of values that came from other workers.
  double fetched_bytes = 0;
};
/// Results of tasks of one line of source that other workers took.
struct Moved {
  std::string name;
  double results = 0, bytes = 0;
};
struct Event {
  double seconds = 0;
  std::string topic, text;
};

/// What a run did, as its file tells.
struct Run {
  std::string command, scheduler;
  std::int64_t exit = 0;
  double seconds = 0, slots = 0, tasks_run = 0, overhead_us = 0, spill_written = 0, spill_read = 0;
  std::int64_t tasks_noted = 0, tasks_left_out = 0;
  /// Longest first.
  std::vector<Phase> phases;
  std::vector<Task> tasks;
  std::vector<Stage> stages;
  std::vector<WorkerLine> workers;
  /// Most bytes first.
  std::vector<Moved> moved;
  std::vector<Event> events;
  std::vector<Event> deaths() const;
  double share(const std::string& phase) const;
  double moved_bytes() const;
};
/// Throws Error where the file is no run file.
Run read_run(const std::string& path);

/// What took most, in words with its number, and what to do about it.
struct Bottleneck {
  std::string what;
  double share = 0;
  std::string words;
};
Bottleneck bottleneck_of(const Run& run);

std::string report_text(const Run& run, std::size_t most);
/// One page that needs no other file.
std::string report_page(const Run& run, std::size_t most);

}  // namespace weft::command::report
