// Killers: packets that were running when workers died. Which of a packet's tasks is to blame nobody knows; so before
// the last chance each task gets a packet of its own, which is dealt alone, and only the guilty one loses it.

#include <algorithm>

#include "core/scheduler/state.hpp"

namespace weft {

using machine::Edge;
using machine::ReadyClass;
namespace class_bits = machine::class_bits;
namespace packet_bits = machine::packet_bits;
namespace packet_traits = machine::packet_traits;

/// False for a packet whose first task still waited for an input when its worker died.
bool SchedulerState::may_have_run(PacketId id) const {
  const PacketRecord& record = packets[id];
  if (packets.details(id).task_count > 1) return true;
  for (std::uint32_t i = 0; i != record.edge_count; ++i) {
    const PacketRecord& producer = packets[edges[record.first_edge + i].producer];
    // One that runs there may have ended, and its end not been told.
    const bool is_here = producer.state == PacketState::Running && producer.worker == record.worker;
    if (producer.state != PacketState::InMemory && !is_here) return false;
  }
  return true;
}

/// Who ran at a worker that is gone, in the order of its queue. Asked before anything changes.
std::vector<SchedulerState::Suspect> SchedulerState::suspects_of(const WorkerLost& event) const {
  std::vector<Suspect> suspects;
  std::uint32_t named_count = 0;
  for (const PacketId id : workers[event.worker].running.in_order()) {
    const std::vector<PacketId>& named = event.suspects;
    Suspect one;
    one.packet = id;
    one.is_named = may_have_run(id) && (named.empty() || std::find(named.begin(), named.end(), id) != named.end());
    named_count += one.is_named ? 1 : 0;
    suspects.push_back(one);
  }
  for (Suspect& one : suspects) one.is_alone = named_count <= 1;
  return suspects;
}

/// Sets a packet aside until the caller says what its tasks are.
void SchedulerState::narrow(PacketId id, PacketRecord& record) {
  if (record.state == PacketState::Ready) park(id, record);
  narrowing.insert(id);
  emit(Narrow{id});
}

/// All tasks of a packet that has just left its worker have failed for good. Its readers run: they take the failures.
void SchedulerState::end_at_keeper(PacketId id, PacketRecord& record) {
  transition(id, record, PacketState::InMemory);
  record.worker = kKeeper;
  record.output_bytes = 0;
  record.traits |= packet_traits::kEnded;
  close_edges(record);
  redirect_consumers(id, record);
  emit(Report{id, PacketState::InMemory, Reason::KilledWorkers, record.attempt, kKeeper, packets.details(id).task_count,
              id});
  if (!record.needed()) unneeded.push_back(id);
}

/// 1. Readers that were dealt come back: what they know of the packet is no longer so. 2. The parts take its place;
/// each has as many chances left as the packet had. 3. The packet has nothing left to run, and is said to have
/// ended. 4. Its readers read the parts too.
void SchedulerState::on(const PacketSplit& event) {
  PacketRecord* const found = packets.find(event.packet);
  if (found == nullptr || (found->state != PacketState::Ready && found->state != PacketState::Waiting)) return;
  PacketRecord& record = *found;
  narrowing.erase(event.packet);
  if (event.parts.empty()) {
    if (!record.is(packet_bits::kParked)) return;
    remove_ready(event.packet, record);
    push_ready(event.packet, record);
    return;
  }
  std::vector<std::pair<PacketId, float>> readers;
  for (std::uint32_t e = record.readers; e != kNone; e = edges[e].next) {
    const Edge& edge = edges[e];
    if (edge.consumer != kNone && packets[edge.consumer].unfinished()) readers.emplace_back(edge.consumer, edge.bytes);
  }
  for (const auto& [reader, bytes] : readers) recall_reader(reader);
  add_parts(event);

  if (record.state == PacketState::Ready) {
    remove_ready(event.packet, record);
  } else {
    transition(event.packet, record, PacketState::Ready);
  }
  close_edges(record);
  transition(event.packet, record, PacketState::Running);
  ++record.attempt;
  record.worker = kKeeper;
  wake_consumers(event.packet, record);
  transition(event.packet, record, PacketState::InMemory);
  record.output_bytes = 0;
  record.flags &= static_cast<std::uint8_t>(~packet_flags::kWanted);
  record.traits |= packet_traits::kEnded;
  if (!record.needed()) unneeded.push_back(event.packet);

  for (const auto& [reader, bytes] : readers) {
    const double share = static_cast<double>(bytes) / static_cast<double>(event.parts.size());
    std::vector<ProducerEdge> more;
    for (std::uint32_t i = 0; i != event.parts.size(); ++i) {
      more.push_back({event.first_part + i, static_cast<std::uint64_t>(share) + 1});
    }
    add_inputs(reader, more);
  }
}

void SchedulerState::add_parts(const PacketSplit& event) {
  const auto count = static_cast<std::uint32_t>(event.parts.size());
  std::vector<PacketId>& siblings = tails[event.packet];
  packets[event.packet].traits |= packet_traits::kHasTails;
  std::vector<ProducerEdge> inputs;
  for (std::uint32_t i = 0; i != count; ++i) {
    const PacketId id = event.first_part + i;
    const PacketSpec& spec = event.parts[i];
    const PacketRecord& whole = packets[event.packet];
    const ReadyClass& group = ready[whole.kind];
    const std::uint32_t need = group.needs;
    const auto bits = static_cast<std::uint8_t>(group.bits | class_bits::kSolitary | class_bits::kUrgent);
    add_record(id, spec, ready.class_of(need, bits));
    PacketRecord& part = packets[id];
    part.kills = whole.kills;
    part.retries = whole.retries;
    part.traits |= packet_traits::kPart;
    heads[id] = event.packet;
    siblings.push_back(id);
    const auto first = event.producers.begin() + static_cast<std::ptrdiff_t>(spec.first_producer);
    inputs.assign(first, first + static_cast<std::ptrdiff_t>(spec.producer_count));
    inputs.push_back({event.packet, 0});
    begin(id, inputs.data(), static_cast<std::uint32_t>(inputs.size()), false);
    if (!spec.has(packet_flags::kWanted)) unneeded.push_back(id);
  }
  require(kNone, false);
}

/// What only waits for inputs at a worker would begin to run beside a packet that may kill it, as these come: then its
/// death would not tell who is to blame.
void SchedulerState::take_back_waiting(WorkerId worker) {
  for (const PacketId id : workers[worker].running.in_order()) {
    if (packets[id].has(packet_flags::kRetriable)) recall_reader(id);
  }
}

/// Takes a reader back from its worker, which need not answer.
void SchedulerState::recall_reader(PacketId id) {
  PacketRecord& record = packets[id];
  if (record.state != PacketState::Running) return;
  const WorkerId worker = record.worker;
  emit(Recall{worker, id, record.attempt, true});
  dequeue(id, record);
  refresh(worker);
  run_again(id, record);
}

}  // namespace weft
