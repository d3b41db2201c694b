#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "core/scheduler/scheduler.hpp"
#include "core/worker/worker.hpp"

namespace weft::testing {

/// Both machines with links between them that keep order but not pace, and an executor that finishes what it may in
/// any order. Losses, duplicates and late answers are injected by the test.
/// Owns: the machines and the messages under way.  Threading: none.
class RandomWorld {
 public:
  struct Limits {
    std::uint32_t workers = 3;
    std::uint32_t slots = 2;
    std::uint64_t budget_bytes = 0;
    double duplicate_share = 0;
    /// Of so many packets one kills its worker, by its third task.
    std::uint32_t one_killer_of = 0;
  };

  RandomWorld(std::uint64_t seed, Limits limits) : random_(seed), limits_(limits) {
    SchedulerOptions options;
    options.queue_packets_most = 8;
    options.narrows = limits.one_killer_of != 0;
    scheduler_ = std::make_unique<Scheduler>(options);
    for (std::uint32_t i = 0; i != limits.workers; ++i) join();
  }

  void join() {
    const auto id = static_cast<WorkerId>(nodes_.size());
    WorkerOptions options;
    options.id = id;
    options.slots = limits_.slots;
    options.budget_bytes = limits_.budget_bytes;
    options.resources = {{0, 1}};
    nodes_.push_back(std::make_unique<Node>(options));
    tell(WorkerJoined{id, limits_.slots, limits_.budget_bytes, options.resources});
  }

  void lose(WorkerId id) {
    nodes_[id]->alive = false;
    nodes_[id]->inbox.clear();
    nodes_[id]->outbox.clear();
    tell(WorkerLost{id, 0, {}});
    for (WorkerId peer = 0; peer != nodes_.size(); ++peer) {
      if (nodes_[peer]->alive) nodes_[peer]->inbox.push_back(PeerLost{id});
    }
  }

  /// Submits a graph of single-task packets with random inputs among the earlier ones.
  void submit(std::uint32_t count) {
    PacketsSubmitted event;
    event.first_packet = next_packet_;
    Needs needs;
    needs.resources = {{0, 1}};
    event.needs.push_back(needs);
    for (std::uint32_t i = 0; i != count; ++i) {
      PacketSpec spec;
      spec.first_task = next_packet_ * 16;
      spec.task_count = 4;
      spec.first_producer = static_cast<std::uint32_t>(event.producers.size());
      std::set<PacketId> inputs;
      const std::uint32_t most = below(4);
      for (std::uint32_t k = 0; k != most && next_packet_ != 0; ++k) {
        const PacketId input = next_packet_ - 1 - below(std::min(next_packet_, 12u));
        if (scheduler_->knows(input) || input >= event.first_packet) inputs.insert(input);
      }
      for (const PacketId input : inputs) event.producers.push_back({input, 1000});
      edges_.emplace_back(inputs.begin(), inputs.end());
      spec.producer_count = static_cast<std::uint32_t>(inputs.size());
      if (inputs.empty()) spec.flags |= packet_flags::kRoots;
      if (below(3) == 0 || i + 1 == count) {
        spec.flags |= packet_flags::kWanted;
        wanted_.insert(next_packet_);
      }
      if (below(10) == 0) spec.needs = 0;
      if (below(10) == 0) spec.priority = static_cast<std::int32_t>(below(3)) - 1;
      spec.expected_ns = below(5) == 0 ? 0 : 1000 + below(3'000'000);
      spec.output_bytes = 1000;
      spec.peak_bytes = 2000;
      if (limits_.one_killer_of != 0 && below(limits_.one_killer_of) == 0) killers_.insert(next_packet_);
      event.packets.push_back(spec);
      ++next_packet_;
    }
    tell(std::move(event));
  }

  void release_some() {
    OutputsReleased event;
    for (const PacketId id : wanted_) {
      if (ended_.count(id) != 0 && below(2) == 0) event.packets.push_back(id);
    }
    for (const PacketId id : event.packets) wanted_.erase(id);
    tell(std::move(event));
  }

  void cancel(PacketId id) { tell(PacketsCancelled{{id}}); }
  void tick() { tell(Tick{}); }

  /// Lets one thing happen; false if nothing can.
  bool step() {
    std::vector<int> choices;
    for (WorkerId id = 0; id != nodes_.size(); ++id) {
      Node& node = *nodes_[id];
      if (!node.alive) continue;
      if (!node.inbox.empty()) choices.push_back(static_cast<int>(id) * 4);
      if (!node.outbox.empty()) choices.push_back(static_cast<int>(id) * 4 + 1);
      if (runnable(id) != kNone) choices.push_back(static_cast<int>(id) * 4 + 2);
    }
    if (choices.empty()) return false;
    const int choice = choices[below(static_cast<std::uint32_t>(choices.size()))];
    const auto id = static_cast<WorkerId>(choice / 4);
    if (choice % 4 == 0) deliver_to_worker(id);
    if (choice % 4 == 1) deliver_to_scheduler(id);
    if (choice % 4 == 2) run_one(id);
    return true;
  }

  [[nodiscard]] const Scheduler& scheduler() const { return *scheduler_; }
  [[nodiscard]] const std::set<PacketId>& wanted() const { return wanted_; }
  [[nodiscard]] PacketId next_packet() const { return next_packet_; }
  [[nodiscard]] const std::map<PacketId, Report>& ended() const { return ended_; }
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_() % bound); }
  [[nodiscard]] std::uint64_t runs() const { return runs_; }
  [[nodiscard]] std::uint64_t kills() const { return kills_; }
  /// The packets of one task that killed as often as is allowed.
  [[nodiscard]] const std::set<PacketId>& judged() const { return judged_; }
  [[nodiscard]] const std::set<PacketId>& killers() const { return killers_; }

  void release_all() {
    OutputsReleased event;
    event.packets.assign(wanted_.begin(), wanted_.end());
    wanted_.clear();
    tell(std::move(event));
  }

  [[nodiscard]] std::uint64_t kept_at_workers() const {
    std::uint64_t sum = 0;
    for (const auto& node : nodes_) sum += node->alive ? node->data.size() : 0;
    return sum;
  }

  [[nodiscard]] std::uint64_t reserved_at_workers() const {
    std::uint64_t sum = 0;
    for (const auto& node : nodes_) sum += node->alive ? node->machine.reserved_bytes() : 0;
    return sum;
  }

 private:
  struct Node {
    explicit Node(const WorkerOptions& options) : machine(options) {}
    Worker machine;
    bool alive = true;
    std::deque<WorkerEventBody> inbox;
    std::deque<SchedulerEventBody> outbox;
    std::map<PacketId, Attempt> active;  // at the executor
    std::set<PacketId> data;             // outputs and copies
    std::set<PacketId> give_up;
  };

  void tell(SchedulerEventBody body) {
    SchedulerActions actions;
    scheduler_->handle({++time_, std::move(body)}, actions);
    scheduler_->check_invariants();
    for (const SchedulerAction& action : actions.list)
      std::visit([&](const auto& it) { perform(it, actions); }, action);
    while (!later_.empty()) {
      SchedulerEventBody next = std::move(later_.front());
      later_.pop_front();
      tell(std::move(next));
    }
  }

  void post(WorkerId worker, WorkerEventBody body) {
    if (worker != kKeeper && nodes_[worker]->alive) nodes_[worker]->inbox.push_back(std::move(body));
  }

  void perform(const Deal& deal, const SchedulerActions& actions) {
    PacketsDealt message;
    scheduler_->describe_deal(deal, actions, message);
    post(deal.worker, std::move(message));
  }
  void perform(const Recall& it, const SchedulerActions&) {
    post(it.worker, RecallAsked{it.packet, it.attempt, it.cancel});
  }
  void perform(const Relocate& it, const SchedulerActions&) {
    post(it.worker, InputRelocated{it.packet, it.attempt, it.source});
  }
  void perform(const Drop& it, const SchedulerActions&) { post(it.worker, DropAsked{it.packet, it.attempt}); }
  void perform(const Replicate& it, const SchedulerActions&) {
    if (it.to != kKeeper) post(it.to, ReplicaAsked{{it.packet, it.from, it.attempt, 1000}});
  }
  void perform(const Report& it, const SchedulerActions&) {
    ended_[it.packet] = it;
    if (it.reason == Reason::KilledWorkers) judged_.insert(it.packet);
    if (it.reason == Reason::KilledWorkers) at_keeper_.insert(it.packet);
  }
  /// Four tasks, of which the last reads the first.
  void perform(const Narrow& it, const SchedulerActions&) {
    const bool is_waiting =
        scheduler_->state(it.packet) == PacketState::Ready || scheduler_->state(it.packet) == PacketState::Waiting;
    if (!is_waiting || below(20) == 0) return later_.push_back(PacketSplit{it.packet, kNone, {}, {}});
    PacketSplit split;
    split.packet = it.packet;
    split.first_part = next_packet_;
    const PacketSpec whole = scheduler_->spec(it.packet);
    for (std::uint32_t i = 0; i != 4; ++i) {
      PacketSpec spec = whole;
      spec.head = kNone;
      spec.needs = kNone;
      spec.first_task = next_packet_ * 16;
      spec.task_count = 1;
      spec.first_producer = static_cast<std::uint32_t>(split.producers.size());
      std::vector<PacketId> inputs = edges_[it.packet];
      if (i == 3) inputs.push_back(split.first_part);
      for (const PacketId input : inputs) split.producers.push_back({input, 1000});
      spec.producer_count = static_cast<std::uint32_t>(inputs.size());
      split.parts.push_back(spec);
      edges_.push_back(std::move(inputs));
      if (whole.has(packet_flags::kWanted)) wanted_.insert(next_packet_);
      ++next_packet_;
    }
    if (killers_.erase(it.packet) != 0) killers_.insert(split.first_part + 2);
    wanted_.erase(it.packet);
    at_keeper_.insert(it.packet);
    later_.push_back(std::move(split));
  }
  void perform(const Refuse&, const SchedulerActions&) {}
  void perform(const Forget& it, const SchedulerActions&) { ended_.erase(it.packet); }

  void deliver_to_worker(WorkerId id) {
    WorkerEventBody body = std::move(nodes_[id]->inbox.front());
    nodes_[id]->inbox.pop_front();
    if (const auto* arrived = std::get_if<InputArrived>(&body)) nodes_[id]->data.insert(arrived->producer);
    tell_worker(id, std::move(body));
  }

  void deliver_to_scheduler(WorkerId id) {
    SchedulerEventBody body = nodes_[id]->outbox.front();
    nodes_[id]->outbox.pop_front();
    const bool twice = static_cast<double>(below(1000)) < limits_.duplicate_share * 1000;
    if (twice) late_.push_back(body);
    tell(std::move(body));
    if (!late_.empty() && below(4) == 0) {
      SchedulerEventBody late = late_.front();
      late_.pop_front();
      tell(std::move(late));
    }
  }

  void tell_worker(WorkerId id, WorkerEventBody body) {
    WorkerActions actions;
    nodes_[id]->machine.handle({++time_, std::move(body)}, actions);
    nodes_[id]->machine.check_invariants();
    for (const WorkerAction& action : actions.list) std::visit([&](const auto& it) { act(id, it); }, action);
  }

  [[nodiscard]] bool can_run(const Node& node, PacketId packet) const {
    return std::all_of(edges_[packet].begin(), edges_[packet].end(),
                       [&](PacketId input) { return node.data.count(input) != 0; });
  }

  [[nodiscard]] PacketId runnable(WorkerId id) {
    const Node& node = *nodes_[id];
    for (const auto& [packet, attempt] : node.active) {
      if (can_run(node, packet)) return packet;
    }
    return kNone;
  }

  void run_one(WorkerId id) {
    Node& node = *nodes_[id];
    std::vector<PacketId> able;
    for (const auto& [packet, attempt] : node.active) {
      if (can_run(node, packet)) able.push_back(packet);
    }
    const PacketId packet = able[below(static_cast<std::uint32_t>(able.size()))];
    // One that the scheduler has taken back already is spared: nobody could tell that it was to blame.
    const bool is_known = scheduler_->knows(packet) && scheduler_->owner(packet) == id &&
                          scheduler_->attempt(packet) == node.active[packet];
    if (killers_.contains(packet) && is_known) {
      ++kills_;
      lose(id);
      return join();
    }
    const Attempt attempt = node.active[packet];
    node.active.erase(packet);
    node.data.insert(packet);
    ++runs_;
    tell_worker(id, PacketDone{packet, attempt, 1000, 5000, 0});
  }

  void act(WorkerId id, const Fetch& it) {
    if (it.owner == kKeeper && at_keeper_.contains(it.producer)) {
      post(id, InputArrived{it.producer, it.attempt, 0});
    } else if (it.owner == kKeeper || !nodes_[it.owner]->alive) {
      post(id, InputFailed{it.producer, it.attempt, it.owner});
    } else {
      post(it.owner, PeerSubscribed{it.producer, it.attempt, id});
    }
  }
  void act(WorkerId id, const Activate& it) { nodes_[id]->active[it.packet] = it.attempt; }
  void act(WorkerId, const HoldRoots&) {}
  void act(WorkerId, const ReleaseRoots&) {}
  void act(WorkerId, const Spill&) {}
  void act(WorkerId id, const Serve& it) {
    if (nodes_[it.peer]->alive) nodes_[it.peer]->inbox.push_back(InputArrived{it.packet, it.attempt, 1000});
    if (nodes_[id]->data.count(it.packet) == 0) broken_ = true;
  }
  void act(WorkerId id, const AnswerNotMine& it) { post(it.peer, InputFailed{it.packet, it.attempt, id}); }
  void act(WorkerId id, const Discard& it) { nodes_[id]->data.erase(it.packet); }
  void act(WorkerId id, const GiveUp& it) {
    Node& node = *nodes_[id];
    const bool gives = node.active.count(it.packet) != 0 && below(2) == 0;
    if (gives) node.active.erase(it.packet);
    node.inbox.push_front(TailGivenUp{it.packet, it.attempt, it.packet * 16 + (gives ? 0u : 4u)});
  }
  void act(WorkerId id, const CancelActive& it) { nodes_[id]->active.erase(it.packet); }
  void act(WorkerId id, const SendFinished& it) { nodes_[id]->outbox.push_back(PacketsFinished{id, {it.finished}}); }
  void act(WorkerId, const SendProgress&) {}
  void act(WorkerId id, const SendFailed& it) {
    nodes_[id]->outbox.push_back(PacketFailed{id, it.packet, it.attempt, it.error, it.reason, it.retriable});
  }
  void act(WorkerId id, const SendReturned& it) {
    nodes_[id]->outbox.push_back(PacketReturned{id, it.packet, it.attempt, it.from_task, kNone});
  }
  void act(WorkerId id, const SendRefused& it) {
    nodes_[id]->outbox.push_back(RecallRefused{id, it.packet, it.attempt});
  }
  void act(WorkerId id, const SendMissing& it) {
    nodes_[id]->outbox.push_back(InputMissing{id, it.packet, it.attempt, it.producer, it.producer_attempt, it.owner});
  }
  void act(WorkerId id, const SendReplicated& it) {
    nodes_[id]->outbox.push_back(Replicated{id, it.packet, it.attempt});
  }
  void act(WorkerId id, const SendPaused& paused) { nodes_[id]->outbox.push_back(WorkerPaused{id, paused.spilling}); }
  void act(WorkerId id, const SendResumed&) { nodes_[id]->outbox.push_back(WorkerResumed{id}); }
  void act(WorkerId, const Stuck&) {}

  std::mt19937_64 random_;
  const Limits limits_;
  std::unique_ptr<Scheduler> scheduler_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<std::vector<PacketId>> edges_;
  std::deque<SchedulerEventBody> late_;
  std::set<PacketId> wanted_;
  std::map<PacketId, Report> ended_;
  std::set<PacketId> killers_;
  std::set<PacketId> judged_;
  std::set<PacketId> at_keeper_;
  std::deque<SchedulerEventBody> later_;
  std::uint64_t kills_ = 0;
  PacketId next_packet_ = 0;
  Nanoseconds time_ = 0;
  std::uint64_t runs_ = 0;

 public:
  bool broken_ = false;
};

}  // namespace weft::testing
