#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "core/messages/transitions.hpp"
#include "core/policies/placement.hpp"
#include "core/policies/queue_depth.hpp"
#include "core/scheduler/packets.hpp"
#include "core/scheduler/ready_queue.hpp"
#include "core/scheduler/scheduler.hpp"
#include "core/scheduler/workers.hpp"

namespace weft {

/// The scheduler's tables and the steps that its events are made of.
/// Owns: everything the machine knows.  Threading: none.
///
/// Invariants between events (check_invariants()):
/// 1. An edge is open exactly if its consumer is unfinished (Waiting, Ready, Running); `open` of a packet is the number
/// of
///    its open edges. So a duplicate answer can not release an output: a consumer is in that set or it is not.
/// 2. `waiting` of an unfinished packet is the number of its inputs that are neither Running nor InMemory.
///    Waiting packets have some, Ready ones none. Running ones may: then an input was lost and is on its way again.
/// 3. A Ready packet is in the queue of its class, or parked because no present worker can run it.
/// 4. A Running packet is in its worker's queue; a worker's sums are the sums over that queue and over what it keeps.
/// 5. A packet that nobody needs is not unfinished and not InMemory; one that nobody can ask for again is forgotten.
struct SchedulerState {
  using PacketRecord = machine::PacketRecord;

  explicit SchedulerState(SchedulerOptions given);

  // ---- Events ----
  void on(const WorkerJoined& event);
  void on(const WorkerLost& event);
  void on(const WorkerDraining& event);
  void on(const WorkerPaused& event);
  void on(const WorkerResumed& event);
  void on(const WorkerBlocked& event);
  void on(const PacketsSubmitted& event);
  void on(const PacketsFinished& event);
  void on(const PacketProgress& event);
  void on(const PacketFailed& event);
  void on(const PacketReturned& event);
  void on(const RecallRefused& event);
  void on(const InputMissing& event);
  void on(const OutputsReleased& event);
  void on(const PacketsCancelled& event);
  void on(const Replicated& event);
  void on(const ReplicasWanted& event);
  void on(const BalanceWanted& event);
  void on(const PacketSplit& event);
  void on(const PacketPostponed& event);
  void on(const Tick& event);

  // ---- Submission (submit.cpp) ----
  void add_record(PacketId id, const PacketSpec& spec, std::uint32_t kind);
  void begin(PacketId id, const ProducerEdge* inputs, std::uint32_t count, bool may_deal);
  std::uint32_t intern(const Needs& needs);
  void split_tail(PacketId id, TaskId from_task, PacketId tail);
  void shrink(PacketRecord& record, float share);

  // ---- Who reads whom (readers.cpp) ----
  static bool is_listed(const machine::Edge& edge, const PacketRecord& producer);
  void open_edge(std::uint32_t edge_id, PacketRecord& producer);
  void list_reader(std::uint32_t edge_id, PacketRecord& producer);
  void drop_readers(PacketId id, PacketRecord& producer);
  void purge_readers(PacketId id, PacketRecord& producer);
  void abandon_edges(std::uint32_t first, std::uint32_t count);
  void bury(machine::Edge& edge, PacketRecord& producer, std::vector<PacketId>& crowded);
  void leave_inputs(PacketRecord& record);
  void add_inputs(PacketId consumer, const std::vector<ProducerEdge>& more);
  void add_missing_tails(PacketId id);
  bool is_pinned_tail(PacketId id) const;
  void forget_tail(PacketId id);

  // ---- Need and release (release.cpp) ----
  /// Makes a Released packet that is needed unfinished, with the producers that were released too.
  void require(PacketId id, bool urgent);
  void require_one(PacketId id, bool urgent);
  /// Takes an unfinished packet's share in its inputs away.
  void close_edges(PacketRecord& record);
  /// Releases what nobody needs and forgets what nobody can ask for, until nothing changes.
  void settle();
  void release_unneeded(PacketId id);
  void forget(PacketId id);
  void drop_outputs(PacketId id, PacketRecord& record);

  // ---- Dealing (deal.cpp) ----
  enum class Certain { All, Wanted };
  void deal_ready(Certain which = Certain::All);
  bool waits_for_inputs(PacketId id) const;
  bool all_wait(WorkerId worker) const;
  /// No worker takes more. If nothing runs, or what runs may wait for an urgent packet: deals one into what is left of
  /// a paused worker's memory. If nothing runs, says which packets have to wait until outputs are released.
  void break_standstill();
  struct Room {
    WorkerId worker = kNone;
    bool is_full = false;      // some worker has no room only because of what is there
    bool is_spilling = false;  // and one of these writes it to disk
  };
  Room roomiest(const PacketRecord& record, const machine::ReadyClass& group) const;
  bool patience_is_over(bool is_spilling);
  /// Returns the worker for a Ready packet, or kNone if its class has to wait.
  WorkerId choose_worker(PacketId id, const PacketRecord& record);
  WorkerId best_by_data(PacketId id, const PacketRecord& record, const machine::ReadyClass& group, WorkerId idlest);
  WorkerId least_loaded(const PacketRecord& record, machine::ReadyClass& group);
  WorkerId least_loaded_in(machine::WorkerGroup part, const PacketRecord& record,
                           const machine::ReadyClass& group) const;
  WorkerId least_loaded_of(const std::vector<WorkerId>& some, const PacketRecord& record,
                           const machine::ReadyClass& group) const;
  bool may_take(const PacketRecord& record, const machine::ReadyClass& group, WorkerId worker) const;
  /// Moves a packet that no worker could take now to a class where it blocks nobody. False: its class has to wait.
  bool step_aside(PacketId id, PacketRecord& record);
  void prefetch_inputs(PacketId id) const;
  void prefetch_edges(PacketId id) const;
  void deal(PacketId id, PacketRecord& record, WorkerId worker);
  void wake_consumers(PacketId id, const PacketRecord& record);
  [[nodiscard]] machine::OrderedPackets::Place place_of(PacketId id, const PacketRecord& record) const;
  void push_ready(PacketId id, PacketRecord& record);
  void remove_ready(PacketId id, PacketRecord& record);

  // ---- Workers (membership.cpp) ----
  void enqueue(PacketId id, PacketRecord& record, WorkerId worker);
  void dequeue(PacketId id, PacketRecord& record);
  /// Puts the worker where it belongs in the load index.
  void refresh(WorkerId worker);
  bool fits_needs(std::uint32_t needs, WorkerId worker) const;
  const std::vector<WorkerId>& feasible(machine::ReadyClass& group);
  /// Returns why no present worker can run it, and the number that goes with it.
  double largest_budget();
  Reason refusal(const PacketRecord& record, std::uint32_t& detail);
  void refuse_if_impossible(PacketId id, PacketRecord& record);
  void park(PacketId id, PacketRecord& record);
  void revive_parked();
  bool stays(WorkerId worker) const;
  void rescue(PacketId id, const PacketRecord& record);
  void rescue_all();
  bool holds(WorkerId worker, PacketId id, const PacketRecord& record) const;
  bool is_drained(WorkerId worker) const;
  void finish_move(PacketId id, PacketRecord& record);
  void spread(PacketId id, WorkerId from, std::size_t most);
  void spread_after_loss();

  // ---- Loss and failure (failure.cpp) ----
  void make_unavailable(const PacketRecord& record);
  struct Suspect {
    PacketId packet = kNone;
    bool is_named = true;   // it may be to blame
    bool is_alone = false;  // nobody else may
  };
  std::vector<Suspect> suspects_of(const WorkerLost& event) const;
  bool may_have_run(PacketId id) const;
  void lose_running(PacketRecord& record, const Suspect& suspect);
  void lose_outputs(PacketId id, PacketRecord& record, std::vector<PacketId>& lost);
  void redirect_consumers(PacketId id, const PacketRecord& record);
  void run_again(PacketId id, PacketRecord& record);
  struct Failure {
    Reason reason = Reason::None;
    std::uint32_t error = kNone;
    PacketId cause = kNone;
  };
  void fail(PacketId id, const Failure& failure);
  void fail_one(PacketId id, PacketRecord& record, const Failure& failure);

  // ---- Killers (narrow.cpp) ----
  void narrow(PacketId id, PacketRecord& record);
  void end_at_keeper(PacketId id, PacketRecord& record);
  void add_parts(const PacketSplit& event);
  void recall_reader(PacketId id);
  void take_back_waiting(WorkerId worker);

  // ---- Stealing (steal.cpp) ----
  void propose_steals();
  WorkerId most_loaded() const;
  bool propose_steal(WorkerId thief);
  /// Returns a worker with nothing to do, other than `than`, that may take the packet.
  WorkerId idle_other(WorkerId than, const PacketRecord& record) const;
  bool has_running_reader(const PacketRecord& record) const;
  bool is_worth_stealing(const PacketRecord& record, WorkerId thief, Nanoseconds start_ns) const;

  // ---- Finishing (finish.cpp) ----
  void finish(const FinishedPacket& finished, PacketRecord& record);
  void cut_lineage(PacketRecord& record);

  // ---- Small ones ----
  void transition(PacketId id, PacketRecord& record, PacketState to) {
    WEFT_ASSERT(is_legal_transition(record.state, to), "packets only make legal transitions");
    (void)id;
    --counts.packets[static_cast<int>(record.state)];
    ++counts.packets[static_cast<int>(to)];
    record.state = to;
  }
  /// Returns the record if `attempt` is the one that runs at `worker`; nullptr for anything late.
  PacketRecord* running(PacketId id, Attempt attempt, WorkerId worker);
  Nanoseconds expected(const PacketSpec& spec) const;
  bool can_run(const PacketRecord& record) const;
  void learn(PacketId id, Nanoseconds run_ns);
  void report(PacketId id, const PacketRecord& record, const Failure& failure);
  template <class Action>
  void emit(const Action& action) {
    actions->list.emplace_back(std::in_place_type<Action>, action);
  }
  bool is_known_worker(WorkerId worker) const { return worker < workers.size(); }
  void check_invariants() const;

  const SchedulerOptions options;
  const policies::TransferCost cost;
  const policies::QueueLimits limits;

  machine::PacketPages packets;
  machine::EdgeChunks edges;
  machine::ReadyQueue ready;
  std::vector<Needs> needs;                    // distinct
  std::vector<machine::WorkerRecord> workers;  // by id, also those that are gone
  machine::LoadIndex loads;
  std::uint64_t membership = 1;    // changes when a worker comes or goes
  std::uint64_t budgets_seen = 0;  // membership when budget_seen was right, see largest_budget()
  double budget_seen = 0;
  std::map<PacketId, std::vector<WorkerId>> copies;     // beside the owner's
  std::map<PacketId, std::vector<WorkerId>> spreading;  // shall have a copy and are not asked yet, the next one last
  std::map<PacketId, WorkerId> moves;                   // to whom, of BalanceWanted: the owner drops its own then
  std::map<PacketId, WorkerId> rescues;                 // copies asked of leaving workers: to whom
  std::optional<Nanoseconds> full_since;                // nothing runs, because of memory
  bool solitary_waits = false;                          // for an input: some that are parked may go when one ends
  std::set<PacketId> narrowing;                         // wait for PacketSplit: Ready ones are parked
  std::vector<PacketId> parked;                         // Ready packets that nobody present can run
  std::vector<WorkerId> neighbours;                     // by affinity modulo its size: who was dealt the last one
  struct LayerTime {
    float task_ns = 0;
  };
  std::vector<LayerTime> layers;  // what a task of this layer took so far
  SchedulerCounts counts;
  std::map<PacketId, PacketId> heads;               // of tails: what they were split off, see PacketSpec::head
  std::map<PacketId, std::vector<PacketId>> tails;  // the other way round: of packets with kHasTails
  std::map<PacketId, std::uint32_t> dead_edges;     // in lists of readers, of packets with kDeadEdges
  std::map<PacketId, Nanoseconds> doubted_since;    // packets with kDoubted
  std::map<PacketId, WorkerId> left_behind;         // asked back of whom, because it waits in vain there
  std::uint32_t recalls = 0;                        // unanswered
  Nanoseconds next_steals = 0;                      // no steals are proposed before this

  std::uint64_t unchecked_events = 0;  // since check_invariants(), in builds that call it

  // Within one event.
  SchedulerActions* actions = nullptr;
  Nanoseconds now = 0;
  std::vector<PacketId> unneeded;  // to look at in settle()
  std::vector<PacketId> forgettable;
  std::vector<PacketId> pending;  // worklist of require()
  struct Doomed {
    PacketId packet = kNone;
    Failure failure;
  };
  std::vector<Doomed> doomed;  // found by require(): to fail once it has ended
};

}  // namespace weft
