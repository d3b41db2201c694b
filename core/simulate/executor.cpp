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
  if (!numbers_.emplace(packet, number).second) {
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
  unchecked_.push_back(number);
}

PretendedExecutor::Active* PretendedExecutor::find(PacketId packet) {
  const auto found = numbers_.find(packet);
  return found == numbers_.end() ? nullptr : &actives_.at(found->second);
}

PretendedExecutor::Active* PretendedExecutor::find(PacketId packet, Attempt attempt) {
  Active* active = find(packet);
  return active == nullptr || active->attempt != attempt ? nullptr : active;
}

void PretendedExecutor::drop(Active& active) {
  active.dropped = true;
  active.end = active.next;
  const auto found = numbers_.find(active.packet);
  const std::uint64_t number = found->second;
  numbers_.erase(found);
  std::erase(startable_, number);
  if (active.running == 0) actives_.erase(number);
}

void PretendedExecutor::cancel(PacketId packet, Attempt attempt) {
  if (Active* active = find(packet, attempt)) drop(*active);
}

void PretendedExecutor::give_up(PacketId packet, Attempt attempt, bool refuse) {
  Active* active = find(packet, attempt);
  if (active == nullptr) return;  // done in the meantime: PacketDone is the answer
  if (!refuse) active->end = active->next;
  listener_.tell(TailGivenUp{packet, attempt, active->end});
  if (active->end == active->first) {
    left_.insert(packet);
    drop(*active);
  } else if (active->running == 0 && active->done == active->end - active->first) {
    finish(numbers_.at(packet), *active);
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
}

void PretendedExecutor::stop() {
  stopped_ = true;
  actives_.clear();
  numbers_.clear();
  startable_.clear();
  unchecked_.clear();
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

void PretendedExecutor::go_on() {
  if (stopped_) return;
  for (const std::uint64_t number : unchecked_) {
    const auto found = actives_.find(number);
    if (found != actives_.end()) check_inputs(found->second);
  }
  // Slots wake up for what was activated, and find out.
  if (!unchecked_.empty()) idle_told_ = false;
  unchecked_.clear();
  std::size_t read = 0, write = 0;
  for (; read < startable_.size() && free_slots_ > 0; ++read) {
    const std::uint64_t number = startable_[read];
    Active& active = actives_.at(number);
    while (active.next < active.end && active.slots <= free_slots_ && may_start(active, active.next)) {
      start(number, active, active.next++);
      idle_told_ = false;
    }
    if (active.next < active.end) startable_[write++] = number;
  }
  startable_.erase(startable_.begin() + static_cast<std::ptrdiff_t>(write),
                   startable_.begin() + static_cast<std::ptrdiff_t>(read));
  if (free_slots_ == 0 || idle_told_) return;
  idle_told_ = true;
  listener_.tell(SlotsIdle{free_slots_});
}

/// Nothing may be activated before each of its inputs is here, or is about to be made here. Tails that were split off
/// its inputs follow: their place is told when they are dealt.
void PretendedExecutor::check_inputs(const Active& active) {
  const Workload& workload = context_.workload;
  for (std::uint32_t i = workload.first_input[active.first]; i < workload.first_input[active.end]; ++i) {
    const TaskId input = workload.inputs[i];
    const PacketId producer = workload.packet_of[input];
    const bool is_tail = producer >= workload.submitted_packets;
    if (input >= active.first || is_tail || store_.find(producer) != nullptr || find(producer) != nullptr) continue;
    if (left_.contains(producer)) continue;  // the machine may not have heard of it yet
    context_.violate(name("worker", worker_) + " activated " + name("packet", active.packet) + " without " +
                     name("task", input) + " of " + name("packet", workload.packet_of[input]));
    return;
  }
}

const Value* PretendedExecutor::find_value(TaskId input) {
  const PacketId packet = context_.workload.packet_of[input];
  if (const Held* held = store_.find(packet)) {
    const bool is_in = input >= held->first_task && input - held->first_task < held->values.size();
    if (is_in) return &held->values[input - held->first_task];
  }
  const Active* maker = find(packet);
  if (maker == nullptr || input < maker->first || input - maker->first >= maker->values.size()) return nullptr;
  return maker->finished[input - maker->first] ? &maker->values[input - maker->first] : nullptr;
}

bool PretendedExecutor::may_start(const Active& active, TaskId task) {
  const Workload& workload = context_.workload;
  if (workload.is_root(task)) return !hold_roots_ || roots_allowed_ > 0;
  for (std::uint32_t i = workload.first_input[task]; i < workload.first_input[task + 1]; ++i) {
    const TaskId input = workload.inputs[i];
    const bool is_here = input >= active.first ? active.finished[input - active.first] : find_value(input) != nullptr;
    if (!is_here) return false;
  }
  return true;
}

void PretendedExecutor::start(std::uint64_t number, Active& active, TaskId task) {
  const Workload& workload = context_.workload;
  if (workload.is_root(task) && hold_roots_) --roots_allowed_;
  std::uint64_t read_bytes = 0;
  for (std::uint32_t i = workload.first_input[task]; i < workload.first_input[task + 1]; ++i) {
    if (workload.inputs[i] < active.first) read_bytes += store_.touch(workload.packet_of[workload.inputs[i]]);
  }
  if (read_bytes > 0) listener_.memory_changed();
  // A task holds its inputs from its start on, so its value is what they are now.
  active.values[task - active.first] = workload.evaluate(task, [&](TaskId input) {
    return input >= active.first ? active.values[input - active.first] : *find_value(input);
  });
  free_slots_ -= active.slots;
  ++active.running;
  const Nanoseconds now = context_.timeline.now();
  // A byte a nanosecond from disk.
  const auto took = static_cast<Nanoseconds>(static_cast<double>(workload.run_ns[task]) * slowness_) +
                    static_cast<Nanoseconds>(read_bytes);
  if (context_.meter != nullptr) context_.meter->task_started(now);
  context_.timeline.at(now + took, [this, number, task, took] { task_ended(number, task, took); });
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
  idle_told_ = false;
  --active.running;
  active.run_ns += took;
  if (active.dropped) {
    if (active.running == 0) actives_.erase(number);
  } else if (breaks(active, task)) {
    const PacketBroken broken{active.packet, active.attempt, task, true};
    drop(active);
    left_.insert(broken.packet);
    listener_.tell(broken);
  } else {
    keep_value(active, task);
    if (active.done == active.end - active.first && active.running == 0) finish(number, active);
  }
  go_on();
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
  const Value value = active.values[task - active.first];
  active.finished[task - active.first] = true;
  active.kept_bytes += context_.workload.output_bytes[task];
  active.failed += (value & kFailedBit) != 0 ? 1 : 0;
  ++active.done;
}

void PretendedExecutor::finish(std::uint64_t number, Active& active) {
  Held held;
  held.attempt = active.attempt;
  held.first_task = active.first;
  held.values.assign(active.values.begin(), active.values.begin() + (active.end - active.first));
  held.bytes = active.kept_bytes;
  const PacketDone done{active.packet, active.attempt, active.kept_bytes, active.run_ns, active.failed};
  numbers_.erase(active.packet);
  std::erase(startable_, number);
  actives_.erase(number);
  store_.put(done.packet, std::move(held));
  listener_.memory_changed();
  listener_.tell(done);
}

}  // namespace weft::sim
