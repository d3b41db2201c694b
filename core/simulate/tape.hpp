#pragma once

#include <cstdint>

#include "core/messages/encoding.hpp"
#include "core/scheduler/scheduler.hpp"

namespace weft::sim {

/// What the scheduler machine was told in a run, to be told again to one that has the processor's cache to itself, as
/// in a cluster: in the simulation hundreds of workers and the network think between two of its decisions. Owns: the
/// encoded events.  Threading: none.
class Tape {
 public:
  void add(const SchedulerEvent& event);

  struct Replayed {
    Nanoseconds took = 0;
    std::uint64_t events = 0;
    std::uint64_t actions = 0;
  };
  /// Tells them to a fresh machine, and describes its deals as the run did. Throws weft::Error if they can not be read.
  [[nodiscard]] Replayed replay(const SchedulerOptions& options) const;

 private:
  Bytes bytes_;
};

}  // namespace weft::sim
