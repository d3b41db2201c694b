#pragma once

#include "core/executor/clock.hpp"
#include "core/graph/extras.hpp"

#include <weft/task_options.hpp>

#include <deque>

namespace weft {

/// Tells which calls count as equally old: TaskOptions::fifo_timeout.
/// Owns: when the last groups of such calls began.  Threading: guarded by its owner.
class Ages {
 public:
  /// Returns the age of a task whose own age would be `own`: that of the group that its call belongs to, which is a new
  /// one where none began within its timeout.
  PacketId of(Seconds fifo_timeout, const Turn& turn, PacketId own) {
    const double timeout_ns = fifo_timeout.count() * 1e9;
    if (!(timeout_ns > 0)) return own;
    const Nanoseconds begin = turn.call_ns != 0 ? turn.call_ns : now_ns();
    for (auto group = groups_.rbegin(); group != groups_.rend(); ++group) {
      const Nanoseconds since = begin - group->begin_ns;
      if (since >= 0 && static_cast<double>(since) <= timeout_ns) return group->age;
    }
    groups_.push_back({begin, own});
    if (groups_.size() > kKept) groups_.pop_front();
    return own;
  }

 private:
  struct Group {
    Nanoseconds begin_ns;
    PacketId age;
  };
  static constexpr std::size_t kKept = 64;

  std::deque<Group> groups_;
};

}  // namespace weft
