#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace weft {

/// What a task is given beside its arguments. Annotations are hard: a task whose needs no worker has is an error at
/// once.
struct TaskOptions {
  /// Higher runs first.
  int priority = 0;
  /// How often it is run again after it threw.
  unsigned retries = 0;
  /// Named amounts a worker must have free: {{"slots", 2}} takes two slots, {{"GPU", 1}} one of the worker's "GPU".
  std::map<std::string, std::uint32_t> resources = {};
  /// Memory it needs while it runs, in bytes, when that is known.
  std::uint64_t memory_bytes = 0;
  /// What people see instead of the function's name.
  std::string name = {};
  /// Equal calls with equal arguments may be merged.
  bool pure = false;

  bool plain() const {
    return priority == 0 && retries == 0 && resources.empty() && memory_bytes == 0 && name.empty() && !pure;
  }
};

}  // namespace weft
