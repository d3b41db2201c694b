// Which workers there are, and what the client asks of their processes: to leave, to be restarted, to be prepared by
// plugins.

#include "core/cluster/client_process.hpp"

#include <weft/error.hpp>
#include <weft/log.hpp>

#include <algorithm>
#include <chrono>

namespace weft::cluster {

std::uint32_t ClientProcess::wait_for_workers(std::uint32_t count, Nanoseconds longest) {
  const Nanoseconds until = now_ns() + longest;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      const bool enough = members_.present >= count || members_.no_more;
      const std::uint32_t present = members_.present;
      if (enough || now_ns() >= until) return present;
      drive_locked(lock);
    }
    timespec nap{0, 500'000};
    ::nanosleep(&nap, nullptr);
  }
}

std::vector<WorkerStanding> ClientProcess::workers() {
  const std::lock_guard lock(mutex_);
  std::vector<WorkerStanding> standings;
  for (const ClientWorker& worker : members_.workers) standings.push_back(worker.standing);
  return standings;
}

std::vector<WorkerInfo> ClientProcess::worker_infos() {
  std::vector<WorkerInfo> infos;
  for (const WorkerStanding& standing : workers()) {
    if (!standing.present) continue;
    WorkerInfo info;
    info.name = standing.identity.name;
    info.host = info.name.substr(0, info.name.find(':'));
    info.slots = standing.slots;
    info.resources = standing.identity.resources;
    info.memory_bytes = standing.budget_bytes;
    infos.push_back(std::move(info));
  }
  return infos;
}

std::vector<std::string> ClientProcess::who_has(TaskId task) {
  const TaskRecord& record = arena::task(task);
  const std::uint64_t word = record.word.load(std::memory_order_acquire);
  if ((word & task_word::kDone) == 0 || (word & task_word::kFailed) != 0) return {};
  if ((record.join.load(std::memory_order_relaxed) & kManagedJoin) == 0) return {};
  const std::lock_guard lock(mutex_);
  if (!machine_.knows(record.packet)) return {};
  std::vector<std::string> names;
  for (const WorkerId holder : machine_.holders(record.packet)) {
    if (holder < members_.workers.size() && members_.workers[holder].standing.present)
      names.push_back(members_.workers[holder].standing.identity.name);
  }
  return names;
}

void ClientProcess::retire(std::string_view name) {
  {
    std::unique_lock lock(mutex_);
    if (stopping_.load()) throw Error("the workers have been told to end");
    const auto found = std::find_if(members_.workers.begin(), members_.workers.end(), [&](const ClientWorker& worker) {
      return worker.standing.present && worker.standing.identity.name == name;
    });
    if (found == members_.workers.end()) throw Error("there is no worker \"" + std::string(name) + "\" to retire");
    drain(found->standing.id);
    drive_locked(lock);
  }
  post_.wake();
}

void ClientProcess::no_more_workers(std::string_view why) {
  std::unique_lock lock(mutex_);
  if (stopping_.load()) return;
  members_.no_more = !why.empty();
  members_.no_more_why = why;
  drive_locked(lock);
}

/// Of a chain all but one wait for each other, also those that a worker was dealt ahead of their turn. So what is in no
/// packet yet counts only once the packets show that there is something to do at once.
ClusterDemand ClientProcess::demand() {
  ClusterDemand demand;
  const std::lock_guard lock(mutex_);
  const auto at = [](const ClientWorker& worker) {
    return ClusterDemand::AtWorker{worker.standing.identity.name, worker.standing.slots, 0, false,
                                   worker.standing.leaving};
  };
  std::vector<ClusterDemand::AtWorker> all;
  for (const ClientWorker& worker : members_.workers) all.push_back(at(worker));
  for (const auto& [id, packet] : packets_) {
    if (packet.over || !machine_.knows(id)) continue;
    const PacketState state = machine_.state(id);
    const WorkerId owner = machine_.owner(id);
    const auto is_there = [this](const ProducerEdge& edge) {
      return !machine_.knows(edge.producer) || machine_.state(edge.producer) == PacketState::InMemory;
    };
    if (state == PacketState::Ready || state == PacketState::Running) {
      const auto& inputs = machine_.producers(id);
      if (std::all_of(inputs.begin(), inputs.end(), is_there)) ++demand.runnable;
    }
    if (owner >= all.size()) continue;
    if (state == PacketState::Running) ++all[owner].packets;
    if (state == PacketState::InMemory && !packet.released) all[owner].keeps = true;
  }
  if (call_.task != kNone && call_.worker < all.size()) {
    ++demand.runnable;
    ++all[call_.worker].packets;
  }
  std::uint64_t unformed = coming_.forming.size();
  for (const GraphRun* graph : coming_.graphs) unformed += graph->order.size() - graph->cut;
  {
    const std::lock_guard pending(pending_mutex_);
    unformed += pending_.size();
  }
  if (members_.present == 0 || demand.runnable >= 2 * std::uint64_t{slots_.load()}) demand.runnable += unformed;
  demand.tasks_done = tasks_done_.load();
  const std::uint64_t total = tasks_total_.load();
  demand.tasks_left = total - std::min(demand.tasks_done, total);
  for (std::size_t i = 0; i != all.size(); ++i) {
    if (members_.workers[i].standing.present) demand.workers.push_back(std::move(all[i]));
  }
  return demand;
}

/// 1. Each process is told to end at once, without blame for the packets it runs. 2. Its supervisor starts another one,
/// which joins under the same name and a higher number.
void ClientProcess::restart_workers(const std::vector<std::string>& names, Seconds longest) {
  std::vector<WorkerId> before;
  {
    std::unique_lock lock(mutex_);
    if (stopping_.load()) throw Error("the workers have been told to end");
    for (const std::string& name : names) {
      const auto found = std::find_if(
          members_.workers.begin(), members_.workers.end(),
          [&](const ClientWorker& worker) { return worker.standing.present && worker.standing.identity.name == name; });
      if (found == members_.workers.end()) throw Error("there is no worker \"" + name + "\" to restart");
      before.push_back(found->standing.id);
    }
    for (const WorkerId id : before) {
      if (members_.workers[id].told_to_restart) continue;
      members_.workers[id].told_to_restart = true;
      logging::info("cluster", "worker ", members_.workers[id].standing.identity.name, " is restarted");
      post_.begin(members_.workers[id].peer, LetterKind::Restart);
      post_.end(members_.workers[id].peer);
    }
    drive_locked(lock);
  }
  post_.wake();
  const auto is_back = [&](std::size_t i) {
    return std::any_of(members_.workers.begin() + before[i] + 1, members_.workers.end(),
                       [&](const ClientWorker& worker) {
                         return worker.standing.present && worker.standing.identity.name == names[i];
                       });
  };
  const auto deadline = detail::deadline_after(longest);
  for (;;) {
    std::string missing;
    {
      const std::lock_guard lock(mutex_);
      for (std::size_t i = 0; i != names.size(); ++i) {
        if (!is_back(i)) missing += (missing.empty() ? "\"" : ", \"") + names[i] + '"';
      }
    }
    if (missing.empty()) return;
    if (std::chrono::steady_clock::now() >= deadline || closing_.load()) {
      throw TimeoutError("Client::restart_workers: not back yet: " + missing +
                         "; wait longer, or look at what their supervisors say");
    }
    const auto next_look = std::chrono::steady_clock::now() + std::chrono::milliseconds(5);
    help_until(kNone, [&] { return std::chrono::steady_clock::now() >= next_look; });
  }
}

void ClientProcess::add_plugin(const std::string& key, const std::string& description) {
  const std::lock_guard lock(mutex_);
  members_.plugins[key] = description;
}

void ClientProcess::remove_plugin(const std::string& key) noexcept {
  const std::lock_guard lock(mutex_);
  members_.plugins.erase(key);
}

/// What is set up stays so until the workers end: those who join for the next client need not know of it.
void ClientProcess::forget_plugins() {
  const std::lock_guard lock(mutex_);
  members_.plugins.clear();
}

}  // namespace weft::cluster
