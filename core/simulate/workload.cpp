#include "core/simulate/workload.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace weft::sim {

TaskId Workload::add_task(Nanoseconds run, std::uint32_t bytes) {
  first_input.push_back(static_cast<std::uint32_t>(inputs.size()));
  run_ns.push_back(run);
  output_bytes.push_back(bytes);
  fates.push_back(Fate::Runs);
  return task_count() - 1;
}

void Workload::cut(std::uint32_t tasks_per_packet) {
  packets.clear();
  packet_of.resize(task_count());
  for (TaskId first = 0; first < task_count(); first += tasks_per_packet) {
    PlannedPacket packet;
    packet.first_task = first;
    packet.task_count = std::min(tasks_per_packet, task_count() - first);
    for (TaskId task = first; task < first + packet.task_count; ++task) {
      packet_of[task] = static_cast<PacketId>(packets.size());
    }
    packets.push_back(packet);
  }
  submitted_packets = static_cast<PacketId>(packets.size());
  last_reader.assign(packets.size(), kNone);
  for (TaskId task = 0; task < task_count(); ++task) {
    for (std::uint32_t i = first_input[task]; i < first_input[task + 1]; ++i) {
      const PacketId producer = packet_of[inputs[i]];
      if (producer != packet_of[task]) last_reader[producer] = packet_of[task];  // tasks come in order
    }
  }
}

PacketId Workload::split(PacketId packet, TaskId from_task) {
  const auto tail_id = static_cast<PacketId>(packets.size());
  PlannedPacket tail = packets[packet];
  tail.task_count = tail.first_task + tail.task_count - from_task;
  tail.first_task = from_task;
  packets[packet].task_count -= tail.task_count;
  packets.push_back(tail);
  last_reader.push_back(last_reader[packet]);
  for (TaskId task = from_task; task < from_task + tail.task_count; ++task) packet_of[task] = tail_id;
  return tail_id;
}

PacketsSubmitted Workload::submission(PacketId first, PacketId end) const {
  PacketsSubmitted message;
  message.first_packet = first;
  message.needs = needs;
  std::vector<TaskId> read;
  for (PacketId id = first; id < end; ++id) {
    const PlannedPacket& planned = packets[id];
    PacketSpec spec;
    spec.first_task = planned.first_task;
    spec.task_count = planned.task_count;
    spec.layer = 0;
    spec.needs = planned.needs;
    spec.affinity = planned.affinity;
    spec.priority = planned.priority;
    spec.max_retries = planned.max_retries;
    spec.flags = planned.flags;
    if (last_reader[id] != kNone && last_reader[id] >= end) spec.flags |= packet_flags::kWanted;
    spec.output_bytes = spec.peak_bytes = bytes_of(id);
    read.clear();
    for (TaskId task = planned.first_task; task < planned.first_task + planned.task_count; ++task) {
      spec.expected_ns += planned.expected_ns;
      if (is_root(task)) spec.flags |= packet_flags::kRoots;
      for (std::uint32_t i = first_input[task]; i < first_input[task + 1]; ++i) {
        if (inputs[i] < planned.first_task) read.push_back(inputs[i]);
      }
    }
    std::sort(read.begin(), read.end());
    read.erase(std::unique(read.begin(), read.end()), read.end());
    spec.first_producer = static_cast<std::uint32_t>(message.producers.size());
    for (const TaskId task : read) {
      const PacketId producer = packet_of[task];
      if (message.producers.size() == spec.first_producer || message.producers.back().producer != producer) {
        message.producers.push_back({producer, 0});
      }
      message.producers.back().bytes += output_bytes[task];
    }
    spec.producer_count = static_cast<std::uint32_t>(message.producers.size()) - spec.first_producer;
    message.packets.push_back(spec);
  }
  return message;
}

std::vector<PacketId> Workload::held_until(PacketId first, PacketId end) const {
  std::vector<PacketId> held;
  for (PacketId id = 0; id < packets.size(); ++id) {
    const bool is_earlier = id < first || id >= end;  // tails have later numbers
    const bool is_wanted = (packets[id].flags & packet_flags::kWanted) != 0;
    if (is_earlier && !is_wanted && last_reader[id] >= first && last_reader[id] < end) held.push_back(id);
  }
  return held;
}

std::uint64_t Workload::bytes_of(PacketId packet) const {
  std::uint64_t bytes = 0;
  const PlannedPacket& planned = packets[packet];
  for (TaskId task = planned.first_task; task < planned.first_task + planned.task_count; ++task) {
    bytes += output_bytes[task];
  }
  return bytes;
}

std::vector<Value> Workload::evaluate_all() const {
  std::vector<Value> values(task_count());
  for (TaskId task = 0; task < task_count(); ++task) {
    values[task] = evaluate(task, [&](TaskId input) { return values[input]; });
  }
  return values;
}

namespace {

/// Appends tasks with durations drawn in order.
class Builder {
 public:
  Builder(Workload& workload, double task_seconds, double sigma, std::uint32_t bytes, std::uint64_t seed)
      : workload_(workload), mean_ns_(task_seconds * 1e9), sigma_(sigma), bytes_(bytes), random_(seed) {}

  void input(TaskId task) { workload_.inputs.push_back(task); }
  TaskId add() { return workload_.add_task(static_cast<Nanoseconds>(mean_ns_ * random_.lognormal(sigma_)), bytes_); }
  [[nodiscard]] std::uint32_t count() const { return workload_.task_count(); }
  Random& random() { return random_; }

 private:
  Workload& workload_;
  const double mean_ns_;
  const double sigma_;
  const std::uint32_t bytes_;
  Random random_;
};

void add_tree(Builder& builder, std::uint32_t tasks) {
  const std::uint32_t leaves = std::max(1u, tasks / 2);
  for (std::uint32_t i = 0; i < leaves; ++i) builder.add();
  for (TaskId next = 0; next + 1 < builder.count(); next += 2) {
    builder.input(next);
    builder.input(next + 1);
    builder.add();
  }
}

void add_stencil(Builder& builder, std::uint32_t tasks, std::uint32_t width) {
  for (std::uint32_t i = 0; i < std::min(width, tasks); ++i) builder.add();
  while (builder.count() < tasks) {
    const std::uint32_t cell = builder.count() % width;
    const TaskId above = builder.count() - width;
    if (cell > 0) builder.input(above - 1);
    builder.input(above);
    if (cell + 1 < width) builder.input(above + 1);
    builder.add();
  }
}

void add_chains(Builder& builder, std::uint32_t tasks, std::uint32_t chains) {
  while (builder.count() < tasks) {
    if (builder.count() >= chains) builder.input(builder.count() - chains);
    builder.add();
  }
}

void add_random_dag(Builder& builder, std::uint32_t tasks, std::uint32_t width) {
  while (builder.count() < tasks) {
    const std::uint32_t reach = std::min(builder.count(), 4 * width);
    if (builder.count() >= std::min(width, tasks)) {
      const TaskId left = builder.count() - 1 - static_cast<TaskId>(builder.random().below(reach));
      const TaskId right = builder.count() - 1 - static_cast<TaskId>(builder.random().below(reach));
      builder.input(left);
      if (right != left) builder.input(right);
    }
    builder.add();
  }
}

void add_fork_join(Builder& builder, std::uint32_t tasks, std::uint32_t width) {
  const auto group = static_cast<std::uint32_t>(std::ceil(std::sqrt(width)));
  TaskId gate = kNone;
  while (builder.count() < tasks) {
    const TaskId wave = builder.count();
    for (std::uint32_t i = 0; i < width; ++i) {
      if (gate != kNone) builder.input(gate);
      builder.add();
    }
    const TaskId joins = builder.count();
    for (std::uint32_t first = 0; first < width; first += group) {
      for (std::uint32_t i = first; i < std::min(width, first + group); ++i) builder.input(wave + i);
      builder.add();
    }
    const TaskId joins_end = builder.count();
    for (TaskId join = joins; join < joins_end; ++join) builder.input(join);
    gate = builder.add();
  }
}

void add_map_reduce(Builder& builder, std::uint32_t tasks, std::uint32_t width) {
  constexpr std::uint32_t kMapsPerReducer = 8, kSlice = 16;
  const std::uint32_t reducers = std::max(1u, width / kMapsPerReducer);
  TaskId previous = kNone;
  while (builder.count() < tasks) {
    const TaskId maps = builder.count();
    for (std::uint32_t i = 0; i < width; ++i) {
      if (previous != kNone) builder.input(previous + i % reducers);
      builder.add();
    }
    previous = builder.count();
    for (std::uint32_t i = 0; i < reducers; ++i) {
      // A stride that spreads the slice over the whole round.
      for (std::uint32_t j = 0; j < std::min(kSlice, width); ++j) {
        builder.input(maps +
                      static_cast<TaskId>((std::uint64_t{i} * kSlice + j * (width / std::min(kSlice, width))) % width));
      }
      builder.add();
    }
  }
}

}  // namespace

Workload make_workload(const WorkloadOptions& options) {
  Workload workload;
  Builder builder(workload, options.task_seconds, options.sigma, options.output_bytes, options.seed);
  switch (options.shape) {
    case SimulationShape::Independent:
      for (std::uint32_t i = 0; i < options.tasks; ++i) builder.add();
      break;
    case SimulationShape::Tree:
      add_tree(builder, options.tasks);
      break;
    case SimulationShape::Stencil:
      add_stencil(builder, options.tasks, options.width);
      break;
    case SimulationShape::RandomDag:
      add_random_dag(builder, options.tasks, options.width);
      break;
    case SimulationShape::ForkJoin:
      add_fork_join(builder, options.tasks, options.width);
      break;
    case SimulationShape::MapReduce:
      add_map_reduce(builder, options.tasks, options.width);
      break;
    case SimulationShape::Chains:
      add_chains(builder, options.tasks, options.width);
      break;
  }
  return workload;
}

}  // namespace weft::sim
