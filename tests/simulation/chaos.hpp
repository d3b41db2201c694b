#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/simulate/context.hpp"
#include "core/simulate/random.hpp"
#include "core/simulate/world.hpp"

namespace weft::sim {

/// One seeded run of a small cluster to which everything happens that DESIGN allows, and its verdict.
/// Owns: the cluster, what the client knows, and what the faults did, by which each failure must be explained.
/// Threading: none.
///
/// How a run goes:
///  1. plan_*: the seed chooses graph, cluster, network and the times of all faults.
///  2. run_until_settled: virtual time passes until each wanted output is in memory or failed, and nothing is on its
///  way.
///  3. check_results: values against direct evaluation; each failure was explained when it was reported.
///  4. release_all: the client lets go; then nothing may be left anywhere.
class ChaosRun final : public WorldListener {
 public:
  explicit ChaosRun(std::uint64_t seed, bool trace = false);

  /// Returns what went wrong, one sentence a line; empty if nothing did.
  std::string run();

  /// What it was all about, for a failing seed's message.
  [[nodiscard]] std::string description() const;
  /// Mixes the course of the run: equal for equal runs.
  [[nodiscard]] std::uint64_t fingerprint() const;

  struct Tally {
    std::uint64_t packets = 0, losses = 0, splits = 0, refusals = 0, spilled_bytes = 0, messages = 0;
    std::uint64_t failed[kReasonCount] = {};
  };
  [[nodiscard]] const Tally& tally() const { return tally_; }

  void reported(const Report& report) override;
  void refused(const Refuse& refuse) override;
  void forgotten(PacketId packet) override;
  void split(PacketId packet, PacketId tail) override;
  void losing(const WorkerLost& lost) override;

 private:
  struct Known {
    bool submitted = false;
    bool wanted = false;
    bool released = false;
    bool cancelled = false;
    bool failed = false;
    bool forgotten = false;
    std::uint32_t kills = 0;
    /// Of a tail: what it was split off.
    PacketId head = kNone;
  };

  WorldOptions plan_world();
  void plan_graph();
  void plan_packets();
  void plan_fates();
  void plan_needs();
  void plan_workers();
  void plan_faults();
  void plan_client();
  NodeOptions node_options();

  void at_random_time(void (ChaosRun::*fault)());
  void lose_one();
  void freeze_one();
  void slow_one();
  void fill_one();
  void break_disk();
  void drain_one();
  void release_one();
  void cancel_one();
  void replicate_one();
  void let_go_when_drained(WorkerId worker);
  WorkerId some_worker();
  PacketId some_packet();

  void run_until_settled();
  void run_until_quiet(Nanoseconds duration);
  bool is_settled() const;
  void check_results();
  [[nodiscard]] std::string stuck_packets() const;
  bool is_explained(const Report& report) const;
  bool depends_on(PacketId packet, const std::set<PacketId>& origins) const;
  bool breaks(PacketId packet) const;
  void release_all();
  void violate(const std::string& sentence) { context_.violate(sentence); }

  const std::uint64_t seed_;
  Random random_;
  Context context_;
  std::unique_ptr<World> world_;
  std::vector<Known> known_;
  std::set<PacketId> failed_;
  std::set<PacketId> cancelled_;
  std::set<WorkerId> drained_;
  struct Submission {
    PacketId first, end;
    Nanoseconds time;
  };
  std::vector<Submission> submissions_;
  PacketId submitted_end_ = 0;
  std::uint32_t losses_told_ = 0;
  std::uint32_t pending_plans_ = 0;  // faults and submissions that have not happened
  bool over_ = false;                // faults stop
  Nanoseconds horizon_ = 0;          // when faults happen: before this
  std::uint32_t memory_kind_ = 0;
  std::uint64_t packet_bytes_ = 0;
  Tally tally_;
};

}  // namespace weft::sim
