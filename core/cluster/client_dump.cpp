// What the client's process can tell of a job that runs: for people who wonder why it stands still.

#include "core/cluster/client_process.hpp"
#include "core/graph/task_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace weft::cluster {
namespace {

std::string_view state_name(PacketState state) {
  switch (state) {
    case PacketState::Released:
      return "is let go of";
    case PacketState::Waiting:
      return "waits for packets that no worker has";
    case PacketState::Ready:
      return "waits for a worker";
    case PacketState::Running:
      return "is at a worker";
    case PacketState::InMemory:
      return "has ended";
    case PacketState::Failed:
      return "has failed";
  }
  return "";
}

}  // namespace

std::string ClientProcess::place_name(WorkerId worker) const {
  if (worker == kKeeper) return "the scheduler";
  return worker < members_.workers.size() ? members_.workers[worker].standing.identity.name : "nobody";
}

/// "packet 17: is at a worker (node7:2), attempt 1: 64 tasks, the first f #123 (main.cpp:31); reads packets 3 (...),
/// 4".
std::string ClientProcess::packet_line(PacketId id, const ClientPacket& packet) const {
  constexpr std::size_t kMostInputs = 4;
  std::string text = fmt::format("packet {}", id);
  if (!machine_.knows(id)) return text + ": the scheduler has not heard of it yet";
  const PacketState state = machine_.state(id);
  text += fmt::format(": {}", state_name(state));
  if (state == PacketState::Running || state == PacketState::InMemory)
    text += fmt::format(" ({})", place_name(machine_.owner(id)));
  text += fmt::format(", attempt {}", machine_.attempt(id));
  if (packet.count != 0) {
    const Site& at = site(arena::task(packet.tasks[0]).site);
    text += fmt::format(": {} task{}, {}{} ({}:{})", packet.count, packet.count == 1 ? "" : "s",
                        packet.count == 1 ? "" : "the first ", task_name(packet.tasks[0]), at.file, at.line);
  }
  if (!packet.deaths.empty()) text += fmt::format("; {} workers died while it was there", packet.deaths.size());
  std::size_t left = 0;
  for (const ProducerEdge& edge : machine_.producers(id)) {
    if (!machine_.knows(edge.producer) || machine_.state(edge.producer) == PacketState::InMemory) continue;
    if (left++ >= kMostInputs) continue;
    text += fmt::format("{} {} ({})", left == 1 ? "; waits for packet" : ", packet", edge.producer,
                        state_name(machine_.state(edge.producer)));
  }
  if (left > kMostInputs) text += fmt::format(" and {} more", left - kMostInputs);
  return text;
}

/// Why nothing runs although something is left: the first packets that have not ended.
std::string ClientProcess::why_idle() {
  constexpr std::size_t kMost = 3;
  const std::lock_guard lock(mutex_);
  if (members_.present == 0) return "no worker is here";
  std::vector<PacketId> left;
  for (const auto& [id, packet] : packets_) {
    if (!packet.ended && !packet.over) left.push_back(id);
  }
  std::sort(left.begin(), left.end());
  std::string text;
  for (std::size_t i = 0; i < std::min(left.size(), kMost); ++i)
    text += (i == 0 ? "" : "; ") + packet_line(left[i], packets_[left[i]]);
  if (left.size() > kMost) text += fmt::format("; and {} packets more", left.size() - kMost);
  return text.empty() ? fmt::format("{} tasks are in no packet yet", coming_.forming.size()) : text;
}

/// 1. Counts. 2. Workers, and what they run. 3. Packets that have not ended, a few at a time, so that the job goes on
/// meanwhile: what is told of one was so when it was told.
void ClientProcess::dump(const std::function<void(std::string_view)>& write) {
  constexpr std::size_t kSlice = 256;
  std::vector<PacketId> left;
  {
    std::string text;
    const std::lock_guard lock(mutex_);
    const SchedulerCounts counts = machine_.counts();
    text += fmt::format("tasks: {} given, {} done, {} failed; {} are in no packet yet\n", tasks_total_.load(),
                        tasks_done_.load(), tasks_failed_.load(), coming_.forming.size() + coming_.deferred.size());
    text += fmt::format("packets: {}", counts.known());
    for (int state = 0; state < kPacketStateCount; ++state) {
      if (counts.packets[state] != 0)
        text += fmt::format(", {}: {}", state_name(static_cast<PacketState>(state)), counts.packets[state]);
    }
    text += fmt::format("\ngraphs that run: {}; questions of tasks that wait: {}; attached clients: {}\n",
                        coming_.graphs.size(), questions_.parked.size(), questions_.guests.size());
    for (const ClientWorker& worker : members_.workers) {
      const WorkerStanding& standing = worker.standing;
      text +=
          fmt::format("worker {}: {}{}{}{}, {} slots\n", standing.identity.name, standing.present ? "here" : worker.end,
                      worker.paused ? ", paused for memory" : "", worker.drains_since != 0 ? ", leaving" : "",
                      worker.silent_since != 0 ? ", silent" : "", standing.slots);
    }
    for (const auto& [id, packet] : packets_) {
      if (!packet.ended && !packet.over) left.push_back(id);
    }
    write(text);
  }
  std::string running;
  for (const WorkerLook& look : this->look({.running = true})) {
    running += fmt::format("{} has answered: {} tasks done, {:.1f} s of processors, {} MiB\n", look.worker,
                           look.tasks_done, look.processor_seconds, look.resident_bytes >> 20);
    for (const RunningTask& task : look.running)
      running += fmt::format("{} slot {} runs {} ({}:{})\n", look.worker, task.slot, task.name, task.file, task.line);
  }
  write(running);
  std::sort(left.begin(), left.end());
  for (std::size_t at = 0; at < left.size(); at += kSlice) {
    std::string text;
    {
      const std::lock_guard lock(mutex_);
      for (std::size_t i = at; i < std::min(left.size(), at + kSlice); ++i) {
        const auto found = packets_.find(left[i]);
        if (found != packets_.end() && !found->second.over) text += packet_line(left[i], found->second) + "\n";
      }
    }
    write(text);
  }
}

}  // namespace weft::cluster
