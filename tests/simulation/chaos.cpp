#include "tests/simulation/chaos.hpp"

#include <algorithm>
#include <sstream>

#include "core/simulate/check.hpp"

namespace weft::sim {
namespace {

constexpr Nanoseconds kMicrosecond = 1'000;
constexpr Nanoseconds kMillisecond = 1'000'000;

}  // namespace

ChaosRun::ChaosRun(std::uint64_t seed, bool trace) : seed_(seed), random_(seed) {
  context_.trace = trace;
  plan_graph();
  plan_packets();
  world_ = std::make_unique<World>(context_, plan_world(), *this);
  plan_workers();
  plan_client();
  plan_faults();
}

std::string ChaosRun::run() {
  run_until_settled();
  check_results();
  if (context_.violations.empty()) {
    release_all();
    check_nothing_left(*world_);
  }
  std::string text;
  for (const std::string& sentence : context_.violations) text += sentence + '\n';
  return text;
}

// ---- Plans ----

WorldOptions ChaosRun::plan_world() {
  WorldOptions options;
  options.seed = random_.word();
  options.charge_ns = static_cast<Nanoseconds>(random_.between(200, 5'000));
  options.detection_ns = static_cast<Nanoseconds>(random_.between(10'000, 20'000'000));
  options.check_invariants = random_.chance(0.3);
  NetworkOptions& network = options.network;
  network.latency_ns = static_cast<Nanoseconds>(random_.between(1, 200)) * kMicrosecond;
  network.bytes_per_second = random_.chance(0.5) ? 1e9 : 1e8;
  if (random_.chance(0.6)) {
    network.late_share = 0.2 * random_.unit();
    network.late_ns = static_cast<Nanoseconds>(random_.between(1, 30)) * kMillisecond;
  }
  if (random_.chance(0.5)) network.duplicate_share = 0.1 * random_.unit();
  network.reorders = random_.chance(0.6);
  if (random_.chance(0.5)) network.ghost_ns = static_cast<Nanoseconds>(random_.between(1, 20)) * kMillisecond;
  SchedulerOptions& scheduler = options.scheduler;
  scheduler.queue_packets = static_cast<std::uint32_t>(random_.between(1, 4));
  scheduler.queue_ns = static_cast<Nanoseconds>(random_.below(20)) * kMillisecond;
  scheduler.keep_bytes = random_.chance(0.5) ? 4096 : 0;
  scheduler.latency_ns = network.latency_ns;
  scheduler.bytes_per_second = network.bytes_per_second;
  return options;
}

void ChaosRun::plan_graph() {
  WorkloadOptions options;
  options.shape = static_cast<SimulationShape>(random_.below(6));
  options.tasks = static_cast<std::uint32_t>(random_.between(50, 500));
  options.width = static_cast<std::uint32_t>(random_.between(3, 50));
  options.task_seconds = 1e-4 * static_cast<double>(random_.between(1, 100));
  options.sigma = random_.unit();
  constexpr std::uint32_t kBytes[] = {8, 1'000, 100'000, 1'000'000};
  options.output_bytes = kBytes[random_.below(4)];
  options.seed = random_.word();
  context_.workload = make_workload(options);
  constexpr std::uint32_t kPacketTasks[] = {1, 1, 2, 5, 12};
  context_.workload.cut(kPacketTasks[random_.below(5)]);
  if (options.tasks >= 300 && context_.workload.packets.size() > 500) context_.workload.cut(2);
  plan_fates();
  context_.expected = context_.workload.evaluate_all();
  context_.broken.resize(context_.workload.task_count());
  known_.resize(context_.workload.packets.size());
  packet_bytes_ = context_.workload.bytes_of(0);
}

void ChaosRun::plan_fates() {
  Workload& workload = context_.workload;
  const double throws = random_.chance(0.3) ? 0.02 * random_.unit() : 0;
  const double breaks = random_.chance(0.3) ? 0.01 * random_.unit() : 0;
  const double flaky = random_.chance(0.5) ? 0.1 * random_.unit() : 0;
  for (TaskId task = 0; task < workload.task_count(); ++task) {
    if (random_.chance(throws)) workload.fates[task] = Fate::Throws;
    if (random_.chance(breaks)) workload.fates[task] = Fate::Breaks;
    if (!random_.chance(flaky)) continue;
    // One flaky task a packet: each packet has its own retries.
    PlannedPacket& packet = workload.packets[workload.packet_of[task]];
    if (packet.max_retries != 0) continue;
    workload.fates[task] = Fate::Flaky;
    packet.max_retries = static_cast<std::uint8_t>(random_.between(1, 3));
  }
}

void ChaosRun::plan_packets() {
  Workload& workload = context_.workload;
  std::vector<bool> read(workload.task_count());
  for (const TaskId input : workload.inputs) read[input] = true;
  const double wanted = random_.chance(0.5) ? 0.2 * random_.unit() : 0;
  const double once = random_.chance(0.2) ? 0.1 * random_.unit() : 0;
  const bool told = random_.chance(0.5);
  const bool prioritised = random_.chance(0.3);
  const bool near = random_.chance(0.3);
  for (PacketId id = 0; id < workload.packets.size(); ++id) {
    PlannedPacket& packet = workload.packets[id];
    const auto begin = read.begin() + packet.first_task;
    const bool is_last = std::find(begin, begin + packet.task_count, false) != begin + packet.task_count;
    if (is_last || random_.chance(wanted)) packet.flags |= packet_flags::kWanted;
    if (random_.chance(once)) packet.flags &= static_cast<std::uint8_t>(~packet_flags::kRetriable);
    if (told) packet.expected_ns = workload.run_ns[packet.first_task];
    if (prioritised) packet.priority = static_cast<std::int32_t>(random_.below(5)) - 2;
    if (near) packet.affinity = id / 4;
    known_[id].wanted = (packet.flags & packet_flags::kWanted) != 0;
  }
}

void ChaosRun::plan_needs() {
  Workload& workload = context_.workload;
  if (!random_.chance(0.4)) return;
  std::uint32_t least_slots = 1000;
  for (WorkerId worker = 0; worker < world_->node_count(); ++worker) {
    least_slots = std::min(least_slots, world_->node(worker).options().slots);
  }
  Needs several;
  several.slots = static_cast<std::uint32_t>(random_.between(1, least_slots));
  Needs resource;
  resource.resources = {{0, 1}};
  Needs there;
  there.workers = {some_worker()};
  Needs rather = there;
  rather.preferred = true;
  workload.needs = {several, resource, rather, there};
  const std::uint64_t kinds = random_.chance(0.2) ? 4 : 3;
  for (PlannedPacket& packet : workload.packets) {
    if (random_.chance(0.15)) packet.needs = static_cast<std::uint32_t>(random_.below(kinds));
  }
}

NodeOptions ChaosRun::node_options() {
  NodeOptions node;
  node.slots = static_cast<std::uint32_t>(random_.between(1, 6));
  node.active_packets = static_cast<std::uint32_t>(random_.below(4));
  node.refuse_share = random_.chance(0.3) ? random_.unit() : 0;
  if (random_.chance(0.5)) node.resources = {{0, static_cast<std::uint32_t>(random_.between(1, 3))}};
  // Generous, or tight with a disk that is large, small or absent.
  if (memory_kind_ == 1) node.budget_bytes = 200 * packet_bytes_ + 100'000;
  if (memory_kind_ == 2) node.budget_bytes = 40 * packet_bytes_ + 10'000;
  if (node.budget_bytes != 0 && !random_.chance(0.3)) {
    node.disk_bytes = random_.chance(0.5) ? 10'000 * packet_bytes_ : 10 * packet_bytes_;
  }
  return node;
}

void ChaosRun::plan_workers() {
  memory_kind_ = static_cast<std::uint32_t>(random_.below(3));
  const std::uint64_t count = random_.between(3, 12);
  std::uint64_t slots = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    NodeOptions node = node_options();
    if (i == 0) node.resources = {{0, 2}};
    slots += node.slots;
    world_->add_worker(node);
  }
  plan_needs();
  Nanoseconds work = 0;
  for (const Nanoseconds run : context_.workload.run_ns) work += run;
  horizon_ = 2 * work / static_cast<Nanoseconds>(slots) + 20 * kMillisecond;
}

/// The graph is submitted in up to four batches; outputs are released and packets cancelled on the way.
void ChaosRun::plan_client() {
  const auto count = static_cast<PacketId>(context_.workload.packets.size());
  PacketId first = 0;
  for (std::uint64_t batches = random_.between(1, 4); batches > 0; --batches) {
    const PacketId end = batches == 1 ? count : first + static_cast<PacketId>(random_.below(count - first));
    const Nanoseconds time =
        first == 0 ? 0 : static_cast<Nanoseconds>(random_.below(static_cast<std::uint64_t>(horizon_)));
    ++pending_plans_;
    submissions_.push_back({first, end, time});
    first = end;
  }
  // Producers are submitted before consumers.
  Nanoseconds earliest = 0;
  for (Submission& batch : submissions_) {
    batch.time = earliest = std::max(earliest, batch.time);
    context_.timeline.beside_at(batch.time, [this, batch] {
      --pending_plans_;
      for (PacketId id = batch.first; id < batch.end; ++id) known_[id].submitted = true;
      submitted_end_ = batch.end;
      if (batch.first != batch.end) world_->submit(batch.first, batch.end);
    });
  }
  for (std::uint64_t i = random_.chance(0.4) ? random_.between(1, 20) : 0; i > 0; --i)
    at_random_time(&ChaosRun::release_one);
  for (std::uint64_t i = random_.chance(0.3) ? random_.between(1, 5) : 0; i > 0; --i)
    at_random_time(&ChaosRun::cancel_one);
  for (std::uint64_t i = random_.chance(0.2) ? random_.between(1, 10) : 0; i > 0; --i)
    at_random_time(&ChaosRun::replicate_one);
}

void ChaosRun::plan_faults() {
  struct Kind {
    void (ChaosRun::*fault)();
    double chance;
    std::uint64_t most;
  };
  const Kind kinds[] = {
      {&ChaosRun::lose_one, 0.7, 6}, {&ChaosRun::freeze_one, 0.4, 4}, {&ChaosRun::slow_one, 0.4, 3},
      {&ChaosRun::fill_one, 0.4, 3}, {&ChaosRun::break_disk, 0.3, 3}, {&ChaosRun::drain_one, 0.15, 1},
  };
  for (const Kind& kind : kinds) {
    if (!random_.chance(kind.chance)) continue;
    for (std::uint64_t i = random_.between(1, kind.most); i > 0; --i) at_random_time(kind.fault);
  }
}

void ChaosRun::at_random_time(void (ChaosRun::*fault)()) {
  ++pending_plans_;
  const auto time = static_cast<Nanoseconds>(random_.below(static_cast<std::uint64_t>(horizon_)));
  context_.timeline.beside_at(time, [this, fault] {
    --pending_plans_;
    if (!over_) (this->*fault)();
  });
}

// ---- Faults ----

WorkerId ChaosRun::some_worker() {
  std::vector<WorkerId> present;
  for (WorkerId worker = 0; worker < world_->node_count(); ++worker) {
    if (world_->is_present(worker)) present.push_back(worker);
  }
  return present.empty() ? kNone : present[random_.below(present.size())];
}

PacketId ChaosRun::some_packet() { return static_cast<PacketId>(random_.below(known_.size())); }

/// A lost worker comes back as a new one, a little later.
void ChaosRun::lose_one() {
  const WorkerId worker = some_worker();
  if (worker == kNone) return;
  ++tally_.losses;
  const NodeOptions options = world_->node(worker).options();
  world_->lose_worker(worker, random_.chance(0.5));
  ++pending_plans_;
  const auto delay = static_cast<Nanoseconds>(random_.between(1, 100)) * kMillisecond;
  context_.timeline.beside_at(context_.timeline.now() + delay, [this, options] {
    --pending_plans_;
    world_->add_worker(options);
  });
}

void ChaosRun::freeze_one() {
  const WorkerId worker = some_worker();
  if (worker != kNone) world_->node(worker).freeze(static_cast<Nanoseconds>(random_.between(1, 200)) * kMillisecond);
}

void ChaosRun::slow_one() {
  const WorkerId worker = some_worker();
  if (worker != kNone) world_->node(worker).slow_down(static_cast<double>(random_.between(2, 20)));
}

/// Another program takes most of the memory for a while.
void ChaosRun::fill_one() {
  const WorkerId worker = some_worker();
  if (worker == kNone) return;
  const std::uint64_t budget = world_->node(worker).options().budget_bytes;
  world_->node(worker).press_memory(budget * random_.between(5, 10) / 10);
  ++pending_plans_;
  const auto delay = static_cast<Nanoseconds>(random_.between(5, 200)) * kMillisecond;
  context_.timeline.beside_at(context_.timeline.now() + delay, [this, worker] {
    --pending_plans_;
    if (world_->is_present(worker)) world_->node(worker).press_memory(0);
  });
}

void ChaosRun::break_disk() {
  const WorkerId worker = some_worker();
  if (worker != kNone) world_->node(worker).limit_disk(0);
}

void ChaosRun::drain_one() {
  std::uint32_t present = 0;
  for (WorkerId worker = 0; worker < world_->node_count(); ++worker) present += world_->is_present(worker) ? 1 : 0;
  const WorkerId worker = some_worker();
  if (present < 4) return;
  drained_.insert(worker);
  world_->drain_worker(worker);
  let_go_when_drained(worker);
}

/// A worker that leaves in peace goes when nothing is left that others need, however long that takes.
void ChaosRun::let_go_when_drained(WorkerId worker) {
  context_.timeline.beside_at(context_.timeline.now() + 20 * kMillisecond, [this, worker] {
    if (over_ || !world_->is_present(worker)) return;
    if (world_->scheduler().is_drained(worker)) {
      world_->lose_worker(worker, true);
    } else {
      let_go_when_drained(worker);
    }
  });
}

void ChaosRun::replicate_one() {
  const PacketId packet = some_packet();
  if (known_[packet].submitted) world_->replicate({packet}, static_cast<std::uint32_t>(random_.between(2, 4)));
}

void ChaosRun::release_one() {
  const PacketId packet = some_packet();
  Known& known = known_[packet];
  const PacketId last_reader = context_.workload.last_reader[packet];
  const bool may_be_read = last_reader != kNone && last_reader >= submitted_end_;
  if (!known.submitted || !known.wanted || known.released || may_be_read) return;
  known.released = true;
  world_->release({packet});
}

void ChaosRun::cancel_one() {
  const PacketId packet = some_packet();
  if (!known_[packet].submitted) return;
  cancelled_.insert(packet);
  world_->cancel({packet});
}

std::string ChaosRun::description() const {
  std::ostringstream text;
  text << context_.workload.task_count() << " tasks in " << context_.workload.packets.size() << " packets, "
       << world_->node_count() << " workers (" << tally_.losses << " lost), " << world_->message_count()
       << " messages, " << static_cast<double>(context_.timeline.now()) * 1e-6 << " ms";
  return text.str();
}

std::uint64_t ChaosRun::fingerprint() const {
  std::uint64_t print = mix(static_cast<std::uint64_t>(context_.timeline.now()));
  print = mix(print ^ world_->message_count());
  print = mix(print ^ world_->scheduler_events());
  for (WorkerId worker = 0; worker < world_->node_count(); ++worker)
    print = mix(print ^ world_->node(worker).event_count());
  return print;
}

}  // namespace weft::sim
