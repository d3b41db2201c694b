#include "core/cluster/far_tasks.hpp"

#include <weft/error.hpp>

namespace weft::cluster {

std::uint64_t FarTasks::offer(PeerId to, const Handle& task) {
  const std::uint64_t number = next_offer_++;
  offers_[number] = {to, task};
  return number;
}

Handle FarTasks::take(std::uint64_t offer) {
  const auto found = offers_.find(offer);
  if (found == offers_.end()) throw Error("a future of a named object's value has been taken already");
  const Handle task = std::move(found->second.task);
  offers_.erase(found);
  return task;
}

Handle FarTasks::told(PeerId from, std::uint64_t number) {
  const auto found = expected_.find({from, number});
  if (found == expected_.end()) return {};
  const Handle stand_in = std::move(found->second);
  expected_.erase(found);
  return stand_in;
}

std::vector<Handle> FarTasks::forget(PeerId peer) {
  std::erase_if(offers_, [&](const auto& entry) { return entry.second.to == peer; });
  std::vector<Handle> left;
  const auto first = expected_.lower_bound({peer, 0});
  auto last = first;
  for (; last != expected_.end() && last->first.first == peer; ++last) left.push_back(std::move(last->second));
  expected_.erase(first, last);
  return left;
}

std::vector<Handle> FarTasks::forget_all() {
  offers_.clear();
  std::vector<Handle> left;
  for (auto& [from, stand_in] : expected_) left.push_back(std::move(stand_in));
  expected_.clear();
  return left;
}

}  // namespace weft::cluster
