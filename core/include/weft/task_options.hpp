#pragma once

#include <weft/timeout.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <string>
#include <vector>

namespace weft {

/// What a task is given beside its arguments. Annotations are hard: a task whose needs no worker has is an error at
/// once.
struct TaskOptions {
  /// Higher runs first.
  int priority = 0;
  /// How often it is run again after it threw.
  unsigned retries = 0;
  /// How long to wait before the first of these, and twice as long before each further one. Its slot is lent meanwhile.
  Seconds retry_delay{0};
  /// Says of what was thrown whether to run the task again; without it, whatever was thrown.
  bool (*retry_if)(const std::exception&) = nullptr;
  /// Named amounts a worker must have free: {{"slots", 2}} takes two slots, {{"GPU", 1}} one of the worker's "GPU".
  std::map<std::string, std::uint32_t> resources = {};
  /// Names of workers or hosts (`client.info()` lists them) that may run it; empty: any.
  std::vector<std::string> workers = {};
  /// The workers are only preferred: others may run it as well.
  bool allow_other_workers = false;
  /// Memory it needs while it runs, in bytes, when that is known.
  std::uint64_t memory_bytes = 0;
  /// What people see instead of the function's name.
  std::string name = {};
  /// The function's result depends on its arguments alone: equal calls with equal arguments are one task.
  bool pure = false;
  /// May be run again after the worker that held its result was lost. Otherwise such a loss fails the task.
  bool retriable = true;
  /// Calls within so long of the first of them count as equally old: where their priority is equal too, they take turns
  /// instead of running one call after the other. The turn of a task of `map` is its place in that map, of any other
  /// task the first: so a single call does not wait for a large map that was called just before it.
  Seconds fifo_timeout{0};
  /// How many tasks `map` hands over at once, at most. 0: one at first, so that work begins at once, then more and
  /// more.
  std::size_t batch_size = 0;
  /// Its result may be kept in the journal (--weft-journal) and taken from there by the next run of the program.
  bool journalled = true;

  bool plain() const { return retries == 0 && name.empty() && !pure && !own_packet(); }
  /// Returns whether the scheduler must decide about the task by itself.
  bool own_packet() const {
    return priority != 0 || !resources.empty() || !workers.empty() || memory_bytes != 0 || !retriable ||
           fifo_timeout.count() > 0;
  }
};

}  // namespace weft
