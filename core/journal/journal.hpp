#pragma once

#include "core/journal/key.hpp"

#include <weft/config.hpp>
#include <weft/journal.hpp>
#include <weft/task_options.hpp>
#include <weft/task_type.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

// The journal of this process. Where tasks are described, calls get keys, and those whose results are there become
// tasks that read them; where tasks run, results are written. Both may be one process, or none.

namespace weft::detail {
struct GraphParts;
}

namespace weft::journal {

struct Stored;

/// How many in this process want keys of the calls that are described.
extern std::atomic<unsigned> gives_keys;
/// Whether results of tasks with keys are written in this process.
extern std::atomic<bool> writes_results;

class Source;

/// This process describes the tasks of a program that has a journal, while it exists.
/// Owns: the folder's lock, shared with other clients of this process that name the same folder.
/// Threading: opened and closed while no task is described.
class Describing {
 public:
  /// Throws ConfigError where another program has the folder, or a client of this one another folder. `far`: the tasks
  /// run in other processes.
  Describing(const Settings& settings, bool far);
  ~Describing();
  Describing(const Describing&) = delete;
  Describing& operator=(const Describing&) = delete;

  JournalReport report() const;
  /// Returns a line about what the run has taken and left; nothing where there is no journal.
  std::string summary() const;

 private:
  struct State;
  static std::shared_ptr<State>& latest();
  friend TaskId find_result(TaskId, std::uint64_t, std::uint32_t, const TaskOptions*, bool);
  friend std::shared_ptr<Source> current_source();
  static std::shared_ptr<Source> source();
  std::shared_ptr<State> state_;  // shared with other clients, and with whoever describes a task now
};

/// This process runs tasks of a program that has a journal, while it exists; without a folder it does nothing.
/// Owns: the files that it writes, shared with others of this process.
class Writing {
 public:
  explicit Writing(const Settings& settings);
  ~Writing();
  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;

 private:
  struct State;
  static std::atomic<State*>& latest();
  friend void task_ended(TaskId, const TaskRecord&, const TaskType&, double) noexcept;
  friend void note_effect(TaskId) noexcept;
  friend void drop_result(const Key&) noexcept;
  friend void note_call(const Key&, const Key&) noexcept;
  std::shared_ptr<State> state_;
};

/// Calls that tasks of this process submit get keys too, while it exists; without a folder it does nothing. For a
/// worker's process: where tasks are described by the program as well, Describing does it.
/// Owns: nothing but the folder's name.  Threading: one thread opens and closes it, while no task runs.
class DescribingChildren {
 public:
  explicit DescribingChildren(const Settings& settings);
  ~DescribingChildren();
  DescribingChildren(const DescribingChildren&) = delete;
  DescribingChildren& operator=(const DescribingChildren&) = delete;

 private:
  bool open_ = false;
};

/// While it exists, the tasks of a graph that is about to run have keys, and those whose results are in the journal
/// read them in place of what they are; what only those would need does nothing. Without a journal it does nothing.
/// Owns: the calls that it has put others in the place of.  Threading: that which runs the graph; longer than the run.
class GraphResults {
 public:
  explicit GraphResults(const detail::GraphParts& graph);
  ~GraphResults();
  GraphResults(const GraphResults&) = delete;
  GraphResults& operator=(const GraphResults&) = delete;

 private:
  struct Replaced {
    TaskId task = kNone;
    std::uint32_t site = 0;
    void* closure = nullptr;  // the first word of it
    bool skipped = false;
  };
  void put(TaskId task, Stored stored);
  void skip(TaskId task);
  std::vector<Replaced> replaced_;
};

/// While it exists, the keys of calls that this thread describes hold the state of a file that they read, so that they
/// are others once it has changed.
/// Owns: nothing.  Threading: one thread; they nest.
class ReadsFile {
 public:
  explicit ReadsFile(const std::string& path);
  ~ReadsFile();
  ReadsFile(const ReadsFile&) = delete;
  ReadsFile& operator=(const ReadsFile&) = delete;

 private:
  const Key outer_;
};

/// Gives a described task its key. Returns the task, or, where its result is in the journal, one that reads it, which
/// has begun if `client` is not 0; the caller gives up the first. `word`: the uses and flags of both.
TaskId find_result(TaskId fresh, std::uint64_t word, std::uint32_t client, const TaskOptions* given, bool pure);
/// Writes the result of a task that has ended well, if it has a key and is worth it. Before others may see the result.
void task_ended(TaskId task, const TaskRecord& record, const TaskType& type, double seconds) noexcept;
/// The running task does more than give a result: so may all of its function.
void note_effect(TaskId task) noexcept;
/// The bytes under this key are not what was written.
void drop_result(const Key& key) noexcept;

/// Returns a key for a task's function: its code, not its arguments. `closure`: its encoding.
Key function_key(const TaskType& type, const Writer& closure);
/// As above, of a task that may be running.
Key function_key(TaskId task);
/// Returns a key for what a task computes; none where nothing tells.
Key call_key(TaskId task);

}  // namespace weft::journal
