#include "core/simulate/node.hpp"

#include <string>
#include <utility>
#include <variant>

#include "core/simulate/trace.hpp"
#include "core/simulate/world.hpp"

namespace weft::sim {
namespace {

WorkerOptions machine_options(WorkerId id, const NodeOptions& options) {
  WorkerOptions result;
  result.id = id;
  result.slots = options.slots;
  result.resources = options.resources;
  result.budget_bytes = options.budget_bytes;
  result.active_packets = options.active_packets;
  return result;
}

constexpr double kDiskBytesPerNanosecond = 1;

std::uint64_t key(PacketId packet, Attempt attempt) { return static_cast<std::uint64_t>(packet) << 16 | attempt; }

}  // namespace

Node::Node(World& world, WorkerId id, const NodeOptions& options)
    : world_(world),
      context_(world.context()),
      id_(id),
      options_(options),
      store_(options.disk_bytes),
      machine_(machine_options(id, options)),
      executor_(context_, store_, *this, id, options.slots) {}

void Node::receive(WorkerEventBody body) {
  if (!alive_) return;
  inbox_.push_back(std::move(body));
  if (draining_) return;
  draining_ = true;
  const Nanoseconds now = context_.timeline.now();
  context_.timeline.at(std::max({now, free_at_, frozen_until_}), [this] { drain(); });
}

void Node::tick() {
  const Nanoseconds now = context_.timeline.now();
  if (alive_ && inbox_.empty() && std::max(free_at_, frozen_until_) <= now) handle(Tick{});
}

void Node::drain() {
  while (alive_ && !inbox_.empty()) {
    const Nanoseconds ready = std::max(free_at_, frozen_until_);
    if (ready > context_.timeline.now()) {
      context_.timeline.at(ready, [this] { drain(); });
      return;
    }
    const WorkerEventBody body = std::move(inbox_.front());
    inbox_.pop_front();
    handle(body);
  }
  draining_ = false;
}

void Node::handle(const WorkerEventBody& body) {
  const Nanoseconds now = context_.timeline.now();
  if (context_.trace) trace_event(now, id_, body);
  if (const auto* message = std::get_if<PacketsDealt>(&body)) {
    for (const DealtPacket& dealt : message->packets) {
      dealt_[dealt.packet] = {dealt.attempt, dealt.spec, slots_of(dealt, message->needs)};
    }
  }
  if (const auto* arrived = std::get_if<InputArrived>(&body)) store_arrived(*arrived);
  actions_.clear();
  const Nanoseconds took = stopwatch_.measure([&] { machine_.handle({now, body}, actions_); });
  machine_ns_ += took;
  ++events_;
  free_at_ = now + world_.charge(took);
  if (world_.options().check_invariants) machine_.check_invariants();
  const std::vector<WorkerAction> list = std::move(actions_.list);
  for (const WorkerAction& action : list) {
    if (context_.trace) trace_action(now, id_, action);
    carry(action);
  }
  executor_.go_on();
  flush_finished();
  actions_.list = {};
}

std::uint32_t Node::slots_of(const DealtPacket& dealt, const std::vector<Needs>& needs) const {
  return dealt.spec.needs == kNone ? 1 : std::max(1u, needs[dealt.spec.needs].slots);
}

void Node::memory_changed() {
  if (options_.budget_bytes == 0) return;
  receive(MemoryState{store_.used_bytes() + pressed_bytes_, options_.budget_bytes, store_.spillable_bytes()});
}

void Node::carry(const WorkerAction& action) {
  const auto send = [&](SchedulerEventBody body, PacketId subject) {
    world_.tell_scheduler(id_, std::move(body), subject, free_at_);
  };
  if (const auto* wanted = std::get_if<Fetch>(&action)) {
    fetch(*wanted);
  } else if (const auto* active = std::get_if<Activate>(&action)) {
    activate(*active);
  } else if (std::holds_alternative<HoldRoots>(action)) {
    executor_.hold_roots();
  } else if (const auto* roots = std::get_if<ReleaseRoots>(&action)) {
    executor_.release_roots(roots->count);
  } else if (const auto* excess = std::get_if<Spill>(&action)) {
    spill(excess->bytes);
  } else if (const auto* subscriber = std::get_if<Serve>(&action)) {
    serve(*subscriber);
  } else if (const auto* no = std::get_if<AnswerNotMine>(&action)) {
    if (no->peer != kKeeper) {
      world_.send_to_node(id_, no->peer, InputFailed{no->packet, no->attempt, id_}, no->packet, free_at_);
    }
  } else if (const auto* discard = std::get_if<Discard>(&action)) {
    if (store_.erase(discard->packet, discard->attempt)) memory_changed();
  } else if (const auto* tail = std::get_if<GiveUp>(&action)) {
    executor_.give_up(tail->packet, tail->attempt, world_.random().chance(options_.refuse_share));
  } else if (const auto* cancel = std::get_if<CancelActive>(&action)) {
    executor_.cancel(cancel->packet, cancel->attempt);
  } else if (const auto* done = std::get_if<SendFinished>(&action)) {
    finished_.push_back(done->finished);
  } else if (const auto* progress = std::get_if<SendProgress>(&action)) {
    send(PacketProgress{id_, progress->packet, progress->attempt, progress->first_done, progress->done_count,
                        progress->kept_bytes},
         progress->packet);
  } else if (const auto* failed = std::get_if<SendFailed>(&action)) {
    send(PacketFailed{id_, failed->packet, failed->attempt, failed->error, failed->reason, failed->retriable},
         failed->packet);
  } else if (const auto* returned = std::get_if<SendReturned>(&action)) {
    send(PacketReturned{id_, returned->packet, returned->attempt, returned->from_task, kNone}, returned->packet);
  } else if (const auto* refused = std::get_if<SendRefused>(&action)) {
    send(RecallRefused{id_, refused->packet, refused->attempt}, refused->packet);
  } else if (const auto* missing = std::get_if<SendMissing>(&action)) {
    send(InputMissing{id_, missing->packet, missing->attempt, missing->producer, missing->producer_attempt,
                      missing->owner},
         missing->packet);
  } else if (const auto* replica = std::get_if<SendReplicated>(&action)) {
    send(Replicated{id_, replica->packet, replica->attempt}, replica->packet);
  } else if (const auto* paused = std::get_if<SendPaused>(&action)) {
    paused_ = true;
    send(WorkerPaused{id_, paused->spilling}, kNone);
  } else if (std::holds_alternative<SendResumed>(action)) {
    paused_ = false;
    send(WorkerResumed{id_}, kNone);
  }
  // Stuck goes with SendFailed.
}

void Node::activate(const Activate& activate) {
  const auto found = dealt_.find(activate.packet);
  if (found == dealt_.end() || found->second.attempt != activate.attempt) {
    context_.violate("worker " + std::to_string(id_) + " activated packet " + std::to_string(activate.packet) +
                     " in an attempt that was not dealt");
    return;
  }
  const Dealt dealt = found->second;
  dealt_.erase(found);
  executor_.activate(activate.packet, activate.attempt, dealt.spec, dealt.slots);
}

void Node::flush_finished() {
  if (finished_.empty()) return;
  if (world_.options().network.reorders) {
    for (const FinishedPacket& one : finished_) {
      world_.tell_scheduler(id_, PacketsFinished{id_, {one}}, one.packet, free_at_);
    }
  } else {
    world_.tell_scheduler(id_, PacketsFinished{id_, std::move(finished_)}, kNone, free_at_);
  }
  finished_.clear();
}

void Node::fetch(const Fetch& fetch) {
  asked_[key(fetch.producer, fetch.attempt)] = fetch.bytes;
  if (fetch.owner == kKeeper) {
    world_.ask_keeper(id_, fetch.producer, fetch.attempt, free_at_);
  } else {
    world_.send_to_node(id_, fetch.owner, PeerSubscribed{fetch.producer, fetch.attempt, id_}, fetch.producer, free_at_);
  }
}

void Node::serve(const Serve& serve) {
  const Held* held = store_.find(serve.packet);
  if (held == nullptr) {
    context_.violate("worker " + std::to_string(id_) + " serves packet " + std::to_string(serve.packet) +
                     ", which it does not hold");
    return;
  }
  world_.send_outputs(id_, serve.peer, serve.packet, serve.attempt, *held, free_at_);
}

/// The bytes lie in memory from the moment when the machine hears of them.
void Node::receive_outputs(PacketId packet, Attempt attempt, Held held) {
  if (!alive_) return;
  const auto asked = asked_.find(key(packet, attempt));
  if (asked == asked_.end()) return;  // a duplicate: nobody waits for these bytes
  held.attempt = attempt;
  held.bytes = asked->second;
  asked_.erase(asked);
  const std::uint64_t bytes = held.bytes;
  arrived_[key(packet, attempt)] = std::move(held);
  receive(InputArrived{packet, attempt, bytes});
}

void Node::store_arrived(const InputArrived& event) {
  const auto found = arrived_.find(key(event.producer, event.attempt));
  if (found == arrived_.end()) return;
  if (store_.put_copy(event.producer, std::move(found->second))) memory_changed();
  arrived_.erase(found);
}

void Node::spill(std::uint64_t bytes) {
  const auto delay = static_cast<Nanoseconds>(static_cast<double>(bytes) / kDiskBytesPerNanosecond);
  context_.timeline.at(free_at_ + delay, [this, bytes] {
    if (!alive_) return;
    store_.spill(bytes);
    memory_changed();
  });
}

// ---- Faults ----

void Node::die() {
  alive_ = false;
  executor_.stop();
  inbox_.clear();
  store_.clear();
}

void Node::freeze(Nanoseconds duration) {
  frozen_until_ = std::max(frozen_until_, context_.timeline.now() + duration);
  executor_.freeze_until(frozen_until_);
}

void Node::press_memory(std::uint64_t bytes) {
  pressed_bytes_ = bytes;
  memory_changed();
}

void Node::limit_disk(std::uint64_t bytes) {
  store_.limit_disk(bytes);
  memory_changed();
}

}  // namespace weft::sim
