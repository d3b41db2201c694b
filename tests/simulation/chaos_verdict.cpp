// The second half of ChaosRun: what the client hears, and whether it is right.

#include <algorithm>

#include "core/simulate/check.hpp"
#include "tests/simulation/chaos.hpp"

namespace weft::sim {
namespace {

constexpr Nanoseconds kPatience = 20'000'000'000;
constexpr std::uint64_t kMostSteps = 3'000'000;

std::string packet_name(PacketId packet) { return "packet " + std::to_string(packet); }

}  // namespace

// ---- What the client hears ----

void ChaosRun::reported(const Report& report) {
  Known& known = known_[report.packet];
  if (known.forgotten) violate(packet_name(report.packet) + " is reported after it was forgotten");
  if (report.state == PacketState::InMemory) {
    if (known.failed) violate(packet_name(report.packet) + " is reported in memory after it failed");
    // A worker may have died since, which the scheduler will hear.
    if (report.worker == kKeeper || world_->is_present(report.worker)) {
      check_outputs(*world_, report.packet, report.attempt, report.worker);
    }
    return;
  }
  if (report.state != PacketState::Failed) {
    violate(packet_name(report.packet) + " is reported as " + to_string(report.state));
    return;
  }
  if (known.failed) violate(packet_name(report.packet) + " is reported failed twice");
  known.failed = true;
  failed_.insert(report.packet);
  ++tally_.failed[static_cast<int>(report.reason)];
  if (!is_explained(report)) {
    violate(packet_name(report.packet) + " failed without cause: " + to_string(report.reason) +
            (report.cause == kNone ? std::string() : ", begun by " + packet_name(report.cause)));
  }
}

/// Each failure has a cause that the plan put there.
bool ChaosRun::is_explained(const Report& report) const {
  const PacketId packet = report.packet;
  switch (report.reason) {
    case Reason::TaskFailed:
      return breaks(packet);
    case Reason::InputFailed:
      return report.cause != packet && known_[report.cause].failed && depends_on(packet, {report.cause});
    case Reason::Cancelled:
      return cancelled_.contains(packet) || depends_on(packet, cancelled_);
    case Reason::KilledWorkers:
      return known_[packet].kills >= world_->options().scheduler.kills_to_fail;
    case Reason::Unrecoverable:
      // Its outputs, or those of a reader for which it would have to run again, were lost.
      return losses_told_ > 0 && (context_.workload.packets[packet].flags & packet_flags::kRetriable) == 0;
    case Reason::None:
    case Reason::NoSuchResource:
    case Reason::NotEnoughSlots:
    case Reason::NoAllowedWorker:
    case Reason::TooLarge:
    case Reason::MemoryFull:
      return false;
  }
  return false;
}

bool ChaosRun::breaks(PacketId packet) const {
  const PlannedPacket& planned = context_.workload.packets[packet];
  const auto begin = context_.workload.fates.begin() + planned.first_task;
  return std::find(begin, begin + planned.task_count, Fate::Breaks) != begin + planned.task_count;
}

/// Who reads a packet reads each tail that was split off it, and a tail reads what it was split off. A packet keeps the
/// inputs of the tasks that went to its tails.
bool ChaosRun::depends_on(PacketId packet, const std::set<PacketId>& given) const {
  const Workload& workload = context_.workload;
  std::set<PacketId> origins = given;
  for (PacketId origin : given) {
    for (; known_[origin].head != kNone; origin = known_[origin].head) origins.insert(known_[origin].head);
  }
  std::set<PacketId> seen{packet};
  std::vector<PacketId> open{packet};
  while (!open.empty()) {
    const PacketId reader = open.back();
    const PlannedPacket planned = workload.packets[reader];
    open.pop_back();
    const PacketId head = known_[reader].head;
    if (head != kNone && seen.insert(head).second) {
      if (given.contains(head)) return true;
      open.push_back(head);
    }
    TaskId end = planned.first_task + planned.task_count;
    // Tails follow in the order of their tasks.
    for (bool grows = true; grows && end < workload.task_count();) {
      const PacketId next = workload.packet_of[end];
      grows = known_[next].head != kNone;
      if (grows) end = workload.packets[next].first_task + workload.packets[next].task_count;
    }
    for (std::uint32_t i = workload.first_input[planned.first_task]; i < workload.first_input[end]; ++i) {
      const PacketId producer = workload.packet_of[workload.inputs[i]];
      if (!seen.insert(producer).second) continue;
      if (origins.contains(producer)) return true;
      open.push_back(producer);
    }
  }
  return false;
}

/// It must be true; then the client gives it a while, and cancels it.
void ChaosRun::refused(const Refuse& refuse) {
  ++tally_.refusals;
  const PacketId packet = refuse.packet;
  ++pending_plans_;
  context_.timeline.beside_at(context_.timeline.now() + 150'000'000, [this, packet] {
    --pending_plans_;
    if (!world_->scheduler().knows(packet) || known_[packet].failed) return;
    const PacketState state = world_->scheduler().state(packet);
    if (state != PacketState::Ready && state != PacketState::Waiting) return;
    cancelled_.insert(packet);
    world_->cancel({packet});
  });
}

void ChaosRun::forgotten(PacketId packet) {
  Known& known = known_[packet];
  if (known.forgotten) violate(packet_name(packet) + " is forgotten twice");
  known.forgotten = true;
  if (known.wanted && !known.released) violate(packet_name(packet) + " is forgotten while it is wanted");
}

void ChaosRun::split(PacketId packet, PacketId tail) {
  ++tally_.splits;
  known_.resize(context_.workload.packets.size());
  known_[tail].submitted = true;
  known_[tail].head = packet;
  known_[tail].wanted = known_[packet].wanted;
  known_[tail].kills = known_[packet].kills;
  // A tail of what was released or cancelled in the meantime shares its lot.
  const bool is_held =
      context_.workload.last_reader[packet] != kNone && context_.workload.last_reader[packet] >= submitted_end_;
  known_[tail].released = known_[packet].released;
  if (known_[packet].released || (!known_[packet].wanted && !is_held)) world_->release({tail});
  if (cancelled_.contains(packet)) {
    cancelled_.insert(tail);
    world_->cancel({tail});
  }
}

void ChaosRun::losing(const WorkerLost& lost) {
  ++losses_told_;
  const Scheduler& scheduler = world_->scheduler();
  for (PacketId packet = 0; packet < known_.size(); ++packet) {
    if (!scheduler.knows(packet) || scheduler.owner(packet) != lost.worker) continue;
    const bool accused =
        lost.suspects.empty() || std::find(lost.suspects.begin(), lost.suspects.end(), packet) != lost.suspects.end();
    if (scheduler.state(packet) == PacketState::Running && accused) ++known_[packet].kills;
  }
}

// ---- The course ----

bool ChaosRun::is_settled() const {
  if (pending_plans_ != 0 && !over_) {
    // Faults that are still to come make it harder, so they are waited for; what they do is part of the run.
    return false;
  }
  const Scheduler& scheduler = world_->scheduler();
  for (PacketId packet = 0; packet < known_.size(); ++packet) {
    const Known& known = known_[packet];
    if (!known.submitted) return false;
    if (!known.wanted || known.released) continue;
    if (!scheduler.knows(packet)) return true;  // check_results says so
    const PacketState state = scheduler.state(packet);
    if (state != PacketState::InMemory && state != PacketState::Failed) return false;
  }
  return true;
}

void ChaosRun::run_until_settled() {
  Timeline& timeline = context_.timeline;
  Nanoseconds busy_at = 0;
  while (context_.violations.empty()) {
    if (timeline.under_way() == 0 && is_settled()) return;
    if (timeline.under_way() > 1 || pending_plans_ > 0) busy_at = timeline.now();
    timeline.step();
    if (timeline.now() > busy_at + kPatience) {
      violate("nothing happens any more: " + stuck_packets());
    } else if (timeline.done_count() > kMostSteps) {
      violate("it never ends: " + stuck_packets());
    }
  }
}

void ChaosRun::run_until_quiet(Nanoseconds duration) {
  Timeline& timeline = context_.timeline;
  const Nanoseconds end = timeline.now() + duration;
  while (context_.violations.empty() && (timeline.now() < end || timeline.under_way() > 0)) {
    timeline.step();
    if (timeline.now() > end + kPatience) violate("it does not come to rest after all was released");
  }
}

std::string ChaosRun::stuck_packets() const {
  std::string text;
  int listed = 0;
  const Scheduler& scheduler = world_->scheduler();
  for (PacketId packet = 0; packet < known_.size() && listed < 12; ++packet) {
    if (!scheduler.knows(packet)) continue;
    const PacketState state = scheduler.state(packet);
    if (state == PacketState::InMemory || state == PacketState::Failed || state == PacketState::Released) continue;
    const WorkerId owner = scheduler.owner(packet);
    text += (listed++ == 0 ? "" : ", ") + packet_name(packet) + "." + std::to_string(scheduler.attempt(packet)) + " " +
            to_string(state);
    if (owner == kNone) continue;
    text += " at " + std::to_string(owner);
    if (!world_->is_present(owner)) {
      text += " (gone)";
    } else if (!world_->node(owner).machine().knows(packet)) {
      text += " (which does not know it)";
    } else {
      text += std::string(" (") + to_string(world_->node(owner).machine().state(packet)) + " there)";
    }
  }
  return text;
}

void ChaosRun::check_results() {
  if (!context_.violations.empty()) return;
  const Scheduler& scheduler = world_->scheduler();
  for (PacketId packet = 0; packet < known_.size(); ++packet) {
    const Known& known = known_[packet];
    if (!known.wanted || known.released) continue;
    if (!scheduler.knows(packet)) {
      violate(packet_name(packet) + " is wanted but not known any more");
    } else if (scheduler.state(packet) == PacketState::InMemory) {
      check_outputs(*world_, packet, scheduler.attempt(packet), scheduler.owner(packet));
    } else if (!known.failed) {
      violate(packet_name(packet) + " failed and the client was not told");
    }
  }
}

void ChaosRun::release_all() {
  over_ = true;
  std::vector<PacketId> packets;
  for (PacketId packet = 0; packet < known_.size(); ++packet) {
    if (!known_[packet].wanted || known_[packet].released) continue;
    known_[packet].released = true;
    packets.push_back(packet);
  }
  world_->release(std::move(packets));
  run_until_quiet(1'000'000'000);
  if (!context_.violations.empty()) return;
  for (PacketId packet = 0; packet < known_.size(); ++packet) {
    if (!known_[packet].forgotten) violate(packet_name(packet) + " is never forgotten");
  }
  tally_.packets = known_.size();
  tally_.messages = world_->message_count();
  for (WorkerId worker = 0; worker < world_->node_count(); ++worker) {
    if (world_->is_present(worker)) tally_.spilled_bytes += world_->node(worker).store().spilled_bytes();
  }
}

}  // namespace weft::sim
