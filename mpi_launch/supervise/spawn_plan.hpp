#pragma once

#include <signal.h>
#include <spawn.h>

#include <string>
#include <vector>

namespace weft::launch {

/// What posix_spawn is told of a child that gets none of this program's handlers of signals, and none blocked.
/// Owns: both records.  Threading: one thread.
struct SpawnPlan {
  /// `more`: flags beside those of signals.
  explicit SpawnPlan(short more) {
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    const auto flags = static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | more);
    ::posix_spawnattr_setflags(&attributes, flags);
  }
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  void pass(int descriptor, int as) { ::posix_spawn_file_actions_adddup2(&files, descriptor, as); }
  /// Returns texts as C takes them, with a null at the end.
  static std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (std::string& text : texts) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
  }

  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
};

}  // namespace weft::launch
