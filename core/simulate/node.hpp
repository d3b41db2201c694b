#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

#include "core/simulate/context.hpp"
#include "core/simulate/executor.hpp"
#include "core/simulate/stopwatch.hpp"
#include "core/simulate/store.hpp"
#include "core/worker/worker.hpp"

namespace weft::sim {

class World;

struct NodeOptions {
  std::uint32_t slots = 1;
  std::vector<ResourceAmount> resources;
  /// 0: no limit.
  std::uint64_t budget_bytes = 0;
  /// 0: there is none.
  std::uint64_t disk_bytes = 0;
  std::uint32_t active_packets = 2;
  /// Share of GiveUp that the executor answers with nothing given up.
  double refuse_share = 0;
};

/// One worker: the production machine with a pretended executor, memory and disk.
/// Owns: those.  Threading: none.
///
/// How a message is taken:
///  1. `receive` puts it in the inbox; it is looked at when the machine is through with earlier ones.
///  2. `drain` hands it to the machine, charges the time, and
///  3. `carry` does what the machine decided, from the end of that time on.
class Node final : public ExecutorListener {
 public:
  Node(World& world, WorkerId id, const NodeOptions& options);
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  void receive(WorkerEventBody body);
  /// Time passes; a machine that is busy takes it later.
  void tick();
  /// Outputs of a packet arrive from a peer.
  void receive_outputs(PacketId packet, Attempt attempt, Held held);

  void tell(WorkerEventBody body) override { receive(std::move(body)); }
  void memory_changed() override;

  // ---- Faults ----
  void die();
  void freeze(Nanoseconds duration);
  void slow_down(double factor) { executor_.slow_down(factor); }
  /// Other programs take this much of its memory.
  void press_memory(std::uint64_t bytes);
  void limit_disk(std::uint64_t bytes);

  [[nodiscard]] bool alive() const { return alive_; }
  [[nodiscard]] WorkerId id() const { return id_; }
  [[nodiscard]] const Worker& machine() const { return machine_; }
  [[nodiscard]] const Store& store() const { return store_; }
  [[nodiscard]] const PretendedExecutor& executor() const { return executor_; }
  [[nodiscard]] const NodeOptions& options() const { return options_; }
  [[nodiscard]] bool paused() const { return paused_; }
  [[nodiscard]] Nanoseconds machine_ns() const { return machine_ns_; }
  [[nodiscard]] std::uint64_t event_count() const { return events_; }

 private:
  void drain();
  void handle(const WorkerEventBody& body);
  void carry(const WorkerAction& action);
  void activate(const Activate& activate);
  void fetch(const Fetch& fetch);
  void serve(const Serve& serve);
  void store_arrived(const InputArrived& event);
  void spill(std::uint64_t bytes);
  void flush_finished();
  std::uint32_t slots_of(const DealtPacket& dealt, const std::vector<Needs>& needs) const;

  World& world_;
  Context& context_;
  const WorkerId id_;
  const NodeOptions options_;
  Store store_;
  Worker machine_;
  PretendedExecutor executor_;
  WorkerActions actions_;

  bool alive_ = true;
  bool draining_ = false;  // drain() is due or runs
  bool paused_ = false;
  Nanoseconds free_at_ = 0;  // when the machine's thread is through with what it has begun
  Nanoseconds frozen_until_ = 0;
  std::uint64_t pressed_bytes_ = 0;
  std::deque<WorkerEventBody> inbox_;

  struct Dealt {
    Attempt attempt;
    PacketSpec spec;
    std::uint32_t slots;
  };
  std::unordered_map<PacketId, Dealt> dealt_;               // until activated
  std::unordered_map<std::uint64_t, std::uint64_t> asked_;  // bytes of fetches under way, by packet and attempt
  std::unordered_map<std::uint64_t, Held> arrived_;         // not looked at yet, by packet and attempt
  std::vector<FinishedPacket> finished_;                    // one message for a batch

  Stopwatch stopwatch_;
  Nanoseconds machine_ns_ = 0;
  std::uint64_t events_ = 0;
};

}  // namespace weft::sim
