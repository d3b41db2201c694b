#pragma once

#include <weft/client_info.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

// What the workers of a client do now, and what they have done: for people who wonder, and for tools that show it.

namespace weft {

class Client;

/// A task that a slot runs now.
struct RunningTask {
  /// What errors call it.
  std::string name;
  /// Where the user wrote it.
  std::string file;
  std::uint32_t line = 0;
  unsigned slot = 0;
};

/// Returns what each worker runs now, by the workers' names. A glance: a task may have ended meanwhile. A worker that
/// does not answer within a second is left out.
std::map<std::string, std::vector<RunningTask>> processing(const Client& client);

/// Returns the last lines that each worker's process has logged, at most 1,000 of each.
std::map<std::string, std::vector<std::string>> worker_logs(const Client& client);

/// A task that has run.
struct RanTask {
  std::string name;
  std::string file;
  std::uint32_t line = 0;
  std::string worker;
  unsigned slot = 0;
  std::chrono::system_clock::time_point start;
  double seconds = 0;
  /// It threw, for good.
  bool failed = false;
};

/// Notes which tasks run, where, and how long, while it lives:
///
///     TaskStream stream(client);
///     client.compute(work);
///     stream.write_html("tasks.html");        // or write_json, for chrome://tracing and Perfetto; or tasks()
///
/// Of tasks that take less than about 20 us only those that the ledger samples are noted, one in 256, so that watching
/// costs nothing that a user could notice. Each worker keeps the last 100,000; what was left out is counted. They are
/// gathered four times a second: of a worker that is lost, what it ran before the last time is there.
/// Owns: what it has gathered, and a thread where the workers are other processes.  Threading: any thread; it stops by
/// itself when its client is closed.
class TaskStream {
 public:
  explicit TaskStream(const Client& client);
  ~TaskStream();
  TaskStream(const TaskStream&) = delete;
  TaskStream& operator=(const TaskStream&) = delete;

  /// Gathers what the workers have noted, and returns all of it so far in the order in which it began.
  std::vector<RanTask> tasks() const;
  /// Returns how many the workers had to leave out, as known from the last `tasks()`.
  std::uint64_t left_out() const;
  /// Gathers for the last time.
  void stop();
  /// Write what has been gathered: a line a task; events for trace viewers; a page with a row a slot and a bar a task
  /// that needs no other file. Throw ConfigError where the file cannot be written.
  void write_csv(const std::string& path) const;
  void write_json(const std::string& path) const;
  void write_html(const std::string& path) const;

  struct Parts;

 private:
  std::shared_ptr<Parts> parts_;  // shared with the list of those that a closing client stops
};

/// Calls a handler for each event of a topic that is noted in a client from now on (`client.log_event`), by any part of
/// the program, tasks included:
///
///     Subscription failures(client, "failures", [](const LoggedEvent& event) { alert(event.text); });
///
/// weft itself notes in "failures" each task that has failed for good by itself, and in "workers" the processes that
/// join, leave, and are lost. Handlers run in order, on a thread that each subscription has; what they throw is logged.
/// Its end waits for the handler that runs. Made in the program itself, not in tasks.
/// Owns: the handler, the thread, and events to come.  Threading: any thread.
class Subscription {
 public:
  Subscription(const Client& client, const std::string& topic, std::function<void(const LoggedEvent&)> handler);
  ~Subscription();
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

  struct Parts;

 private:
  std::shared_ptr<Parts> parts_;  // shared with the client's notes and with its thread
};

}  // namespace weft
