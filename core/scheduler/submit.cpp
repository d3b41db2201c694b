#include <algorithm>

#include "core/scheduler/state.hpp"

namespace weft {

using machine::Edge;
using machine::PacketDetails;
namespace class_bits = machine::class_bits;
namespace packet_bits = machine::packet_bits;
namespace packet_traits = machine::packet_traits;

namespace {

/// In edges: the producers' records.
constexpr std::uint32_t kRecordAhead = 32;

/// As long as no more packets than this are known, their records are in the cache anyway.
constexpr std::uint64_t kFewPackets = 16'384;

/// A large batch is dealt as it comes, while its records are in the cache.
constexpr std::uint32_t kDealEvery = 256;

bool go_by_id(const std::vector<PacketSpec>& specs) {
  const auto differs = [&specs](const PacketSpec& spec) {
    return spec.priority != specs.front().priority || spec.has(packet_flags::kAged);
  };
  return std::none_of(specs.begin(), specs.end(), differs);
}

bool is_plain(const Needs& needs) { return needs.slots <= 1 && needs.resources.empty() && needs.workers.empty(); }

}  // namespace

/// Every new packet is taken for needed; settle() releases the ones that turn out not to be, when all edges are known.
void SchedulerState::on(const PacketsSubmitted& event) {
  std::vector<std::uint32_t> interned(event.needs.size());
  for (std::size_t i = 0; i != event.needs.size(); ++i) interned[i] = intern(event.needs[i]);
  const auto count = static_cast<std::uint32_t>(event.packets.size());
  const bool deals_at_once = count >= kDealEvery && go_by_id(event.packets);
  const std::size_t edge_count = event.producers.size();
  std::size_t records_fetched = counts.known() > kFewPackets ? 0 : edge_count;
  for (std::uint32_t i = 0; i != count; ++i) {
    const PacketSpec& spec = event.packets[i];
    for (const std::size_t to = std::min<std::size_t>(edge_count, spec.first_producer + kRecordAhead);
         records_fetched < to;) {
      packets.prefetch(event.producers[records_fetched++].producer);
    }
    const PacketId id = event.first_packet + i;
    const std::uint32_t need = spec.needs == kNone ? kNone : interned[spec.needs];
    add_record(id, spec, ready.class_of(need, spec.has(packet_flags::kRoots) ? class_bits::kRoots : std::uint8_t{0}));
    if (spec.has(packet_flags::kScattered)) continue;
    begin(id, event.producers.data() + spec.first_producer, spec.producer_count, deals_at_once);
    refuse_if_impossible(id, packets[id]);
    if (i % kDealEvery == kDealEvery - 1) {
      require(kNone, false);
      deal_ready(Certain::Wanted);
    }
  }
  require(kNone, false);
  for (std::uint32_t i = 0; i != count; ++i) {
    const PacketId id = event.first_packet + i;
    if (packets.knows(id) && !packets[id].needed()) unneeded.push_back(id);
  }
}

void SchedulerState::add_record(PacketId id, const PacketSpec& spec, std::uint32_t kind) {
  PacketRecord& record = packets.add(id);
  const Nanoseconds time = expected(spec);
  record.first_edge = kNone;
  record.edge_count = 0;
  record.readers = kNone;
  record.readers_epoch = 0;
  record.linked = record.open = record.waiting = 0;
  record.worker = kNone;
  record.kind = kind;
  record.priority = spec.priority;
  record.expected_ns = static_cast<float>(time);
  record.output_bytes = static_cast<float>(spec.output_bytes);
  record.peak_bytes = static_cast<float>(spec.peak_bytes);
  record.attempt = 0;
  record.state = PacketState::Released;
  record.flags = spec.flags;
  record.retries = spec.max_retries;
  record.kills = 0;
  record.traits = static_cast<std::uint8_t>((spec.affinity != kNone ? packet_traits::kAffinity : 0) |
                                            (spec.expected_ns <= 0 ? packet_traits::kLearn : 0));
  ++counts.packets[static_cast<int>(PacketState::Released)];
  PacketDetails& details = packets.details(id);
  details = {spec.first_task,   spec.task_count, spec.layer, spec.affinity, spec.expected_ns,
             spec.output_bytes, spec.peak_bytes, spec.age,   spec.turn};
  if (!spec.has(packet_flags::kScattered)) return;
  const bool is_held = spec.home == kKeeper || (is_known_worker(spec.home) && workers[spec.home].present);
  if (!is_held) {
    fail(id, {Reason::Unrecoverable, kNone, id});
    return;
  }
  record.worker = spec.home;
  transition(id, record, PacketState::InMemory);
  if (spec.home != kKeeper) workers[spec.home].held_bytes += record.output_bytes;
}

/// Makes a packet that has just come unfinished: reads its inputs, and waits for those that are not available.
/// `may_deal`: if it is Ready, wanted, and nothing is ahead of it, it goes to its worker without a stay in the queue.
void SchedulerState::begin(PacketId id, const ProducerEdge* inputs, std::uint32_t count, bool may_deal) {
  PacketRecord& record = packets[id];
  std::uint32_t waiting = 0;
  if (count != 0) {
    record.first_edge = edges.allocate(count);
    record.edge_count = count;
    Edge* block = edges.block(record.first_edge);
    const std::uint32_t first = record.first_edge;
    for (std::uint32_t i = 0; i != count; ++i) {
      const PacketId input = inputs[i].producer;
      PacketRecord* const found = packets.find(input);
      WEFT_ASSERT(found != nullptr && input != id, "producers are known when consumers come");
      PacketRecord& producer = *found;
      // Signed: one instruction; no region has 2^63 bytes.
      const auto bytes = static_cast<float>(static_cast<std::int64_t>(inputs[i].bytes));
      block[i] = {input, id, producer.readers, producer.readers_epoch, bytes};
      producer.readers = first + i;
      ++producer.linked;
      ++producer.open;
      if (producer.available()) continue;
      ++waiting;
      if (producer.state == PacketState::Released) pending.push_back(input);
      if (producer.state == PacketState::Failed) doomed.push_back({id, {Reason::InputFailed, kNone, input}});
    }
  }
  record.waiting = waiting;
  transition(id, record, waiting != 0 ? PacketState::Waiting : PacketState::Ready);
  if (waiting != 0) return;
  if (may_deal && ready.size() == 0 && record.wanted() && pending.empty() && doomed.empty()) {
    const WorkerId worker = choose_worker(id, record);
    if (worker != kNone) return deal(id, record, worker);
  }
  push_ready(id, record);
}

std::uint32_t SchedulerState::intern(const Needs& given) {
  if (is_plain(given)) return kNone;
  for (std::uint32_t i = 0; i != needs.size(); ++i) {
    if (needs[i] == given) return i;
  }
  needs.push_back(given);
  return static_cast<std::uint32_t>(needs.size()) - 1;
}

/// Leaves a Running packet that share of its expected time and bytes.
void SchedulerState::shrink(PacketRecord& record, float share) {
  machine::WorkerRecord& worker = workers[record.worker];
  worker.queued_ns -= static_cast<Nanoseconds>(record.expected_ns);
  worker.promised_bytes -= record.output_bytes;
  record.expected_ns *= share;
  record.output_bytes *= share;
  worker.queued_ns += static_cast<Nanoseconds>(record.expected_ns);
  worker.promised_bytes += record.output_bytes;
}

/// Makes the tasks of a Running packet from `from_task` on a packet of their own, which needs the same inputs and
/// which every reader needs too.
void SchedulerState::split_tail(PacketId id, TaskId from_task, PacketId tail) {
  const PacketDetails before = packets.details(id);
  const std::uint32_t kept = from_task - before.first_task;
  WEFT_ASSERT(kept > 0 && kept < before.task_count, "a packet is split inside its range");
  const double share = static_cast<double>(before.task_count - kept) / before.task_count;

  PacketSpec spec;
  {
    const PacketRecord& record = packets[id];
    spec.first_task = from_task;
    spec.task_count = before.task_count - kept;
    spec.layer = before.layer;
    spec.affinity = before.affinity;
    spec.priority = record.priority;
    spec.age = before.age;
    spec.turn = before.turn;
    spec.max_retries = record.retries;
    spec.flags = record.flags;
    spec.expected_ns = static_cast<Nanoseconds>(static_cast<double>(record.expected_ns) * share) + 1;
    spec.output_bytes = static_cast<std::uint64_t>(static_cast<double>(before.output_bytes) * share);
    spec.peak_bytes = before.peak_bytes;
    const machine::ReadyClass& group = ready[record.kind];
    add_record(tail, spec, ready.class_of(group.needs, group.bits));
    packets[tail].kills = packets[id].kills;
    const auto head = heads.find(id);
    const PacketId first_head = head != heads.end() ? head->second : id;
    heads[tail] = first_head;
    tails[first_head].push_back(tail);
    packets[first_head].traits |= packet_traits::kHasTails;
  }
  std::vector<ProducerEdge> inputs;
  std::vector<std::pair<PacketId, float>> consumers;
  PacketRecord& record = packets[id];
  for (std::uint32_t i = 0; i != record.edge_count; ++i) {
    const Edge& edge = edges[record.first_edge + i];
    inputs.push_back({edge.producer, static_cast<std::uint64_t>(edge.bytes)});
  }
  // Later tasks may read earlier ones of the same packet.
  inputs.push_back({id, static_cast<std::uint64_t>(static_cast<double>(before.output_bytes) * (1.0 - share)) + 1});
  // Finished ones learn of the tail if they are to run again: add_missing_tails().
  for (std::uint32_t e = record.readers; e != kNone; e = edges[e].next) {
    const Edge& edge = edges[e];
    if (edge.consumer != kNone && packets[edge.consumer].unfinished()) {
      consumers.emplace_back(edge.consumer, edge.bytes);
    }
  }
  shrink(record, static_cast<float>(1.0 - share));
  PacketDetails& details = packets.details(id);
  details.task_count = kept;
  details.output_bytes -= spec.output_bytes;

  {
    PacketRecord& fresh = packets[tail];
    const machine::ReadyClass& group = ready[fresh.kind];
    fresh.kind = ready.class_of(group.needs, group.bits | class_bits::kUrgent);
  }
  begin(tail, inputs.data(), static_cast<std::uint32_t>(inputs.size()), false);
  require(kNone, false);
  for (const auto& [consumer, bytes] : consumers) {
    add_inputs(consumer, {{tail, static_cast<std::uint64_t>(bytes)}});
  }
  if (!packets[tail].needed()) unneeded.push_back(tail);
}

}  // namespace weft
