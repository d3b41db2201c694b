// What the client's process does about the end of the program's time: the workers hold what would not end in time, and
// what they need not even be dealt stays here.
//
//  1. `set_time_left` tells the workers, those that join later too. From then on they learn how long tasks take.
//  2. A task that is known to take longer than what is left goes into no packet (`outlasts`). One that was dealt before
//     is held by its worker, which says so (`on_held`).
//  3. `out_of_time`, asked from time to time, finds the packets that wait for held ones. Their workers are given as
//  many
//     others (`note_blocked`). Once nothing else is left, and nothing runs, it says so.

#include "core/cluster/client_process.hpp"
#include "core/executor/clock.hpp"
#include "core/graph/extras.hpp"
#include "core/graph/task_name.hpp"

#include <algorithm>

namespace weft::cluster {
namespace {

constexpr double kSecond = 1e9;

/// Such a task goes to a worker, to end there.
bool asked_to_cancel(TaskId task) {
  if ((arena::task(task).word.load(std::memory_order_acquire) & task_word::kExtra) == 0) return false;
  bool cancelled = false;
  extras::read(task, [&](const TaskExtra& extra) { cancelled = extra.cancelled; });
  return cancelled;
}

}  // namespace

void ClientProcess::set_time_left(double seconds) {
  const std::lock_guard lock(mutex_);
  time_left_.end = now_ns() + static_cast<Nanoseconds>(std::max(0.0, seconds) * kSecond);
  for (const ClientWorker& worker : members_.workers) {
    if (worker.standing.present) tell_time_left(worker);
  }
  post_.flush();
}

/// Of a clock that others do not have: how long it is from now.
void ClientProcess::tell_time_left(const ClientWorker& worker) {
  if (time_left_.end == 0) return;
  const double left = static_cast<double>(time_left_.end - now_ns()) / kSecond;
  post_.begin(worker.peer, LetterKind::TimeLeft).number(std::max(0.0, left));
  post_.end(worker.peer);
}

bool ClientProcess::outlasts(TaskId task) const {
  constexpr float kLongNs = 1e6f;
  if (time_left_.end == 0 || asked_to_cancel(task)) return false;
  const float ns = site_time(task).ns;
  return ns > kLongNs && ns > static_cast<float>(time_left_.end - now_ns());
}

void ClientProcess::on_held(WorkerId worker, const HeldPacket& held) {
  if (held.packet == kHandedPacket) {
    time_left_.any_held = true;
    if (holds_call(worker)) call_.held = true;
    return;
  }
  ClientPacket* const packet = find(held.packet);
  if (packet == nullptr || packet->over || packet->ended || packet->owner != worker) return;
  if (packet->attempt != held.attempt || packet->held_attempt == held.attempt) return;
  packet->held_attempt = held.attempt;
  packet->stalled = time_left_.any_held = true;
  ++members_.workers[worker].held;
  questions_.changed = true;
}

/// Returns whether an input is not made, because its packet is held or waits for one that is.
bool ClientProcess::reads_stalled(TaskId task) {
  const TaskRecord& record = arena::task(task);
  for (std::uint32_t k = 0; k < record.input_count; ++k) {
    const TaskRecord& producer = arena::task(arena::edge(record.first_input + k).producer);
    if ((producer.word.load(std::memory_order_acquire) & task_word::kDone) != 0) continue;
    const ClientPacket* const packet = find(producer.packet);
    if (packet != nullptr && packet->stalled) return true;
  }
  return false;
}

/// Counts, for each worker, what is held there and what waits for that. Returns whether anything else is left.
bool ClientProcess::find_held() {
  const bool all_cut =
      std::all_of(coming_.graphs.begin(), coming_.graphs.end(), [](const GraphRun* run) { return run->all_cut(); });
  const bool more = !coming_.forming.empty() || any_pending_.load() || !all_cut || (call_.task != kNone && !call_.held);
  if (!time_left_.any_held) return more || outstanding_ != 0;
  std::vector<PacketId> left;
  for (const auto& [id, packet] : packets_) {
    if (!packet.ended && !packet.over) left.push_back(id);
  }
  // Producers have smaller numbers.
  std::sort(left.begin(), left.end());
  std::size_t stalled = 0;
  std::vector<std::uint32_t> counts(members_.workers.size(), 0);
  for (const PacketId id : left) {
    if (!machine_.knows(id)) continue;
    ClientPacket& packet = packets_[id];
    const bool is_dealt = machine_.state(id) == PacketState::Running;
    const std::vector<ProducerEdge> producers = machine_.producers(id);
    packet.stalled = is_dealt && packet.held_attempt != 0 && packet.held_attempt == machine_.attempt(id);
    packet.stalled = packet.stalled || std::any_of(producers.begin(), producers.end(), [&](const ProducerEdge& edge) {
                       const ClientPacket* const producer = find(edge.producer);
                       return producer != nullptr && !producer->ended && producer->stalled;
                     });
    if (!packet.stalled) continue;
    ++stalled;
    if (is_dealt && machine_.owner(id) < counts.size()) ++counts[machine_.owner(id)];
  }
  for (ClientWorker& worker : members_.workers) {
    const std::uint32_t now = counts[worker.standing.id];
    questions_.changed = std::exchange(worker.held, now) != now || questions_.changed;
  }
  time_left_.any_held = stalled != 0 || (call_.task != kNone && call_.held);
  return more || stalled != left.size();
}

std::string ClientProcess::out_of_time() {
  std::vector<HeldTasks> held;
  std::uint32_t present = 0;
  const bool somebody_waits = waiters_.any();
  {
    const std::lock_guard lock(mutex_);
    if (time_left_.end == 0 || !open_.load()) return "";
    if (find_held()) {
      try_deferred();  // what a packet less or a shorter time has set free
      return "";
    }
    if (!somebody_waits) return "";
    present = members_.present;
    for (const Pending& one : coming_.deferred) {
      if (!outlasts(one.task)) continue;
      const Site& at = site(arena::task(one.task).site);
      const double seconds = static_cast<double>(site_time(one.task).ns) / kSecond;
      held.push_back({task_name(one.task), at.file, at.line, 1, seconds});
    }
  }
  const std::vector<WorkerLook> looks = look({.running = true});
  for (const WorkerLook& look : looks) {
    if (!look.running.empty()) return "";
    held.insert(held.end(), look.held.begin(), look.held.end());
  }
  return held.empty() || looks.size() != present ? "" : held_text(held);
}

}  // namespace weft::cluster
