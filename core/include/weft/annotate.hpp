#pragma once

#include <weft/ids.hpp>
#include <weft/task_options.hpp>

#include <atomic>
#include <memory>

namespace weft {

/// Gives options to every task that its thread describes while it exists, whatever describes it: `submit`, `map`,
/// `delayed`, `Graph::add`, a bag, an array that is computed.
///
///     const Annotate scope({.priority = 5, .retries = 2, .name = "load"});
///     auto pages = client.map(fetch, urls);               // tasks named load/..., run again twice where they throw
///
/// Scopes nest. What an inner one says goes before what an outer one says, and what `client.with` or `delayed(f,
/// options)` says before both; names are joined by a '/'. Tasks that these tasks submit are described in other threads
/// and get nothing of it.
/// Owns: its options.  Threading: it ends in the thread that opened it, inner ones before outer ones.
class Annotate {
 public:
  explicit Annotate(TaskOptions options);
  ~Annotate();
  Annotate(const Annotate&) = delete;
  Annotate& operator=(const Annotate&) = delete;

  /// Returns its options over those of the scopes around it.
  const std::shared_ptr<const TaskOptions>& options() const { return options_; }

 private:
  const Annotate* const outer_;
  const std::shared_ptr<const TaskOptions> options_;
};

/// Returns the options that a task described now, in this thread, is given.
TaskOptions annotations();

namespace detail {

/// How many scopes are open, in all threads: while there is none, describing a task costs one look at this.
extern std::atomic<std::uint32_t> open_annotations;
inline bool annotating() noexcept { return open_annotations.load(std::memory_order_relaxed) != 0; }

/// Gives a new task the options of the scopes that are open in this thread.
void annotate_task(TaskId task);
/// Returns the task that a new one is equal to, with a use that the caller owns, or itself. Equal ones are looked for
/// only where `given` or the scopes of this thread say that the call is pure; one that is replaced has the uses of
/// `word` and is given up. `client`: the serial of the client it will run on; 0 for one that is only described.
TaskId known_task(TaskId fresh, std::uint64_t word, std::uint32_t client, const TaskOptions* given);

}  // namespace detail
}  // namespace weft
