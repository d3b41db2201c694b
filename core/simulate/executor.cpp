#include "core/simulate/executor.hpp"

#include <algorithm>
#include <string>

namespace weft::sim {
namespace {

std::string name(const char* what, std::uint32_t id) { return std::string(what) + " " + std::to_string(id); }

}  // namespace

PretendedExecutor::PretendedExecutor(Context& context, Store& store, ExecutorListener& listener, WorkerId worker,
                                     std::uint32_t slots)
    : context_(context), store_(store), listener_(listener), worker_(worker), free_slots_(slots) {}

void PretendedExecutor::activate(PacketId packet, Attempt attempt, const PacketSpec& spec, std::uint32_t slots) {
  const std::uint64_t number = next_number_++;
  if (!numbers_.emplace(key(packet, attempt), number).second) {
    context_.violate(name("worker", worker_) + " activated " + name("packet", packet) + " twice");
    return;
  }
  Active& active = actives_[number];
  active.packet = packet;
  active.attempt = attempt;
  active.slots = slots;
  active.first = active.next = spec.first_task;
  active.end = spec.first_task + spec.task_count;
  active.values.resize(spec.task_count);
  active.finished.resize(spec.task_count);
  startable_.push_back(number);
  start_tasks();
}

PretendedExecutor::Active* PretendedExecutor::find(PacketId packet, Attempt attempt) {
  const auto found = numbers_.find(key(packet, attempt));
  return found == numbers_.end() ? nullptr : &actives_.at(found->second);
}

void PretendedExecutor::drop(Active& active) {
  active.dropped = true;
  active.end = active.next;
  const auto found = numbers_.find(key(active.packet, active.attempt));
  const std::uint64_t number = found->second;
  numbers_.erase(found);
  std::erase(startable_, number);
  if (active.running == 0) actives_.erase(number);
}

void PretendedExecutor::cancel(PacketId packet, Attempt attempt) {
  if (Active* active = find(packet, attempt)) drop(*active);
  start_tasks();
}

void PretendedExecutor::give_up(PacketId packet, Attempt attempt, bool refuse) {
  Active* active = find(packet, attempt);
  if (active == nullptr) return;  // done in the meantime: PacketDone is the answer
  if (!refuse) {
    active->end = active->next;
    context_.timeline.at(context_.timeline.now(), [this] { start_tasks(); });
  }
  listener_.tell(TailGivenUp{packet, attempt, active->end});
  if (active->end == active->first) {
    drop(*active);
  } else if (active->running == 0 && active->done == active->end - active->first) {
    finish(numbers_.at(key(packet, attempt)), *active);
  }
}

void PretendedExecutor::hold_roots() {
  hold_roots_ = true;
  roots_allowed_ = 0;
}

void PretendedExecutor::release_roots(std::uint32_t count) {
  if (count == kNone) {
    hold_roots_ = false;
  } else {
    roots_allowed_ += count;
  }
  start_tasks();
}

void PretendedExecutor::stop() {
  stopped_ = true;
  actives_.clear();
  numbers_.clear();
  startable_.clear();
}

std::vector<PacketId> PretendedExecutor::running_packets() const {
  std::vector<PacketId> packets;
  for (const auto& [unused, number] : numbers_) {
    const Active& active = actives_.at(number);
    if (active.next > active.first) packets.push_back(active.packet);
  }
  std::sort(packets.begin(), packets.end());
  return packets;
}

void PretendedExecutor::start_tasks() {
  if (stopped_) return;
  std::size_t read = 0, write = 0;
  for (; read < startable_.size() && free_slots_ > 0; ++read) {
    const std::uint64_t number = startable_[read];
    Active& active = actives_.at(number);
    while (active.next < active.end && active.slots <= free_slots_ && may_start(active, active.next)) {
      start(number, active, active.next++);
    }
    if (active.next < active.end) startable_[write++] = number;
  }
  startable_.erase(startable_.begin() + static_cast<std::ptrdiff_t>(write),
                   startable_.begin() + static_cast<std::ptrdiff_t>(read));
  if (free_slots_ > 0) listener_.tell(SlotsIdle{free_slots_});
}

bool PretendedExecutor::may_start(const Active& active, TaskId task) const {
  const Workload& workload = context_.workload;
  if (workload.is_root(task)) return !hold_roots_ || roots_allowed_ > 0;
  for (std::uint32_t i = workload.first_input[task]; i < workload.first_input[task + 1]; ++i) {
    const TaskId input = workload.inputs[i];
    if (input >= active.first && !active.finished[input - active.first]) return false;
  }
  return true;
}

void PretendedExecutor::start(std::uint64_t number, Active& active, TaskId task) {
  const Workload& workload = context_.workload;
  if (workload.is_root(task) && hold_roots_) --roots_allowed_;
  std::uint64_t read_bytes = 0;
  for (std::uint32_t i = workload.first_input[task]; i < workload.first_input[task + 1]; ++i) {
    const TaskId input = workload.inputs[i];
    static_cast<void>(value_for(active, task, input));
    if (input < active.first) read_bytes += store_.touch(workload.packet_of[input]);
  }
  if (read_bytes > 0) listener_.memory_changed();
  free_slots_ -= active.slots;
  ++active.running;
  const Nanoseconds now = context_.timeline.now();
  // A byte a nanosecond from disk.
  const auto took = static_cast<Nanoseconds>(static_cast<double>(workload.run_ns[task]) * slowness_) +
                    static_cast<Nanoseconds>(read_bytes);
  if (context_.meter != nullptr) context_.meter->task_started(now);
  context_.timeline.at(now + took, [this, number, task, took] { task_ended(number, task, took); });
}

Value PretendedExecutor::value_for(const Active& active, TaskId consumer, TaskId input) {
  if (input >= active.first) return active.values[input - active.first];
  const PacketId packet = context_.workload.packet_of[input];
  const Held* held = store_.find_any(packet);
  if (held == nullptr || input < held->first_task || input - held->first_task >= held->values.size()) {
    context_.violate(name("task", consumer) + " of " + name("packet", active.packet) + " runs at " +
                     name("worker", worker_) + " without " + name("task", input) + " of " + name("packet", packet));
    return 0;
  }
  return held->values[input - held->first_task];
}

void PretendedExecutor::task_ended(std::uint64_t number, TaskId task, Nanoseconds took) {
  if (stopped_) return;
  const Nanoseconds now = context_.timeline.now();
  if (now < frozen_until_) {
    context_.timeline.at(frozen_until_, [this, number, task, took] { task_ended(number, task, took); });
    return;
  }
  if (context_.meter != nullptr) context_.meter->task_finished(task, now);
  Active& active = actives_.at(number);
  free_slots_ += active.slots;
  --active.running;
  active.run_ns += took;
  if (active.dropped) {
    if (active.running == 0) actives_.erase(number);
  } else if (breaks(active, task)) {
    const bool retriable = true;
    const PacketBroken broken{active.packet, active.attempt, task, retriable};
    drop(active);
    listener_.tell(broken);
  } else {
    keep_value(active, task);
    if (active.done == active.end - active.first && active.running == 0) finish(number, active);
  }
  start_tasks();
}

bool PretendedExecutor::breaks(const Active& active, TaskId task) {
  const Fate fate = context_.workload.fates[task];
  if (fate == Fate::Breaks) return true;
  if (fate != Fate::Flaky) return false;
  // A packet that was split may have another flaky task: the retries are the packet's.
  const std::uint8_t retries = context_.workload.packets[active.packet].max_retries;
  return context_.broken[task]++ < retries;
}

void PretendedExecutor::keep_value(Active& active, TaskId task) {
  const Value value = context_.workload.evaluate(task, [&](TaskId input) { return value_for(active, task, input); });
  active.values[task - active.first] = value;
  active.finished[task - active.first] = true;
  active.kept_bytes += context_.workload.output_bytes[task];
  active.failed += (value & kFailedBit) != 0 ? 1 : 0;
  ++active.done;
}

void PretendedExecutor::finish(std::uint64_t number, Active& active) {
  Held held;
  held.first_task = active.first;
  held.values.assign(active.values.begin(), active.values.begin() + (active.end - active.first));
  held.bytes = active.kept_bytes;
  const PacketDone done{active.packet, active.attempt, active.kept_bytes, active.run_ns, active.failed};
  numbers_.erase(key(active.packet, active.attempt));
  std::erase(startable_, number);
  actives_.erase(number);
  store_.put(done.packet, done.attempt, std::move(held));
  listener_.memory_changed();
  listener_.tell(done);
}

}  // namespace weft::sim
