#pragma once

#include "core/transport/transport.hpp"

#include <weft/handle.hpp>

#include <cstdint>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

namespace weft::cluster {

/// Futures on their way between the client's process and others, inside of values of named objects.
///
/// For: the client's process. A future that leaves it is offered: the other process asks for the end of that task,
/// once. One that comes from a worker is expected: a stand-in, until the worker tells how its task ended. Owns: a use
/// of each.  Threading: guarded by the mutex of its process.
class FarTasks {
 public:
  std::uint64_t offer(PeerId to, const Handle& task);
  /// Takes an offer away. Throws Error where there is none.
  Handle take(std::uint64_t offer);
  /// Notes the stand-in for task `number` of a process.
  void expect(PeerId from, std::uint64_t number, const Handle& stand_in) { expected_[{from, number}] = stand_in; }
  /// Returns the stand-in of a task whose end is told, and forgets it; an empty handle: it is not expected.
  Handle told(PeerId from, std::uint64_t number);
  /// A process is gone. Returns the stand-ins whose end it will not tell.
  std::vector<Handle> forget(PeerId peer);
  std::vector<Handle> forget_all();

 private:
  struct Offer {
    PeerId to = 0;
    Handle task;
  };
  std::unordered_map<std::uint64_t, Offer> offers_;
  std::uint64_t next_offer_ = 1;
  std::map<std::pair<PeerId, std::uint64_t>, Handle> expected_;
};

}  // namespace weft::cluster
