#pragma once

#include "core/cluster/client_records.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

namespace weft::cluster {

/// Shares the workers between the clients of a job: of those that have something to run, each has as many tasks made
/// into packets as the others, whoever came first with however many.
///
/// Each task stands one turn behind the one before it of its client, so a client's own order stays. The first one of a
/// client that had nothing waiting stands behind the turn that is being served: it has saved up none.
/// Owns: the last turn that each client has taken.  Threading: none.
class Turns {
 public:
  /// Gives fresh tasks their turns, and puts them into the line, which is in the order of turns.
  void line_up(std::vector<Pending>& fresh, std::deque<Pending>& line) {
    if (fresh.empty()) return;
    std::uint64_t* last = nullptr;
    std::uint64_t owner = 0;
    bool in_order = true;
    std::uint64_t before = line.empty() ? 0 : line.back().turn;
    for (Pending& one : fresh) {
      if (last == nullptr || one.owner != owner) last = &last_[owner = one.owner];
      shared_ = shared_ || owner != 0;
      one.turn = *last = std::max(*last, served_) + 1;
      in_order = in_order && one.turn >= before;
      before = one.turn;
    }
    const auto earlier = [](const Pending& a, const Pending& b) { return a.turn < b.turn; };
    if (!in_order) std::stable_sort(fresh.begin(), fresh.end(), earlier);
    const auto behind = static_cast<std::ptrdiff_t>(line.size());
    line.insert(line.end(), fresh.begin(), fresh.end());
    if (in_order) return;
    const auto middle = line.begin() + behind;
    std::inplace_merge(std::upper_bound(line.begin(), middle, fresh.front(), earlier), middle, line.end(), earlier);
  }
  /// The task has left the line.
  void serve(const Pending& one) { served_ = std::max(served_, one.turn); }
  /// Returns whether there has been more than one client: then a task may stand before one that it reads.
  bool shared() const { return shared_; }
  /// The client has gone.
  void forget(std::uint64_t owner) { last_.erase(owner); }

 private:
  std::map<std::uint64_t, std::uint64_t> last_;
  std::uint64_t served_ = 0;
  bool shared_ = false;
};

}  // namespace weft::cluster
