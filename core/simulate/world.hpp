#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "core/scheduler/scheduler.hpp"
#include "core/simulate/context.hpp"
#include "core/simulate/node.hpp"
#include "core/simulate/random.hpp"
#include "core/simulate/stopwatch.hpp"
#include "core/simulate/tape.hpp"

namespace weft::sim {

/// Stands in for a worker where a message comes from or goes to the scheduler's process.
inline constexpr WorkerId kHeadquarters = kKeeper;

struct NetworkOptions {
  Nanoseconds latency_ns = 20'000;
  double bytes_per_second = 1e9;
  std::uint64_t message_bytes = 128;

  // Faults: shares of all messages.
  double late_share = 0;
  Nanoseconds late_ns = 0;
  double duplicate_share = 0;
  /// Messages of one link about different packets overtake each other; about one packet they never do.
  bool reorders = false;
  /// What a lost worker had sent still arrives, up to this long after its loss was told.
  Nanoseconds ghost_ns = 0;
};

struct WorldOptions {
  SchedulerOptions scheduler;
  NetworkOptions network;
  Nanoseconds tick_ns = 5'000'000;
  Nanoseconds node_tick_ns = 100'000'000;
  /// Charged for each event of a machine; negative: what it took here.
  Nanoseconds charge_ns = -1;
  /// How long until a loss is noticed.
  Nanoseconds detection_ns = 1'000'000;
  /// After each event. Costs time in the square of the graph.
  bool check_invariants = false;
  std::uint64_t seed = 1;
  /// Hears what the scheduler machine is told; may be nullptr.
  Tape* tape = nullptr;
};

/// Hears what the scheduler machine tells the client.
class WorldListener {
 public:
  virtual void reported(const Report& report) = 0;
  virtual void refused(const Refuse& refuse) = 0;
  virtual void forgotten(PacketId packet) = 0;
  /// The tasks of `packet` from a later one on are now `tail`.
  virtual void split(PacketId packet, PacketId tail) = 0;
  /// The scheduler is about to hear that `worker` is lost.
  virtual void losing(const WorkerLost& lost) = 0;

 protected:
  ~WorldListener() = default;
};

/// A cluster in virtual time: the production scheduler machine, nodes, and the network between them, all in one thread.
/// Owns: all of it.  Threading: none.
class World {
 public:
  World(Context& context, const WorldOptions& options, WorldListener& client);

  // ---- What a client does ----
  void submit(PacketId first, PacketId end);
  void release(std::vector<PacketId> packets);
  void cancel(std::vector<PacketId> packets);
  void replicate(std::vector<PacketId> packets, std::uint32_t copies);

  // ---- What happens to workers ----
  WorkerId add_worker(const NodeOptions& options);
  /// `with_notice`: its supervisor knows what it ran.
  void lose_worker(WorkerId worker, bool with_notice);
  void drain_worker(WorkerId worker);

  [[nodiscard]] Node& node(WorkerId worker) { return *nodes_[worker]; }
  [[nodiscard]] const Node& node(WorkerId worker) const { return *nodes_[worker]; }
  [[nodiscard]] std::uint32_t node_count() const { return static_cast<std::uint32_t>(nodes_.size()); }
  [[nodiscard]] const Scheduler& scheduler() const { return scheduler_; }
  [[nodiscard]] const Store& keeper() const { return keeper_; }
  [[nodiscard]] Context& context() { return context_; }
  [[nodiscard]] Random& random() { return random_; }
  [[nodiscard]] const WorldOptions& options() const { return options_; }
  [[nodiscard]] bool is_present(WorkerId worker) const { return worker < nodes_.size() && nodes_[worker]->alive(); }
  /// The outputs at `place`, a worker or kKeeper, or nullptr.
  [[nodiscard]] const Held* outputs_at(WorkerId place, PacketId packet, Attempt attempt) const;
  /// True if the range and the values are what they must be.
  [[nodiscard]] bool is_right(PacketId packet, const Held& held) const;

  /// Ticks go on until this.
  void stop_ticks() { ticking_ = false; }

  // ---- What nodes do ----
  void tell_scheduler(WorkerId from, SchedulerEventBody body, std::uint32_t subject, Nanoseconds depart);
  void send_to_node(WorkerId from, WorkerId to, WorkerEventBody body, std::uint32_t subject, Nanoseconds depart);
  void ask_keeper(WorkerId from, PacketId packet, Attempt attempt, Nanoseconds depart);
  void send_outputs(WorkerId from, WorkerId to, PacketId packet, Attempt attempt, const Held& held, Nanoseconds depart);
  /// Returns how long a decision took that took `measured`.
  [[nodiscard]] Nanoseconds charge(Nanoseconds measured) const {
    return options_.charge_ns >= 0 ? options_.charge_ns : measured;
  }

  // ---- What came of it ----
  [[nodiscard]] Nanoseconds scheduler_ns() const { return scheduler_ns_; }
  [[nodiscard]] std::uint64_t scheduler_actions() const { return scheduler_actions_; }
  [[nodiscard]] std::uint64_t scheduler_events() const { return scheduler_events_; }
  [[nodiscard]] std::uint64_t message_count() const { return messages_; }
  [[nodiscard]] std::uint64_t sent_bytes() const { return sent_bytes_; }

 private:
  void send(WorkerId from, WorkerId to, std::uint64_t bytes, std::uint32_t subject, Nanoseconds depart,
            Timeline::Thing deliver);
  Nanoseconds arrival(WorkerId from, WorkerId to, std::uint64_t bytes, std::uint32_t subject, Nanoseconds depart);
  void scheduler_receives(WorkerId from, SchedulerEventBody body);
  void drain_scheduler();
  void handle(SchedulerEventBody body);
  void carry_all();
  void carry(const SchedulerAction& action);
  void replicate(const Replicate& action);
  void add_deal(WorkerId worker, DealtPacket dealt);
  void flush_deals(WorkerId worker);
  void send_deals(WorkerId worker, PacketsDealt& message);
  void tick();
  void tick_nodes();

  Context& context_;
  const WorldOptions options_;
  WorldListener& client_;
  Random random_;
  Scheduler scheduler_;
  SchedulerActions actions_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<Nanoseconds> gone_since_;  // by worker: when the scheduler heard of its loss; -1: it has not
  Store keeper_;

  std::deque<SchedulerEventBody> inbox_;
  bool draining_ = false;
  bool ticking_ = true;
  Nanoseconds free_at_ = 0;
  PacketsDealt described_;                  // the deals of one event
  std::map<WorkerId, PacketsDealt> deals_;  // those not sent yet, a message for each worker

  std::map<WorkerId, Nanoseconds> line_free_at_;                                  // of each sender
  std::map<std::tuple<WorkerId, WorkerId, std::uint32_t>, Nanoseconds> last_at_;  // what keeps messages in order

  Stopwatch stopwatch_;
  Nanoseconds scheduler_ns_ = 0;
  std::uint64_t scheduler_events_ = 0;
  std::uint64_t scheduler_actions_ = 0;
  std::uint64_t messages_ = 0;
  std::uint64_t sent_bytes_ = 0;
};

}  // namespace weft::sim
