#include <weft/simulate.hpp>

#include <weft/error.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/simulate/check.hpp"

namespace weft {
namespace {

using namespace sim;

constexpr std::pair<SimulationShape, const char*> kShapes[] = {
    {SimulationShape::Independent, "independent"}, {SimulationShape::Tree, "tree"},
    {SimulationShape::Stencil, "stencil"},         {SimulationShape::RandomDag, "random-dag"},
    {SimulationShape::ForkJoin, "fork-join"},      {SimulationShape::MapReduce, "map-reduce"},
    {SimulationShape::Chains, "chains"},
};

Nanoseconds nanoseconds(double seconds) { return static_cast<Nanoseconds>(seconds * 1e9); }

/// Waits for the outputs that nobody else reads, checks each as it is reported, and lets go of it.
/// Owns: the count of those missing.  Threading: none.
class PatientClient final : public WorldListener {
 public:
  void expect(World& world, std::uint64_t count) {
    world_ = &world;
    missing_ = count;
  }
  [[nodiscard]] std::uint64_t missing() const { return missing_; }

  void reported(const Report& report) override {
    const bool is_wanted = (world_->context().workload.packets[report.packet].flags & packet_flags::kWanted) != 0;
    if (!is_wanted && report.state == PacketState::InMemory) return;  // only held until its readers are submitted
    if (report.state != PacketState::InMemory) {
      world_->context().violate("packet " + std::to_string(report.packet) + " failed: " + to_string(report.reason));
    } else {
      check_outputs(*world_, report.packet, report.attempt, report.worker);
    }
    if (missing_ > 0) --missing_;
  }
  void refused(const Refuse& refuse) override {
    world_->context().violate("packet " + std::to_string(refuse.packet) + " was refused: " + to_string(refuse.reason));
  }
  void forgotten(PacketId) override {}
  void split(PacketId packet, PacketId tail) override {
    if ((world_->context().workload.packets[tail].flags & packet_flags::kWanted) != 0) ++missing_;
    static_cast<void>(packet);
  }
  void losing(const WorkerLost&) override {}

 private:
  World* world_ = nullptr;
  std::uint64_t missing_ = 0;
};

/// Wants the packets that no other reads; returns how many they are.
std::uint64_t want_last_ones(Workload& workload) {
  std::vector<bool> read(workload.task_count());
  for (const TaskId input : workload.inputs) read[input] = true;
  std::uint64_t wanted = 0;
  for (PlannedPacket& packet : workload.packets) {
    const auto begin = read.begin() + packet.first_task;
    if (std::find(begin, begin + packet.task_count, false) == begin + packet.task_count) continue;
    packet.flags |= packet_flags::kWanted;
    ++wanted;
  }
  return wanted;
}

void prepare(Context& context, const SimulationOptions& options) {
  WorkloadOptions shape;
  shape.shape = options.shape;
  shape.tasks = options.tasks != 0 ? options.tasks : 50 * options.cores;
  shape.width = 2 * options.cores;
  shape.task_seconds = options.task_seconds;
  shape.sigma = options.sigma;
  shape.output_bytes = options.output_bytes;
  shape.seed = options.seed;
  context.workload = make_workload(shape);
  context.workload.cut(options.tasks_per_packet);
  for (PlannedPacket& packet : context.workload.packets) packet.expected_ns = nanoseconds(options.task_seconds);
  context.expected = context.workload.evaluate_all();
  context.broken.resize(context.workload.task_count());
}

WorldOptions world_options(const SimulationOptions& options) {
  WorldOptions result;
  result.network.latency_ns = nanoseconds(options.latency_seconds);
  result.network.bytes_per_second = options.bytes_per_second;
  result.scheduler.latency_ns = result.network.latency_ns;
  result.scheduler.bytes_per_second = options.bytes_per_second;
  result.charge_ns = options.charge_seconds < 0 ? -1 : nanoseconds(options.charge_seconds);
  result.seed = options.seed;
  return result;
}

void add_workers(World& world, const SimulationOptions& options) {
  for (std::uint32_t cores = 0; cores < options.cores; cores += options.slots_per_worker) {
    NodeOptions node;
    node.slots = std::min(options.slots_per_worker, options.cores - cores);
    world.add_worker(node);
  }
}

/// Returns the largest size of the scheduler's tables on the way.
std::uint64_t run(World& world, PatientClient& client) {
  constexpr std::uint64_t kLookEvery = 1 << 16;
  constexpr Nanoseconds kPatience = 100'000'000'000;
  Context& context = world.context();
  std::uint64_t peak = 0;
  Nanoseconds last_work = 0;
  for (std::uint64_t steps = 0; client.missing() > 0 && context.violations.empty(); ++steps) {
    if (steps % kLookEvery == 0) peak = std::max(peak, world.scheduler().memory_bytes());
    if (context.timeline.under_way() > 1) last_work = context.timeline.now();
    if (!context.timeline.step() || context.timeline.now() > last_work + kPatience) {
      context.violate("nothing happens any more, " + std::to_string(client.missing()) + " outputs are missing");
    }
  }
  return peak;
}

void fill_in(SimulationReport& report, const World& world, const BusyMeter& meter, Nanoseconds end) {
  const auto cores = static_cast<double>(report.cores);
  report.tasks = meter.finished();
  report.workers = world.node_count();
  report.makespan_seconds = static_cast<double>(end) * 1e-9;
  report.work_seconds = meter.busy() * 1e-9;
  report.busy_fraction = meter.busy() / meter.possible();
  report.plain_busy_fraction = meter.busy() / (cores * static_cast<double>(end));
  Nanoseconds workers_ns = 0;
  for (WorkerId worker = 0; worker < world.node_count(); ++worker) workers_ns += world.node(worker).machine_ns();
  const double tasks = static_cast<double>(report.tasks);
  report.machine_us_per_task = static_cast<double>(world.scheduler_ns()) * 1e-3 / tasks;
  report.worker_us_per_task = static_cast<double>(workers_ns) * 1e-3 / tasks;
  report.scheduler_load = static_cast<double>(world.scheduler_ns()) / static_cast<double>(end);
  report.scheduler_events = world.scheduler_events();
  report.messages = world.message_count();
  report.sent_bytes = world.sent_bytes();
}

void fill_in(SimulationReport& report, const World& world, const Tape::Replayed& again) {
  if (again.events != world.scheduler_events() || again.actions != world.scheduler_actions()) {
    throw Error("the scheduler machine decided otherwise when it was told the same again");
  }
  report.alone_us_per_task = static_cast<double>(again.took) * 1e-3 / static_cast<double>(report.tasks);
}

}  // namespace

const char* to_string(SimulationShape shape) noexcept {
  for (const auto& [known, name] : kShapes) {
    if (known == shape) return name;
  }
  return "?";
}

SimulationShape simulation_shape(const std::string& name) {
  std::string known;
  for (const auto& [shape, shape_name] : kShapes) {
    if (name == shape_name) return shape;
    known += std::string(known.empty() ? "" : ", ") + shape_name;
  }
  throw Error("no simulated graph has the shape '" + name + "'; known are " + known);
}

SimulationReport simulate(const SimulationOptions& options) {
  if (options.cores == 0 || options.slots_per_worker == 0 || options.tasks_per_packet == 0) {
    throw Error("a simulation needs at least one core, one slot a worker and one task a packet");
  }
  const auto begun = std::chrono::steady_clock::now();
  Context context;
  prepare(context, options);
  BusyMeter meter(context.workload, options.cores);
  context.meter = &meter;

  PatientClient client;
  Tape tape;
  WorldOptions world_is = world_options(options);
  if (options.replay) world_is.tape = &tape;
  World world(context, world_is, client);
  client.expect(world, want_last_ones(context.workload));
  add_workers(world, options);
  const auto packets = static_cast<PacketId>(context.workload.packets.size());
  constexpr PacketId kBatch = 4096;
  for (PacketId first = 0; first < packets; first += kBatch) world.submit(first, std::min(packets, first + kBatch));
  meter.begin(0);

  SimulationReport report;
  report.cores = options.cores;
  report.scheduler_peak_bytes = run(world, client);
  if (!context.violations.empty()) throw Error("the simulated run went wrong: " + context.violations.front());
  fill_in(report, world, meter, context.timeline.now());
  report.critical_seconds = static_cast<double>(critical_path(context.workload)) * 1e-9;
  report.ideal_over_makespan =
      static_cast<double>(greedy_makespan(context.workload, options.cores)) * 1e-9 / report.makespan_seconds;
  if (options.replay) fill_in(report, world, tape.replay(world_is.scheduler));
  report.wall_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  return report;
}

}  // namespace weft
