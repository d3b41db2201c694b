#include "core/scheduler/scheduler.hpp"

#include "core/scheduler/state.hpp"

namespace weft {

using machine::PacketDetails;

std::uint64_t SchedulerCounts::known() const {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : packets) sum += count;
  return sum;
}

Scheduler::Scheduler(SchedulerOptions options) : state_(std::make_unique<SchedulerState>(options)) {}

Scheduler::~Scheduler() = default;

/// 1. The event changes states; what nobody needs any more is noted.
/// 2. settle() releases and forgets it.
/// 3. deal_ready() deals while workers have room. 4. propose_steals() looks at workers that found nothing.
void Scheduler::handle(const SchedulerEvent& event, SchedulerActions& actions) {
  SchedulerState& state = *state_;
  state.actions = &actions;
  state.now = event.time;
  std::visit([&state](const auto& body) { state.on(body); }, event.body);
  state.settle();
  state.deal_ready();
  state.propose_steals();
  state.actions = nullptr;
#ifdef WEFT_CHECK_INVARIANTS
  // After every event while that is cheap; with many packets so that each event pays for a few hundred of them.
  constexpr std::uint64_t kPacketsPerEvent = 256;
  constexpr std::uint64_t kEveryEventUpTo = 4096;
  const std::uint64_t known = state.counts.known();
  if (known > kEveryEventUpTo && ++state.unchecked_events * kPacketsPerEvent < known) return;
  state.unchecked_events = 0;
  state.check_invariants();
#endif
}

void Scheduler::describe_deal(const Deal& deal, const SchedulerActions& actions, PacketsDealt& message) const {
  DealtPacket dealt;
  dealt.packet = deal.packet;
  dealt.attempt = deal.attempt;
  dealt.first_input = static_cast<std::uint32_t>(message.inputs.size());
  dealt.input_count = deal.input_count;
  dealt.spec = spec(deal.packet);
  const auto first = actions.inputs.begin() + deal.first_input;
  message.inputs.insert(message.inputs.end(), first, first + deal.input_count);
  if (dealt.spec.needs != kNone) {
    const Needs& needs = state_->needs[dealt.spec.needs];
    std::uint32_t index = 0;
    while (index != message.needs.size() && !(message.needs[index] == needs)) ++index;
    if (index == message.needs.size()) message.needs.push_back(needs);
    dealt.spec.needs = index;
  }
  message.packets.push_back(dealt);
}

bool Scheduler::knows(PacketId packet) const { return state_->packets.knows(packet); }

PacketState Scheduler::state(PacketId packet) const {
  WEFT_ASSERT(knows(packet), "only known packets have a state");
  return state_->packets[packet].state;
}

Attempt Scheduler::attempt(PacketId packet) const {
  WEFT_ASSERT(knows(packet), "only known packets have an attempt");
  return state_->packets[packet].attempt;
}

WorkerId Scheduler::owner(PacketId packet) const {
  WEFT_ASSERT(knows(packet), "only known packets have an owner");
  const machine::PacketRecord& record = state_->packets[packet];
  return record.available() ? record.worker : kNone;
}

PacketSpec Scheduler::spec(PacketId packet) const {
  WEFT_ASSERT(knows(packet), "only known packets have a description");
  const machine::PacketRecord& record = state_->packets[packet];
  const PacketDetails& details = state_->packets.details(packet);
  PacketSpec spec;
  spec.first_task = details.first_task;
  spec.task_count = details.task_count;
  spec.layer = details.layer;
  spec.producer_count = record.edge_count;
  spec.needs = state_->ready[record.kind].needs;
  spec.affinity = details.affinity;
  spec.home = record.has(packet_flags::kScattered) ? record.worker : kNone;
  if (!state_->heads.empty()) {
    const auto head = state_->heads.find(packet);
    if (head != state_->heads.end()) spec.head = head->second;
  }
  spec.priority = record.priority;
  spec.age = details.age;
  spec.turn = details.turn;
  spec.max_retries = record.retries;
  spec.flags = record.flags;
  spec.expected_ns = details.expected_ns;
  spec.output_bytes = details.output_bytes;
  spec.peak_bytes = details.peak_bytes;
  return spec;
}

std::vector<ProducerEdge> Scheduler::producers(PacketId packet) const {
  WEFT_ASSERT(knows(packet), "only known packets have producers");
  const machine::PacketRecord& record = state_->packets[packet];
  std::vector<ProducerEdge> edges;
  for (std::uint32_t i = 0; i != record.edge_count; ++i) {
    const machine::Edge& edge = state_->edges[record.first_edge + i];
    edges.push_back({edge.producer, static_cast<std::uint64_t>(edge.bytes)});
  }
  return edges;
}

std::vector<WorkerId> Scheduler::holders(PacketId packet) const {
  const auto& record = state_->packets[packet];
  if (record.state != PacketState::InMemory) return {};
  std::vector<WorkerId> all{record.worker};
  const auto found = state_->copies.find(packet);
  if (found != state_->copies.end()) all.insert(all.end(), found->second.begin(), found->second.end());
  return all;
}

bool Scheduler::is_drained(WorkerId worker) const { return state_->is_drained(worker); }

SchedulerCounts Scheduler::counts() const { return state_->counts; }

std::uint64_t Scheduler::memory_bytes() const { return state_->packets.memory_bytes() + state_->edges.memory_bytes(); }

void Scheduler::check_invariants() const { state_->check_invariants(); }

SchedulerState::SchedulerState(SchedulerOptions given)
    : options(given),
      cost{1e9 / given.bytes_per_second, given.latency_ns},
      limits{given.queue_packets, given.queue_ns, given.queue_packets_most},
      neighbours(1024, kNone) {}

SchedulerState::PacketRecord* SchedulerState::running(PacketId id, Attempt attempt, WorkerId worker) {
  PacketRecord* const record = packets.find(id);
  if (record == nullptr) return nullptr;
  const bool current = record->state == PacketState::Running && record->attempt == attempt && record->worker == worker;
  return current ? record : nullptr;
}

Nanoseconds SchedulerState::expected(const PacketSpec& spec) const {
  if (spec.expected_ns > 0) return spec.expected_ns;
  if (spec.layer < layers.size() && layers[spec.layer].task_ns > 0) {
    return static_cast<Nanoseconds>(layers[spec.layer].task_ns * static_cast<float>(spec.task_count)) + 1;
  }
  return options.queue_ns / options.queue_packets;
}

/// Keeps a moving average a task for packets whose time was unknown when they came.
void SchedulerState::learn(PacketId id, Nanoseconds run_ns) {
  constexpr std::uint32_t kLayers = 1u << 16;
  constexpr float kNewWeight = 0.25f;
  const PacketDetails& details = packets.details(id);
  if (details.layer >= kLayers || details.task_count == 0) return;
  if (details.layer >= layers.size()) layers.resize(details.layer + 1);
  const float task_ns = static_cast<float>(run_ns) / static_cast<float>(details.task_count);
  float& known = layers[details.layer].task_ns;
  known = known > 0 ? known + kNewWeight * (task_ns - known) : task_ns;
}

void SchedulerState::report(PacketId id, const PacketRecord& record, const Failure& failure) {
  emit(Report{id, record.state, failure.reason, record.attempt, record.worker, failure.error, failure.cause});
}

}  // namespace weft
