#include "mpi_launch/elastic/adaptive.hpp"

#include <algorithm>
#include <set>

namespace weft::launch {

Adaptive::Wish Adaptive::decide(double now_s, const ClusterDemand& demand, std::size_t coming) {
  const auto stays = [](const auto& worker) { return !worker.leaving; };
  const auto here = static_cast<std::size_t>(std::count_if(demand.workers.begin(), demand.workers.end(), stays));
  const std::size_t wanted_now = wanted(now_s, demand, here, here + coming);
  seen_s_ = now_s;
  seen_done_ = demand.tasks_done;

  Wish wish;
  wish.retire = to_retire(now_s, demand, wanted_now);
  if (wanted_now > here + coming) wish.start = wanted_now - here - coming;
  const std::size_t spare = here + coming > wanted_now ? std::min(coming, here + coming - wanted_now) : 0;
  if (spare == 0) {
    spare_since_s_.reset();
  } else if (!spare_since_s_) {
    spare_since_s_ = now_s;
  }
  if (spare != 0 && now_s - *spare_since_s_ >= bounds_.idle_s) wish.cancel = spare;
  return wish;
}

std::size_t Adaptive::wanted(double now_s, const ClusterDemand& demand, std::size_t here, std::size_t all) const {
  std::size_t slots = std::max<std::size_t>(1, bounds_.slots);
  if (!demand.workers.empty()) slots = std::max<std::size_t>(1, demand.workers.front().slots);
  std::size_t count = static_cast<std::size_t>((demand.runnable + slots - 1) / slots);
  // At the pace of now everything is over before another worker would be worth its start.
  if (seen_s_ && now_s > *seen_s_ && here != 0 && demand.tasks_done > seen_done_) {
    const double pace = static_cast<double>(demand.tasks_done - seen_done_) / (now_s - *seen_s_);
    if (static_cast<double>(demand.tasks_left) < pace * bounds_.worth_s) count = std::min(count, all);
  }
  return std::clamp(count, bounds_.minimum, std::max(bounds_.minimum, bounds_.maximum));
}

/// Those that have been idle for long, the longest first; of those that keep results one at least stays where nobody
/// else would be left to take them.
std::vector<std::string> Adaptive::to_retire(double now_s, const ClusterDemand& demand, std::size_t keep) {
  std::set<std::string> idle_now;
  for (const ClusterDemand::AtWorker& worker : demand.workers) {
    if (worker.packets == 0 && !worker.leaving) idle_now.insert(worker.name);
  }
  std::erase_if(idle_since_s_, [&](const auto& entry) { return !idle_now.contains(entry.first); });
  for (const std::string& name : idle_now) idle_since_s_.try_emplace(name, now_s);

  std::vector<const ClusterDemand::AtWorker*> staying;
  for (const ClusterDemand::AtWorker& worker : demand.workers) {
    if (!worker.leaving) staying.push_back(&worker);
  }
  const std::size_t most = std::max(bounds_.minimum, bounds_.maximum);
  const auto idle_s = [&](const ClusterDemand::AtWorker& worker) {
    const auto found = idle_since_s_.find(worker.name);
    return found == idle_since_s_.end() ? -1.0 : now_s - found->second;
  };
  std::stable_sort(staying.begin(), staying.end(), [&](const auto* a, const auto* b) {
    const bool a_works = idle_s(*a) < 0;
    const bool b_works = idle_s(*b) < 0;
    if (a_works != b_works) return b_works;
    return a->keeps != b->keeps ? b->keeps : idle_s(*a) > idle_s(*b);
  });
  std::vector<std::string> names;
  std::size_t left = staying.size();
  for (const ClusterDemand::AtWorker* worker : staying) {
    const bool above = left > most;  // told to be fewer
    if (left <= keep && !above) break;
    if (idle_s(*worker) < bounds_.idle_s && !above) continue;
    if (worker->keeps && left == 1 && !above) break;
    names.push_back(worker->name);
    --left;
  }
  return names;
}

}  // namespace weft::launch
