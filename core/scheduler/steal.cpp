#include <algorithm>

#include "core/policies/stealing.hpp"
#include "core/scheduler/state.hpp"

namespace weft {

using machine::Edge;
using machine::LoadIndex;
using machine::ReadyClass;
using machine::WorkerGroup;
using machine::WorkerRecord;
namespace packet_bits = machine::packet_bits;
namespace packet_traits = machine::packet_traits;

namespace {
constexpr std::uint32_t kStealsAtOnce = 8;
constexpr std::uint32_t kPacketsLookedAt = 8;
}  // namespace

void SchedulerState::on(const Tick&) {}

/// At most once in the time of a message, which is when more would be known. While workers have fewer packets than
/// slots and nothing is left to deal, asks the most loaded workers for their last packets: one recall unanswered for
/// each such worker at most. The victim decides; what it returns is placed like any ready packet.
void SchedulerState::propose_steals() {
  if (counts.workers < 2 || ready.size() != 0 || now < next_steals) return;
  next_steals = now + cost.latency_ns;
  std::uint32_t thieves = 0;
  std::uint32_t proposed = 0;
  for (std::uint32_t bucket = loads.lowest(WorkerGroup::Open); bucket != LoadIndex::kBuckets;
       bucket = loads.lowest(WorkerGroup::Open, bucket + 1)) {
    const machine::WorkerSet& set = loads.set(WorkerGroup::Open, bucket);
    for (WorkerId thief = set.first(); thief != kNone; thief = set.next(thief)) {
      if (workers[thief].queued >= workers[thief].slots) return;
      if (recalls >= ++thieves) continue;
      if (!propose_steal(thief) || ++proposed == kStealsAtOnce) return;
    }
  }
}

WorkerId SchedulerState::most_loaded() const {
  std::uint32_t best_bucket = 0;
  WorkerId best = kNone;
  for (const WorkerGroup part : {WorkerGroup::Full, WorkerGroup::Enough, WorkerGroup::Open}) {
    const std::uint32_t bucket = loads.highest(part);
    if (bucket == LoadIndex::kBuckets || (best != kNone && bucket <= best_bucket)) continue;
    best_bucket = bucket;
    best = loads.set(part, bucket).first();
  }
  return best;
}

bool SchedulerState::propose_steal(WorkerId thief) {
  const WorkerId victim_id = most_loaded();
  if (victim_id == kNone || victim_id == thief) return false;
  const WorkerRecord& victim = workers[victim_id];
  if (victim.queued <= victim.slots) return false;
  PacketId id = victim.running.last();
  double start_ns = static_cast<double>(victim.queued_ns) * victim.ns_share;
  for (std::uint32_t i = 0; i != kPacketsLookedAt && id != kNone;
       ++i, id = victim.running.before(packets[id].position)) {
    PacketRecord& record = packets[id];
    start_ns -= static_cast<double>(record.expected_ns) * victim.ns_share;
    if (!is_worth_stealing(record, thief, static_cast<Nanoseconds>(start_ns))) continue;
    record.bits |= packet_bits::kRecalled;
    ++recalls;
    emit(Recall{victim_id, id, record.attempt, false});
    return true;
  }
  return false;
}

/// Where a worker has nothing to do, the packet goes on there. One that somebody reads who has been dealt stays: that
/// one would keep its place in its worker's queue, and what the task waits for might never get one.
void SchedulerState::on(const PacketPostponed& event) {
  PacketRecord* const record = running(event.packet, event.attempt, event.worker);
  if (record == nullptr || recalls != 0 || record->is(packet_bits::kSettled)) return;
  if ((record->traits & packet_traits::kMovedMost) == packet_traits::kMovedMost) return;
  if (!can_run(*record) || has_running_reader(*record) || idle_other(event.worker, *record) == kNone) return;
  left_behind[event.packet] = event.worker;
  record->bits |= packet_bits::kRecalled;
  ++recalls;
  emit(Recall{event.worker, event.packet, event.attempt, false});
}

bool SchedulerState::has_running_reader(const PacketRecord& record) const {
  for (std::uint32_t e = record.readers; e != kNone; e = edges[e].next) {
    const PacketId id = edges[e].consumer;
    if (id != kNone && packets[id].state == PacketState::Running) return true;
  }
  return false;
}

WorkerId SchedulerState::idle_other(WorkerId than, const PacketRecord& record) const {
  const ReadyClass& group = ready[record.kind];
  const std::uint32_t bucket = loads.lowest(WorkerGroup::Open);
  if (bucket == LoadIndex::kBuckets) return kNone;
  const machine::WorkerSet& set = loads.set(WorkerGroup::Open, bucket);
  for (WorkerId id = set.first(); id != kNone; id = set.next(id)) {
    if (workers[id].queued == 0 && id != than && may_take(record, group, id)) return id;
  }
  return kNone;
}

/// `start_ns`: when the victim would come to it.
bool SchedulerState::is_worth_stealing(const PacketRecord& record, WorkerId thief, Nanoseconds start_ns) const {
  if (record.is(packet_bits::kRecalled) || record.is(packet_bits::kSettled)) return false;
  if ((record.traits & packet_traits::kMovedMost) == packet_traits::kMovedMost) return false;
  const ReadyClass& group = ready[record.kind];
  if (!may_take(record, group, thief)) return false;
  double moved_bytes = 0;
  Nanoseconds inputs_ns = 0;
  for (std::uint32_t i = 0; i != record.edge_count; ++i) {
    const Edge& edge = edges[record.first_edge + i];
    const PacketRecord& producer = packets[edge.producer];
    if (producer.worker != thief) moved_bytes += static_cast<double>(edge.bytes);
    if (producer.state == PacketState::Running) {
      const WorkerRecord& maker = workers[producer.worker];
      inputs_ns = std::max(inputs_ns, maker.end_ns(producer.position, producer.expected_ns));
    }
  }
  const policies::PlacementCandidate move{thief, moved_bytes, 0, 0, false};
  return policies::steal_pays(start_ns, inputs_ns, policies::start_ns(move, cost), cost.latency_ns);
}

}  // namespace weft
