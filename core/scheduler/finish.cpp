#include <algorithm>
#include <utility>

#include "core/scheduler/state.hpp"

namespace weft {

using machine::Edge;
using machine::WorkerRecord;
namespace packet_bits = machine::packet_bits;
namespace packet_traits = machine::packet_traits;

namespace {
// One after the other: the record, its edges, the records of its inputs.
constexpr std::size_t kRecordAhead = 30;
constexpr std::size_t kEdgesAhead = 20;
constexpr std::size_t kInputsAhead = 10;
}  // namespace

/// 1. Each packet leaves its worker's list and becomes InMemory. 2. Its share in its inputs ends; what nobody needs any
/// more is noted for settle(). 3. The client hears of wanted ones; small ones are copied to the scheduler's process.
void SchedulerState::on(const PacketsFinished& event) {
  if (!is_known_worker(event.worker)) return;
  const std::size_t count = event.packets.size();
  // Most events are short: what their first packets need is fetched side by side, before the first one is looked at.
  for (std::size_t i = 0; i < std::min(count, kRecordAhead); ++i) packets.prefetch(event.packets[i].packet);
  for (std::size_t i = 0; i < std::min(count, kEdgesAhead); ++i) prefetch_edges(event.packets[i].packet);
  for (std::size_t i = 0; i < std::min(count, kInputsAhead); ++i) prefetch_inputs(event.packets[i].packet);
  for (std::size_t i = 0; i != count; ++i) {
    if (i + kRecordAhead < count) packets.prefetch(event.packets[i + kRecordAhead].packet);
    if (i + kEdgesAhead < count) prefetch_edges(event.packets[i + kEdgesAhead].packet);
    if (i + kInputsAhead < count) prefetch_inputs(event.packets[i + kInputsAhead].packet);
    const FinishedPacket& finished = event.packets[i];
    PacketRecord* found = running(finished.packet, finished.attempt, event.worker);
    if (found != nullptr) {
      finish(finished, *found);
    } else if (workers[event.worker].present) {
      const bool is_known = packets.knows(finished.packet);
      const PacketRecord* record = is_known ? &packets[finished.packet] : nullptr;
      const bool is_told_twice = is_known && record->state == PacketState::InMemory && record->worker == event.worker &&
                                 record->attempt == finished.attempt;
      if (!is_told_twice) emit(Drop{event.worker, finished.packet, finished.attempt});
    }
  }
  refresh(event.worker);
  if (std::exchange(solitary_waits, false)) revive_parked();
}

void SchedulerState::finish(const FinishedPacket& finished, PacketRecord& record) {
  const PacketId id = finished.packet;
  dequeue(id, record);
  transition(id, record, PacketState::InMemory);
  WorkerRecord& worker = workers[record.worker];
  record.output_bytes = static_cast<float>(finished.bytes);
  worker.held_bytes += static_cast<double>(record.output_bytes);
  if ((record.traits & packet_traits::kLearn) != 0) learn(id, finished.run_ns);
  close_edges(record);
  if (!options.keep_lineage) cut_lineage(record);
  if (record.wanted()) {
    emit(Report{id, PacketState::InMemory, Reason::None, record.attempt, record.worker, finished.failed_tasks, kNone});
  }
  if (!record.needed()) {
    unneeded.push_back(id);
    return;
  }
  const bool is_small = options.keep_bytes != 0 && finished.bytes <= options.keep_bytes;
  if (is_small && (record.wanted() || !record.has(packet_flags::kRetriable))) {
    emit(Replicate{record.worker, kKeeper, id, record.attempt});
  }
  if (worker.draining) rescue(id, record);
}

/// Forgets where the packet's inputs came from: it can not be run again.
void SchedulerState::cut_lineage(PacketRecord& record) {
  if (record.edge_count == 0) return;
  leave_inputs(record);
  record.bits |= packet_bits::kNoLineage;
}

void SchedulerState::on(const PacketProgress& event) {
  PacketRecord* record = running(event.packet, event.attempt, event.worker);
  if (record == nullptr) return;
  const std::uint32_t count = packets.details(event.packet).task_count;
  if (count == 0 || event.done_count == 0) return;
  // The rest of the packet's time stays booked; progress told twice only makes the estimate poorer.
  const float left =
      event.done_count >= count ? 0.0f : 1.0f - static_cast<float>(event.done_count) / static_cast<float>(count);
  WorkerRecord& worker = workers[event.worker];
  worker.queued_ns -= static_cast<Nanoseconds>(record->expected_ns);
  record->expected_ns *= left;
  worker.queued_ns += static_cast<Nanoseconds>(record->expected_ns);
  refresh(event.worker);
}

}  // namespace weft
