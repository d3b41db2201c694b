#include "core/simulate/world.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "core/simulate/trace.hpp"

namespace weft::sim {

void Context::violate(const std::string& sentence) {
  if (violations.size() >= kMostViolations) return;
  violations.push_back("at " + std::to_string(timeline.now()) + " ns: " + sentence);
  if (trace) trace_line(timeline.now(), ("VIOLATION " + sentence).c_str());
}

World::World(Context& context, const WorldOptions& options, WorldListener& client)
    : context_(context), options_(options), client_(client), random_(options.seed), scheduler_(options.scheduler) {
  tick();
  tick_nodes();
}

// ---- What a client does ----

void World::submit(PacketId first, PacketId end) {
  scheduler_receives(kHeadquarters, context_.workload.submission(first, end));
  std::vector<PacketId> held = context_.workload.held_until(first, end);
  if (!held.empty()) release(std::move(held));
}

void World::release(std::vector<PacketId> packets) {
  scheduler_receives(kHeadquarters, OutputsReleased{std::move(packets)});
}

void World::cancel(std::vector<PacketId> packets) {
  scheduler_receives(kHeadquarters, PacketsCancelled{std::move(packets)});
}

void World::replicate(std::vector<PacketId> packets, std::uint32_t copies) {
  scheduler_receives(kHeadquarters, ReplicasWanted{std::move(packets), copies});
}

// ---- What happens to workers ----

WorkerId World::add_worker(const NodeOptions& options) {
  const WorkerId id = node_count();
  nodes_.push_back(std::make_unique<Node>(*this, id, options));
  gone_since_.push_back(-1);
  scheduler_receives(kHeadquarters, WorkerJoined{id, options.slots, options.budget_bytes, options.resources});
  return id;
}

void World::lose_worker(WorkerId worker, bool with_notice) {
  Node& lost = node(worker);
  if (!lost.alive()) return;
  WorkerLost event{worker, 9, {}};
  if (with_notice) event.suspects = lost.executor().running_packets();
  lost.die();
  const Nanoseconds noticed = context_.timeline.now() + options_.detection_ns;
  context_.timeline.at(noticed, [this, event] {
    gone_since_[event.worker] = context_.timeline.now();
    scheduler_receives(kHeadquarters, event);
  });
  for (const auto& other : nodes_) {
    if (!other->alive()) continue;
    const Nanoseconds told = noticed + static_cast<Nanoseconds>(random_.below(2 * options_.network.latency_ns + 1));
    context_.timeline.at(told, [&to = *other, worker] { to.receive(PeerLost{worker}); });
  }
}

void World::drain_worker(WorkerId worker) { scheduler_receives(kHeadquarters, WorkerDraining{worker}); }

const Held* World::outputs_at(WorkerId place, PacketId packet, Attempt attempt) const {
  const Held* held = place == kKeeper    ? keeper_.find(packet)
                     : is_present(place) ? node(place).store().find(packet)
                                         : nullptr;
  return held != nullptr && held->attempt == attempt ? held : nullptr;
}

bool World::is_right(PacketId packet, const Held& held) const {
  const PlannedPacket& planned = context_.workload.packets[packet];
  if (held.first_task != planned.first_task || held.values.size() != planned.task_count) return false;
  return std::equal(held.values.begin(), held.values.end(), context_.expected.begin() + planned.first_task);
}

// ---- The network ----

Nanoseconds World::arrival(WorkerId from, WorkerId to, std::uint64_t bytes, std::uint32_t subject, Nanoseconds depart) {
  const NetworkOptions& network = options_.network;
  Nanoseconds sent = depart;
  if (bytes > network.message_bytes) {  // large ones wait for the sender's line, small ones slip between
    Nanoseconds& free_at = line_free_at_[from];
    sent = std::max(free_at, depart) +
           static_cast<Nanoseconds>(static_cast<double>(bytes) / network.bytes_per_second * 1e9);
    free_at = sent;
  }
  Nanoseconds at = sent + network.latency_ns;
  if (network.late_share == 0 && !network.reorders) return at;
  if (random_.chance(network.late_share))
    at += static_cast<Nanoseconds>(random_.below(static_cast<std::uint64_t>(network.late_ns)));
  // Without reordering one link is one subject.
  Nanoseconds& last = last_at_[{from, to, network.reorders ? subject : 0}];
  at = std::max(at, last + 1);
  last = at;
  return at;
}

void World::send(WorkerId from, WorkerId to, std::uint64_t bytes, std::uint32_t subject, Nanoseconds depart,
                 Timeline::Thing deliver) {
  ++messages_;
  sent_bytes_ += bytes;
  const Nanoseconds at = arrival(from, to, bytes, subject, std::max(depart, context_.timeline.now()));
  if (random_.chance(options_.network.duplicate_share)) {
    const Nanoseconds again = arrival(from, to, 0, subject, at);
    context_.timeline.at(again, deliver);
  }
  context_.timeline.at(at, std::move(deliver));
}

void World::tell_scheduler(WorkerId from, SchedulerEventBody body, std::uint32_t subject, Nanoseconds depart) {
  send(from, kHeadquarters, options_.network.message_bytes, subject, depart,
       [this, from, body = std::move(body)]() mutable { scheduler_receives(from, std::move(body)); });
}

void World::send_to_node(WorkerId from, WorkerId to, WorkerEventBody body, std::uint32_t subject, Nanoseconds depart) {
  send(from, to, options_.network.message_bytes, subject, depart, [this, from, to, body = std::move(body)]() mutable {
    if (is_present(to)) {
      node(to).receive(std::move(body));
      return;
    }
    // A closed connection tells who asked for data.
    const auto* asked = std::get_if<PeerSubscribed>(&body);
    if (asked == nullptr || !is_present(from)) return;
    const InputFailed failed{asked->packet, asked->attempt, to};
    send(to, from, options_.network.message_bytes, asked->packet, context_.timeline.now(), [this, from, failed] {
      if (is_present(from)) node(from).receive(failed);
    });
  });
}

void World::ask_keeper(WorkerId from, PacketId packet, Attempt attempt, Nanoseconds depart) {
  send(from, kHeadquarters, options_.network.message_bytes, packet, depart, [this, from, packet, attempt] {
    const Nanoseconds now = context_.timeline.now();
    const Held* held = outputs_at(kKeeper, packet, attempt);
    if (held != nullptr) {
      send_outputs(kHeadquarters, from, packet, attempt, *held, now);
    } else {
      send_to_node(kHeadquarters, from, InputFailed{packet, attempt, kKeeper}, packet, now);
    }
  });
}

void World::send_outputs(WorkerId from, WorkerId to, PacketId packet, Attempt attempt, const Held& held,
                         Nanoseconds depart) {
  send(from, to, std::max(held.bytes, options_.network.message_bytes), packet, depart,
       [this, to, packet, attempt, held] {
         if (to != kKeeper) {
           if (is_present(to)) node(to).receive_outputs(packet, attempt, held);
           return;
         }
         Held copy = held;
         copy.attempt = attempt;
         // An old one that comes late does not take the place of a newer one, but is told of.
         const Held* before = keeper_.find(packet);
         if (before != nullptr && before->attempt == attempt) return;
         keeper_.put_copy(packet, std::move(copy));
         scheduler_receives(kHeadquarters, Replicated{kKeeper, packet, attempt});
       });
}

// ---- The scheduler's process ----

void World::scheduler_receives(WorkerId from, SchedulerEventBody body) {
  if (from != kHeadquarters && gone_since_[from] >= 0 &&
      context_.timeline.now() > gone_since_[from] + options_.network.ghost_ns) {
    return;  // fenced
  }
  inbox_.push_back(std::move(body));
  if (draining_) return;
  draining_ = true;
  context_.timeline.at(std::max(free_at_, context_.timeline.now()), [this] { drain_scheduler(); });
}

void World::drain_scheduler() {
  while (!inbox_.empty()) {
    if (free_at_ > context_.timeline.now()) {
      context_.timeline.at(free_at_, [this] { drain_scheduler(); });
      return;
    }
    SchedulerEventBody body = std::move(inbox_.front());
    inbox_.pop_front();
    handle(std::move(body));
  }
  draining_ = false;
}

void World::handle(SchedulerEventBody body) {
  const Nanoseconds now = context_.timeline.now();
  PacketReturned* returned = std::get_if<PacketReturned>(&body);
  const bool splits = returned != nullptr && scheduler_.knows(returned->packet) &&
                      returned->from_task > context_.workload.packets[returned->packet].first_task;
  if (splits) returned->tail = static_cast<PacketId>(context_.workload.packets.size());
  if (const auto* lost = std::get_if<WorkerLost>(&body)) client_.losing(*lost);
  if (context_.trace) trace_event(now, body);

  const SchedulerEvent event{now, std::move(body)};
  if (options_.tape != nullptr) options_.tape->add(event);
  const auto decide = [&] {
    scheduler_.handle(event, actions_);
    for (const SchedulerAction& action : actions_.list) {
      if (const auto* deal = std::get_if<Deal>(&action)) scheduler_.describe_deal(*deal, actions_, described_);
    }
  };
  const bool is_long =
      std::holds_alternative<PacketsSubmitted>(event.body) || std::holds_alternative<WorkerLost>(event.body);
  const Nanoseconds took = is_long ? stopwatch_.measure_long(decide) : stopwatch_.measure(decide);
  scheduler_ns_ += took;
  ++scheduler_events_;
  scheduler_actions_ += actions_.list.size();
  free_at_ = now + charge(took);
  if (options_.check_invariants) scheduler_.check_invariants();

  if (splits) {
    const auto& tail = std::get<PacketReturned>(event.body);
    if (scheduler_.knows(tail.tail)) {
      context_.workload.split(tail.packet, tail.from_task);
      client_.split(tail.packet, tail.tail);
    }
  }
  carry_all();
}

/// Deals to one worker are one message, but none overtakes another action, nor is overtaken.
void World::carry_all() {
  std::size_t deal_count = 0;
  for (const SchedulerAction& action : actions_.list) {
    if (context_.trace) trace_action(context_.timeline.now(), action);
    if (const auto* deal = std::get_if<Deal>(&action)) {
      add_deal(deal->worker, described_.packets[deal_count++]);
    } else {
      carry(action);
    }
  }
  for (auto& [worker, message] : deals_) send_deals(worker, message);
  deals_.clear();
  actions_.clear();
  described_.packets.clear();
  described_.inputs.clear();
  described_.needs.clear();
}

void World::add_deal(WorkerId worker, DealtPacket dealt) {
  PacketsDealt& message = deals_[worker];
  const auto first = described_.inputs.begin() + dealt.first_input;
  dealt.first_input = static_cast<std::uint32_t>(message.inputs.size());
  message.inputs.insert(message.inputs.end(), first, first + dealt.input_count);
  message.needs = described_.needs;
  message.packets.push_back(dealt);
  if (!options_.network.reorders) return;
  send_to_node(kHeadquarters, worker, std::move(message), dealt.packet, free_at_);
  deals_.erase(worker);
}

void World::send_deals(WorkerId worker, PacketsDealt& message) {
  send_to_node(kHeadquarters, worker, std::move(message), kNone, free_at_);
}

void World::flush_deals(WorkerId worker) {
  const auto found = deals_.find(worker);
  if (found == deals_.end()) return;
  send_deals(worker, found->second);
  deals_.erase(found);
}

void World::carry(const SchedulerAction& action) {
  if (const auto* recall = std::get_if<Recall>(&action)) {
    flush_deals(recall->worker);
    send_to_node(kHeadquarters, recall->worker, RecallAsked{recall->packet, recall->attempt, recall->cancel},
                 recall->packet, free_at_);
  } else if (const auto* moved = std::get_if<Relocate>(&action)) {
    flush_deals(moved->worker);
    send_to_node(kHeadquarters, moved->worker, InputRelocated{moved->packet, moved->attempt, moved->source},
                 moved->packet, free_at_);
  } else if (const auto* drop = std::get_if<Drop>(&action)) {
    if (drop->worker == kKeeper) {
      keeper_.erase(drop->packet, drop->attempt);
    } else {
      flush_deals(drop->worker);
      send_to_node(kHeadquarters, drop->worker, DropAsked{drop->packet, drop->attempt}, drop->packet, free_at_);
    }
  } else if (const auto* copy = std::get_if<Replicate>(&action)) {
    replicate(*copy);
  } else if (const auto* report = std::get_if<Report>(&action)) {
    client_.reported(*report);
  } else if (const auto* refuse = std::get_if<Refuse>(&action)) {
    client_.refused(*refuse);
  } else if (const auto* forget = std::get_if<Forget>(&action)) {
    client_.forgotten(forget->packet);
  }
}

void World::replicate(const Replicate& action) {
  if (action.to == kKeeper) {
    send_to_node(kHeadquarters, action.from, PeerSubscribed{action.packet, action.attempt, kKeeper}, action.packet,
                 free_at_);
  } else {
    const InputSource source{action.packet, action.from, action.attempt, context_.workload.bytes_of(action.packet)};
    flush_deals(action.to);
    send_to_node(kHeadquarters, action.to, ReplicaAsked{source}, action.packet, free_at_);
  }
}

void World::tick() {
  if (!ticking_) return;
  scheduler_receives(kHeadquarters, Tick{});
  context_.timeline.beside_at(context_.timeline.now() + options_.tick_ns, [this] { tick(); });
}

void World::tick_nodes() {
  for (const auto& one : nodes_) one->tick();
  if (ticking_) context_.timeline.beside_at(context_.timeline.now() + options_.node_tick_ns, [this] { tick_nodes(); });
}

}  // namespace weft::sim
