// Short calls that a worker is handed past the machine while nothing else is under way: what `submit(f, x).result()` is
// made of. The machine knows nothing of them; whatever goes wrong makes them tasks as any others.

#include "core/cluster/client_process.hpp"
#include "core/graph/release.hpp"

#include <weft/error.hpp>

#include <algorithm>

namespace weft::cluster {
namespace {

/// What a function took so far, at most: others are placed by the machine.
constexpr float kShortNs = 50'000;

}  // namespace

/// Returns who is handed a call: who had the last one, where it still may have one; kNone: nobody may.
WorkerId ClientProcess::worker_for_call() const {
  const auto may = [&](const ClientWorker& worker) {
    return worker.standing.present && worker.drains_since == 0 && !worker.told_to_end && !worker.told_to_restart &&
           worker.silent_since == 0 && !worker.paused;
  };
  if (call_.worker < members_.workers.size() && may(members_.workers[call_.worker])) return call_.worker;
  const auto found = std::find_if(members_.workers.begin(), members_.workers.end(), may);
  return found == members_.workers.end() ? kNone : found->standing.id;
}

/// Hands the call to a worker if it is one of a function known to be short, with no inputs or readers and a small
/// result, and nothing else is under way. Returns whether it did. The first call of a function goes through the
/// machine.
bool ClientProcess::hand_out(TaskId task) {
  const TaskRecord& record = arena::task(task);
  const std::uint64_t word = record.word.load(std::memory_order_acquire);
  // One that others read already may be kept for them alone, which only a packet does.
  const bool plain = record.input_count == 0 && task_word::edge_of(word) == 0 && (word & task_word::kExtra) == 0 &&
                     site(record.site).type->result->in_record;
  if (!plain) return false;
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock() || call_.task != kNone || outstanding_ != 0 || !coming_.forming.empty() ||
      !coming_.graphs.empty() || !coming_.deferred.empty() || any_pending_.load(std::memory_order_acquire) ||
      closing_.load(std::memory_order_relaxed)) {
    return false;
  }
  const float ns = site_time(task).ns;
  const WorkerId id = worker_for_call();
  if (ns <= 0 || ns > kShortNs || id == kNone || outlasts(task)) return false;
  body_.clear();
  try {
    writer_.write(kHandedPacket, {&task, 1}, false, body_);
  } catch (const std::exception&) {
    return false;  // as any task it says why
  }
  ClientWorker& worker = members_.workers[id];
  call_ = {task, task, call_.number + 1, id, false, false};
  Writer& out = post_.begin(worker.peer, LetterKind::Call);
  write_new_sites(worker, out);
  out.count(call_.number);
  out.bytes(body_.data(), body_.size());
  post_.end(worker.peer);
  post_.flush();
  ++outstanding_;
  busy_.store(true, std::memory_order_relaxed);
  idle_.store(false, std::memory_order_relaxed);
  return true;
}

/// The end of a call that was handed out, if it is still waited for.
void ClientProcess::on_called(WorkerId worker, Reader& reader) {
  const std::uint32_t number = read_small(reader, "call");
  const auto ns = static_cast<float>(reader.count("call") & 0x7fff'ffff'ffff'ffffu);
  if (!holds_call(worker) || call_.number != number) return;
  const TaskId task = call_.task;
  TaskRecord& record = arena::task(task);
  ClientPacket packet;
  packet.single = task;
  packet.tasks = &packet.single;
  packet.count = 1;
  record.link = 0;
  read_outcome(kHandedPacket, packet, reader);
  free_call();
  learn_times(packet, ns);
  tasks_done_.fetch_add(1, std::memory_order_relaxed);
  woken_ = true;
  questions_.owed_changed = true;
  end_task(task);
  if (!keeps_inputs(task)) destroy_closure(record);
  record.join.store(0, std::memory_order_release);
  arena::drop_use(task);
}

/// No call is under way any more; what waited for it may go on.
void ClientProcess::free_call() {
  call_.task = kNone;
  --outstanding_;
  const bool resumes = std::exchange(call_.pauses, false) && !members_.workers[call_.worker].paused;
  if (resumes && members_.workers[call_.worker].standing.present) left_.events.push_back(WorkerResumed{call_.worker});
  try_deferred();
}

/// Makes the call that is under way a task as any others: its worker is lost, or the client is closed.
void ClientProcess::take_back_call() {
  if (call_.task == kNone) return;
  Pending one;
  one.task = call_.task;
  if (members_.workers[call_.worker].standing.present)
    post_.send(members_.workers[call_.worker].peer, LetterKind::Cancel, CancelTask{kHandedPacket, 0});
  free_call();
  coming_.forming.push_front(one);
}

/// Other tasks come while a call is under way: the machine, which does not know of it, deals none of them to a worker
/// whose only slot it has. But for one that waits: it has given its slot away.
void ClientProcess::share_with_call() {
  const ClientWorker& worker = members_.workers[call_.worker];
  const bool pauses = worker.standing.slots == 1 && worker.blocked == 0 && members_.present > 1 && !worker.paused;
  if (pauses == call_.pauses) return;
  call_.pauses = pauses;
  if (pauses) {
    tell(WorkerPaused{call_.worker, false});
  } else if (!worker.paused) {
    tell(WorkerResumed{call_.worker});
  }
}

}  // namespace weft::cluster
