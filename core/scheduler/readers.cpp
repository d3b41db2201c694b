// Who reads whom: the lists of readers behind SchedulerState's edges, and the tails that readers read too.

#include <algorithm>
#include <set>

#include "core/scheduler/state.hpp"

namespace weft {

using machine::Edge;
namespace packet_traits = machine::packet_traits;

namespace {
/// A list of readers is purged when more of it is dead than this and than what is open.
constexpr std::uint32_t kDeadTolerated = 32;
}  // namespace

bool SchedulerState::is_listed(const Edge& edge, const PacketRecord& producer) {
  return producer.readers != kNone && edge.epoch == producer.readers_epoch;
}

/// The edge of a packet that becomes unfinished.
void SchedulerState::open_edge(std::uint32_t edge_id, PacketRecord& producer) {
  ++producer.open;
  if (!is_listed(edges[edge_id], producer)) list_reader(edge_id, producer);
}

void SchedulerState::list_reader(std::uint32_t edge_id, PacketRecord& producer) {
  Edge& edge = edges[edge_id];
  edge.epoch = producer.readers_epoch;
  edge.next = producer.readers;
  producer.readers = edge_id;
}

/// Nobody unfinished reads the packet any more.
void SchedulerState::drop_readers(PacketId id, PacketRecord& producer) {
  if ((producer.traits & packet_traits::kDeadEdges) != 0) purge_readers(id, producer);
  producer.readers = kNone;
  ++producer.readers_epoch;
}

/// Takes the edges of forgotten consumers out of the list, and gives them back.
void SchedulerState::purge_readers(PacketId id, PacketRecord& producer) {
  std::uint32_t before = kNone;
  for (std::uint32_t at = producer.readers; at != kNone;) {
    const std::uint32_t next = edges[at].next;
    if (edges[at].consumer != kNone) {
      before = at;
    } else {
      (before == kNone ? producer.readers : edges[before].next) = next;
      edges.release(at, 1);
    }
    at = next;
  }
  producer.traits &= static_cast<std::uint8_t>(~packet_traits::kDeadEdges);
  dead_edges.erase(id);
}

/// The edges of a packet that needs them no more: given back, but for those that are still in a list.
void SchedulerState::abandon_edges(std::uint32_t first, std::uint32_t count) {
  if (count == 0) return;
  Edge* block = edges.block(first);
  std::uint32_t dead = 0;
  std::vector<PacketId> crowded;
  for (std::uint32_t i = 0; i != count; ++i) {
    PacketRecord& producer = packets[block[i].producer];
    if (is_listed(block[i], producer)) {
      bury(block[i], producer, crowded);
      ++dead;
    }
  }
  if (dead != count) edges.release(first, count - dead);
  for (const PacketId id : crowded) purge_readers(id, packets[id]);
}

/// Marks an edge in its producer's list as dead. `crowded` learns of a list that is to be purged.
void SchedulerState::bury(Edge& edge, PacketRecord& producer, std::vector<PacketId>& crowded) {
  edge.consumer = kNone;
  producer.traits |= packet_traits::kDeadEdges;
  const std::uint32_t dead_here = ++dead_edges[edge.producer];
  if (dead_here > kDeadTolerated && dead_here > producer.open) crowded.push_back(edge.producer);
}

/// Ends a packet's knowledge of its inputs, and gives its edges back but for those that are still in a list. Who is
/// read by nobody known any more may be forgotten too: its edges are fetched already, while its record is at hand.
void SchedulerState::leave_inputs(PacketRecord& record) {
  const std::uint32_t count = record.edge_count;
  if (count == 0) return;
  Edge* block = edges.block(record.first_edge);
  std::uint32_t dead = 0;
  std::vector<PacketId> crowded;
  for (std::uint32_t i = 0; i != count; ++i) {
    const PacketId input = block[i].producer;
    PacketRecord& producer = packets[input];
    if (--producer.linked == 0 && !producer.available()) {
      forgettable.push_back(input);
      edges.prefetch(producer.first_edge);
    }
    if ((producer.traits & packet_traits::kHasTails) != 0 && (record.traits & packet_traits::kPart) == 0) {
      const std::vector<PacketId>& of_input = tails[input];
      if (producer.linked == of_input.size()) forgettable.insert(forgettable.end(), of_input.begin(), of_input.end());
    }
    if (is_listed(block[i], producer)) {
      bury(block[i], producer, crowded);
      ++dead;
    }
  }
  if (dead != count) edges.release(record.first_edge, count - dead);
  for (const PacketId id : crowded) purge_readers(id, packets[id]);
  record.first_edge = kNone;
  record.edge_count = 0;
}

/// Gives `id` more inputs. The consumer's edges stay contiguous, so all of them move.
void SchedulerState::add_inputs(PacketId id, const std::vector<ProducerEdge>& more) {
  if (more.empty()) return;
  PacketRecord& record = packets[id];
  const bool is_open = record.unfinished();
  const std::uint32_t old_first = record.first_edge;
  const std::uint32_t old_count = record.edge_count;
  const auto count = static_cast<std::uint32_t>(old_count + more.size());
  const std::uint32_t first = edges.allocate(count);
  for (std::uint32_t i = 0; i != count; ++i) {
    Edge& edge = edges[first + i];
    if (i < old_count) {
      edge = edges[old_first + i];
    } else {
      edge = {more[i - old_count].producer, id, kNone, 0, static_cast<float>(more[i - old_count].bytes)};
    }
    PacketRecord& input = packets[edge.producer];
    edge.epoch = input.readers_epoch - 1;  // not in its list
    if (is_open) list_reader(first + i, input);
  }
  abandon_edges(old_first, old_count);
  record.first_edge = first;
  record.edge_count = count;
  for (const ProducerEdge& edge : more) {
    PacketRecord& added = packets[edge.producer];
    ++added.linked;
    if (!is_open) continue;
    ++added.open;
    if (!added.available()) ++record.waiting;
  }
  if (record.waiting == 0 || record.state != PacketState::Ready) return;
  remove_ready(id, record);
  transition(id, record, PacketState::Waiting);
}

/// A packet that had finished when tails were split off its inputs reads them when it is to run again. A tail itself
/// reads only those that come before it; a part of a packet that was taken apart reads what it needs as it is.
void SchedulerState::add_missing_tails(PacketId id) {
  const PacketRecord& record = packets[id];
  if ((record.traits & packet_traits::kPart) != 0) return;
  std::vector<ProducerEdge> missing;
  std::set<PacketId> there;
  const auto own = heads.find(id);
  for (std::uint32_t i = 0; i != record.edge_count; ++i) there.insert(edges[record.first_edge + i].producer);
  for (std::uint32_t i = 0; i != record.edge_count; ++i) {
    const Edge& edge = edges[record.first_edge + i];
    if ((packets[edge.producer].traits & packet_traits::kHasTails) == 0) continue;
    const bool is_sibling = own != heads.end() && own->second == edge.producer;
    for (const PacketId tail : tails[edge.producer]) {
      if (tail == id) continue;
      if (is_sibling && packets.details(tail).first_task > packets.details(id).first_task) continue;
      if (there.insert(tail).second) missing.push_back({tail, static_cast<std::uint64_t>(edge.bytes)});
    }
  }
  add_inputs(id, missing);
}

/// A tail is kept while its head has readers that are no tails of it: they read it too if they run again.
bool SchedulerState::is_pinned_tail(PacketId id) const {
  if (heads.empty()) return false;
  const auto head = heads.find(id);
  if (head == heads.end()) return false;
  const auto siblings = tails.find(head->second);
  return siblings != tails.end() && packets[head->second].linked > siblings->second.size();
}

void SchedulerState::forget_tail(PacketId id) {
  const auto head = heads.find(id);
  if (head == heads.end()) return;
  const auto siblings = tails.find(head->second);
  std::erase(siblings->second, id);
  if (siblings->second.empty()) {
    packets[head->second].traits &= static_cast<std::uint8_t>(~packet_traits::kHasTails);
    tails.erase(siblings);
  }
  heads.erase(head);
}

}  // namespace weft
