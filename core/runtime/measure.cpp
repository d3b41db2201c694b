#include <weft/measure.hpp>

#include "core/diagnostics/ticks.hpp"
#include "core/scheduler/scheduler.hpp"

#include <weft/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <vector>

namespace weft::measure {
namespace {

constexpr std::uint64_t kResultBytes = 8;
constexpr Nanoseconds kTaskNs = 1'000'000;
/// What the cutter aims at: this many packets for each worker, and never more tasks than this in one.
constexpr std::uint32_t kPacketsPerWorker = 8;
constexpr std::uint32_t kMostPacketTasks = 16'384;
constexpr std::uint32_t kInputs = 2;
/// A submission ends when it has this many edges: then what it holds, and what it makes the machine say, stays cached.
constexpr std::size_t kSubmissionEdges = 8192;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// The inputs of all tasks, two each but for the first two tasks (kNone: none).
std::vector<TaskId> random_graph(const SchedulerLoad& load) {
  std::vector<TaskId> inputs(std::size_t{kInputs} * load.tasks, kNone);
  std::uint64_t state = load.seed;
  const auto random_below = [&state](std::uint32_t limit) {
    state += 0x9E3779B97F4A7C15ULL;
    std::uint64_t mixed = state;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ULL;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBULL;
    return static_cast<std::uint32_t>(((mixed >> 32) * limit) >> 32);
  };
  for (TaskId task = 1; task < load.tasks; ++task) {
    const std::uint32_t reach = load.reach == 0 ? task : std::min(task, load.reach);
    for (std::uint32_t k = 0; k < kInputs; ++k) inputs[kInputs * task + k] = task - 1 - random_below(reach);
  }
  return inputs;
}

/// Turns ranges of the stored graph into packets with their producers.
/// Owns: which producers the packet at hand has already, where they are too many to look through.  Threading: none.
class Cutter {
 public:
  Cutter(const std::vector<TaskId>& inputs, std::uint32_t tasks, std::uint32_t size)
      : inputs_(inputs),
        tasks_(tasks),
        size_(size),
        inverse_(size == 1 ? 0 : ~std::uint64_t{0} / size + 1),
        packets_((tasks + size - 1) / size),
        seen_(size > kFewTasks ? packets_ : 0, Seen{kNone, 0}) {}

  std::uint32_t packet_count() const { return packets_; }

  /// Appends packet `packet` to the submission.
  void cut(PacketId packet, PacketsSubmitted& submission) {
    PacketSpec spec;
    spec.first_task = packet * size_;
    spec.task_count = std::min(size_, tasks_ - spec.first_task);
    spec.first_producer = static_cast<std::uint32_t>(submission.producers.size());
    spec.flags = packet_flags::kRetriable | packet_flags::kWanted;
    spec.expected_ns = kTaskNs * spec.task_count;
    spec.output_bytes = spec.peak_bytes = kResultBytes * spec.task_count;
    for (std::size_t i = std::size_t{kInputs} * spec.first_task;
         i < std::size_t{kInputs} * (spec.first_task + spec.task_count); ++i) {
      if (inputs_[i] == kNone) {
        spec.flags |= packet_flags::kRoots;
        continue;
      }
      const PacketId producer = packet_of(inputs_[i]);
      if (producer == packet) continue;
      ProducerEdge* const known = size_ > kFewTasks ? find_marked(packet, producer, submission.producers)
                                                    : find(producer, spec.first_producer, submission.producers);
      if (known != nullptr) {
        known->bytes += kResultBytes;
      } else {
        submission.producers.push_back({producer, kResultBytes});
      }
    }
    spec.producer_count = static_cast<std::uint32_t>(submission.producers.size()) - spec.first_producer;
    submission.packets.push_back(spec);
  }

 private:
  /// Of packets up to this size the producers that they have are looked through.
  static constexpr std::uint32_t kFewTasks = 4;

  struct Seen {
    PacketId by;
    std::uint32_t edge;
  };

  PacketId packet_of(TaskId task) const {
    return inverse_ == 0 ? task : static_cast<PacketId>((__uint128_t{task} * inverse_) >> 64);
  }

  static ProducerEdge* find(PacketId producer, std::size_t first, std::vector<ProducerEdge>& edges) {
    for (std::size_t i = first; i != edges.size(); ++i) {
      if (edges[i].producer == producer) return &edges[i];
    }
    return nullptr;
  }

  /// The same through the marks; a producer that is not found is marked as the next one.
  ProducerEdge* find_marked(PacketId packet, PacketId producer, std::vector<ProducerEdge>& edges) {
    Seen& seen = seen_[producer];
    if (seen.by == packet) return &edges[seen.edge];
    seen = {packet, static_cast<std::uint32_t>(edges.size())};
    return nullptr;
  }

  const std::vector<TaskId>& inputs_;
  const std::uint32_t tasks_;
  const std::uint32_t size_;
  const std::uint64_t inverse_;  // a product with it divides 32-bit numbers by size_, exactly; 0: size_ is 1
  const std::uint32_t packets_;
  std::vector<Seen> seen_;  // by producer: who named it last, and where
};

/// Plays the client and all workers around one scheduler machine.
/// Owns: the machine and the pretended workers' queues.  Threading: none.
class Play {
 public:
  Play(const SchedulerLoad& load, std::uint32_t packets)
      : load_(load),
        packets_(packets),
        scheduler_(SchedulerOptions{}),
        running_(load.workers),
        finishing_(load.workers) {
    if (load.verify) owners_.assign(packets, kNone);
    for (WorkerId worker = 0; worker < load.workers; ++worker) {
      WorkerJoined joined;
      joined.worker = worker;
      tell(std::move(joined));
    }
  }

  /// The submission that submit() hands over, with the memory of the last one.
  PacketsSubmitted& next_submission(PacketId first) {
    PacketsSubmitted& next = std::get<PacketsSubmitted>(submitted_.body);
    next.first_packet = first;
    next.packets.clear();
    next.producers.clear();
    return next;
  }

  void submit() {
    cost.edges += std::get<PacketsSubmitted>(submitted_.body).producers.size();
    tell(submitted_);
  }

  /// Every worker finishes all that it had been dealt. Returns whether there was anything.
  bool finish_all() {
    running_.swap(finishing_);
    bool any = false;
    for (WorkerId worker = 0; worker < load_.workers; ++worker) {
      if (finishing_[worker].empty()) continue;
      any = true;
      PacketsFinished& finished = std::get<PacketsFinished>(finished_.body);
      finished.worker = worker;
      finished.packets.swap(finishing_[worker]);
      tell(finished_);
      finished.packets.swap(finishing_[worker]);
      finishing_[worker].clear();
    }
    cost.memory_bytes = std::max(cost.memory_bytes, scheduler_.memory_bytes());
    return any;
  }

  void release(PacketId first, PacketId end) {
    OutputsReleased released;
    for (PacketId packet = first; packet < end; ++packet) released.packets.push_back(packet);
    tell(std::move(released));
  }

  void check_end() {
    const double tick = 1 / ticks_per_second();
    for (const Ticks ticks : ticks_) cost.machine_seconds += static_cast<double>(ticks) * tick;
    cost.submit_seconds = ticks_in<PacketsSubmitted>() * tick;
    cost.finish_seconds = ticks_in<PacketsFinished>() * tick;
    cost.release_seconds = ticks_in<OutputsReleased>() * tick;
    if (dealt_ != packets_ || reported_ != packets_ || forgotten_ != packets_ || scheduler_.counts().known() != 0) {
      throw Error(fmt::format("scheduler_only: of {} packets {} were dealt, {} reported, {} forgotten, {} are left",
                              packets_, dealt_, reported_, forgotten_, scheduler_.counts().known()));
    }
  }

  SchedulerCost cost;

 private:
  template <class Event>
  [[nodiscard]] double ticks_in() const {
    return static_cast<double>(ticks_[SchedulerEventBody(Event{}).index()]);
  }

  void tell(SchedulerEventBody body) {
    SchedulerEvent event{0, std::move(body)};
    tell(event);
  }

  void tell(SchedulerEvent& event) {
    event.time = time_ += 1000;
    const Ticks begun = ticks_now();
    scheduler_.handle(event, actions_);
    ticks_[event.body.index()] += ticks_now() - begun;
    ++cost.events;
    cost.actions += actions_.list.size();
    for (const SchedulerAction& action : actions_.list) {
      if (const Deal* const deal = std::get_if<Deal>(&action)) {
        take(*deal);
      } else if (const Report* const report = std::get_if<Report>(&action)) {
        reported_ += report->state == PacketState::InMemory ? 1 : 0;
      } else if (std::holds_alternative<Forget>(action)) {
        ++forgotten_;
      }
    }
    actions_.clear();
  }

  void take(const Deal& deal) {
    ++dealt_;
    running_[deal.worker].push_back({deal.packet, deal.attempt, 0, kResultBytes, kTaskNs});
    if (load_.verify) verify(deal);
  }

  void verify(const Deal& deal) {
    if (owners_[deal.packet] != kNone)
      throw Error(fmt::format("scheduler_only: packet {} was dealt twice", deal.packet));
    owners_[deal.packet] = deal.worker;
    for (std::uint32_t i = 0; i < deal.input_count; ++i) {
      const InputSource& source = actions_.inputs[deal.first_input + i];
      if (source.producer >= deal.packet || owners_[source.producer] == kNone ||
          source.owner != owners_[source.producer])
        throw Error(fmt::format("scheduler_only: packet {} was told to take {} from worker {}, where it is not",
                                deal.packet, source.producer, source.owner));
    }
  }

  const SchedulerLoad load_;
  const std::uint32_t packets_;
  Scheduler scheduler_;
  SchedulerActions actions_;
  std::vector<std::vector<FinishedPacket>> running_;  // by worker, dealt and not finished
  std::vector<std::vector<FinishedPacket>> finishing_;
  std::vector<WorkerId> owners_;
  SchedulerEvent finished_{0, PacketsFinished{}};
  SchedulerEvent submitted_{0, PacketsSubmitted{}};
  Nanoseconds time_ = 0;
  Ticks ticks_[std::variant_size_v<SchedulerEventBody>] = {};  // inside the machine, by kind of event
  std::uint64_t dealt_ = 0;
  std::uint64_t reported_ = 0;
  std::uint64_t forgotten_ = 0;
};

}  // namespace

SchedulerCost scheduler_only(const SchedulerLoad& load) {
  if (load.workers == 0 || load.tasks < 2 || load.tasks > (1u << 30))
    throw Error("scheduler_only: give at least one worker, and from 2 to 1,073,741,824 tasks");
  const std::vector<TaskId> inputs = random_graph(load);
  std::uint32_t size = load.tasks_per_packet;
  if (size == 0) size = std::clamp(load.tasks / (load.workers * kPacketsPerWorker), 1u, kMostPacketTasks);
  const double begun = seconds_now();
  Cutter cutter(inputs, load.tasks, size);
  const std::uint32_t packets = cutter.packet_count();
  Play play(load, packets);
  // The client hands over what its workers can run meanwhile, so that packets of all states are there at once.
  const std::uint32_t batch = load.batch != 0 ? load.batch : 2 * load.workers;
  for (PacketId packet = 0; packet < packets;) {
    const PacketId end = std::min(packets - packet, batch) + packet;
    while (packet < end) {
      PacketsSubmitted& submission = play.next_submission(packet);
      const double cutting = seconds_now();
      while (packet < end && submission.producers.size() < kSubmissionEdges) cutter.cut(packet++, submission);
      play.cost.cut_seconds += seconds_now() - cutting;
      play.submit();
    }
    play.finish_all();
  }
  while (play.finish_all()) {
  }
  for (PacketId first = 0; first < packets; first += batch) play.release(first, std::min(packets, first + batch));
  play.cost.seconds = seconds_now() - begun;
  play.check_end();
  play.cost.packets = packets;
  play.cost.tasks_per_packet = size;
  return play.cost;
}

}  // namespace weft::measure
