#include <cmath>

#include "core/scheduler/state.hpp"

namespace weft {

using machine::Edge;
using machine::WorkerRecord;
namespace packet_bits = machine::packet_bits;

namespace {

struct Sums {
  std::uint64_t queued = 0;
  Nanoseconds queued_ns = 0;
  double held_bytes = 0;
  double promised_bytes = 0;
};

bool is_close(double a, double b) { return std::fabs(a - b) <= 1e-6 * (std::fabs(a) + std::fabs(b)) + 64; }

void check_edges(const SchedulerState& state, PacketId id, const machine::PacketRecord& record) {
  std::uint32_t waiting = 0;
  for (std::uint32_t i = 0; i != record.edge_count; ++i) {
    const Edge& edge = state.edges[record.first_edge + i];
    WEFT_ASSERT(edge.consumer == id, "a packet's edges name it as their consumer");
    WEFT_ASSERT(state.packets.knows(edge.producer), "inputs are known while their consumer is");
    waiting += state.packets[edge.producer].available() ? 0 : 1;
  }
  if (record.unfinished()) WEFT_ASSERT(record.waiting == waiting, "waiting counts the inputs that are not available");
  std::uint32_t open = 0;
  std::uint32_t dead = 0;
  for (std::uint32_t e = record.readers; e != kNone; e = state.edges[e].next) {
    const Edge& edge = state.edges[e];
    WEFT_ASSERT(edge.producer == id && edge.epoch == record.readers_epoch, "lists hold their own readers");
    dead += edge.consumer == kNone ? 1 : 0;
    open += edge.consumer != kNone && state.packets[edge.consumer].unfinished() ? 1 : 0;
  }
  WEFT_ASSERT(open == record.open, "open is the size of the set of unfinished readers, and all of them are listed");
  WEFT_ASSERT(open != 0 || record.readers == kNone, "a list without unfinished readers is dropped");
  const auto noted = state.dead_edges.find(id);
  WEFT_ASSERT(dead == (noted == state.dead_edges.end() ? 0 : noted->second), "dead edges are counted");
  WEFT_ASSERT((dead != 0) == ((record.traits & machine::packet_traits::kDeadEdges) != 0), "and noted in the record");
}

void check_state(const SchedulerState& state, PacketId id, const machine::PacketRecord& record) {
  const bool queued = state.ready.contains(record.kind, state.place_of(id, record));
  const bool parked = record.is(packet_bits::kParked);
  switch (record.state) {
    case PacketState::Waiting:
      WEFT_ASSERT(record.waiting > 0 && record.needed(), "Waiting packets are needed and wait");
      break;
    case PacketState::Ready:
      WEFT_ASSERT(record.waiting == 0 && record.needed(), "Ready packets are needed and wait for no input");
      WEFT_ASSERT(queued != parked, "Ready packets are queued or parked");
      break;
    case PacketState::Running:
      WEFT_ASSERT(state.workers[record.worker].present, "packets run at present workers");
      WEFT_ASSERT(record.needed(), "what runs is needed");
      break;
    case PacketState::InMemory:
      WEFT_ASSERT(record.worker == kKeeper || state.workers[record.worker].present, "present workers keep outputs");
      WEFT_ASSERT(record.needed(), "what is kept is needed");
      break;
    case PacketState::Released:
    case PacketState::Failed:
      WEFT_ASSERT(record.wanted() || record.linked != 0 || state.is_pinned_tail(id),
                  "what nobody can ask for is forgotten");
      break;
  }
  if (record.state != PacketState::Ready) WEFT_ASSERT(!queued && !parked, "only Ready packets are queued");
  WEFT_ASSERT(record.is(packet_bits::kCopies) == (state.copies.count(id) != 0), "copies are noted in the record");
}

}  // namespace

void SchedulerState::check_invariants() const {
  SchedulerCounts seen;
  std::vector<Sums> sums(workers.size());
  std::uint32_t recalled = 0;
  std::map<PacketId, std::uint32_t> links;
  std::uint64_t linked_in_all = 0;
  packets.for_each([&](PacketId id, const PacketRecord& record) {
    ++seen.packets[static_cast<int>(record.state)];
    check_state(*this, id, record);
    check_edges(*this, id, record);
    for (std::uint32_t e = 0; e != record.edge_count; ++e) ++links[edges[record.first_edge + e].producer];
    linked_in_all += record.linked;
    recalled += record.is(packet_bits::kRecalled) ? 1 : 0;
    if (!record.available() || record.worker == kKeeper) return;
    Sums& sum = sums[record.worker];
    if (record.state == PacketState::Running) {
      ++sum.queued;
      sum.queued_ns += static_cast<Nanoseconds>(record.expected_ns);
      sum.promised_bytes += static_cast<double>(record.output_bytes);
    } else {
      sum.held_bytes += static_cast<double>(record.output_bytes);
    }
  });
  for (int state = 0; state != kPacketStateCount; ++state) {
    WEFT_ASSERT(seen.packets[state] == counts.packets[state], "packets are counted by state");
  }
  for (const auto& [producer, count] : links) {
    WEFT_ASSERT(packets[producer].linked == count, "linked counts the known readers");
    linked_in_all -= count;
  }
  WEFT_ASSERT(linked_in_all == 0, "who has no known reader counts none");
  WEFT_ASSERT(recalled == recalls, "unanswered recalls are counted");
  std::uint32_t present = 0;
  for (WorkerId id = 0; id != workers.size(); ++id) {
    const WorkerRecord& worker = workers[id];
    present += worker.present ? 1 : 0;
    WEFT_ASSERT(worker.queued == sums[id].queued && worker.queued_ns == sums[id].queued_ns,
                "a worker's queue is summed");
    WEFT_ASSERT(is_close(worker.held_bytes, sums[id].held_bytes), "what a worker keeps is summed");
    WEFT_ASSERT(is_close(worker.promised_bytes, sums[id].promised_bytes), "what a worker will keep is summed");
    const std::vector<PacketId> running = worker.running.in_order();
    for (const PacketId one : running) {
      WEFT_ASSERT(packets[one].worker == id && packets[one].state == PacketState::Running, "queues hold what runs");
    }
    WEFT_ASSERT(running.size() == worker.queued && worker.running.size() == worker.queued, "queues are counted");
    const bool indexed = worker.group != machine::WorkerGroup::Closed;
    WEFT_ASSERT(!indexed || loads.set(worker.group, worker.bucket).contains(id), "workers are found by load");
  }
  WEFT_ASSERT(present == counts.workers, "present workers are counted");
}

}  // namespace weft
