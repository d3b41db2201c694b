// Packets that were running when workers died: taken apart before their last chance, so that only the task which kills
// fails, with what is known of each death.

#include "core/cluster/client_process.hpp"
#include "core/cluster/origins.hpp"
#include "core/graph/task_name.hpp"

#include <weft/log.hpp>

#include <algorithm>

namespace weft::cluster {
namespace {

/// Supervisors tell of a death within milliseconds; where the connection says it first, their word is waited for.
constexpr Nanoseconds kLongestSilence = 2'000'000'000;

bool is_managed(const TaskRecord& record) { return (record.join.load(std::memory_order_relaxed) & kManagedJoin) != 0; }

}  // namespace

/// Notes for each packet that runs at a worker which is gone that it was there. Before the machine hears of it.
void ClientProcess::note_death(WorkerId worker) {
  for (auto& [id, packet] : packets_) {
    if (packet.owner != worker || packet.over || !machine_.knows(id)) continue;
    if (machine_.state(id) == PacketState::Running && machine_.owner(id) == worker) packet.deaths.push_back(worker);
  }
}

std::string ClientProcess::in_own_numbers(std::string_view text) {
  const std::lock_guard lock(mutex_);
  return with_numbers(text, [this](const Origin& origin) {
    if (origin.packet == kHandedPacket) return call_.last;
    const ClientPacket* packet = find(origin.packet);
    if (packet != nullptr && packet->first_part != kNone) {
      packet = find(packet->first_part + origin.index);
      return packet != nullptr ? packet->single : kNone;
    }
    return packet != nullptr && !packet->over && origin.index < packet->count ? packet->tasks[origin.index] : kNone;
  });
}

/// Whether a worker is supervised and runs a packet that was there when another one died: then it is worth while to
/// know why it died, because the packet's failure may have to tell it.
bool ClientProcess::may_run_a_killer(WorkerId worker) const {
  const ClientWorker& known = members_.workers[worker];
  if (!known.standing.present || known.standing.identity.key.empty() || known.told_to_end || known.told_to_restart ||
      stopping_.load()) {
    return false;
  }
  return std::any_of(packets_.begin(), packets_.end(), [&](const auto& entry) {
    return entry.second.owner == worker && !entry.second.over && !entry.second.deaths.empty();
  });
}

/// Takes workers for lost whose supervisors do not say what has become of them.
void ClientProcess::lose_silent(Nanoseconds time) {
  for (WorkerId id = 0; id < members_.workers.size(); ++id) {
    const Nanoseconds since = members_.workers[id].silent_since;
    if (since != 0 && time - since > kLongestSilence) lose_worker(id, "the connection to it was lost");
  }
}

/// Makes a packet of each task of one that may have killed its workers.
void ClientProcess::narrow(PacketId id) {
  ClientPacket* const whole = find(id);
  if (whole == nullptr || !machine_.knows(id)) return;
  const PacketState state = machine_.state(id);
  if (state != PacketState::Ready && state != PacketState::Waiting) return;
  if (whole->over || whole->ended || whole->count < 2) return tell(PacketSplit{id, kNone, {}, {}});
  flush_submission();
  PacketSplit split;
  split.packet = id;
  split.first_part = next_packet_;
  GraphRun* const graph = whole->graph;
  for (const TaskId task : whole->list()) {
    PacketId part_id = kNone;
    ClientPacket& part = add_packet(part_id);
    part.single = task;
    part.tasks = &part.single;
    part.count = 1;
    part.graph = graph;
    part.deaths = whole->deaths;
    TaskRecord& record = arena::task(task);
    record.packet = part_id;
    record.link = 0;
    if (graph == nullptr) continue;
    graph->packets.push_back(part_id);
    ++graph->packets_left;
  }
  const std::vector<ProducerEdge> of_whole = machine_.producers(id);
  const PacketSpec spec = machine_.spec(id);
  for (std::uint32_t i = 0; i < whole->count; ++i) {
    describe_part(packets_[split.first_part + i], split.first_part, of_whole, split);
    PacketSpec& part = split.parts.back();
    part.priority = spec.priority;
    part.max_retries = spec.max_retries;
    part.peak_bytes = spec.peak_bytes;
    part.output_bytes = spec.output_bytes / whole->count;
    part.expected_ns = spec.expected_ns / whole->count;
  }
  logging::warning("cluster", "one of ", whole->count,
                   " tasks that were dealt together kills workers: each runs alone");
  // Nothing is left of it but its number and those of its parts, until the machine forgets that.
  whole->first_part = split.first_part;
  whole->tasks = nullptr;
  whole->count = 0;
  whole->graph = nullptr;
  whole->ended = whole->released = true;
  --outstanding_;
  if (graph != nullptr) --graph->packets_left;
  tell(std::move(split));
}

/// Appends a part to the split. What the whole packet read, or another part makes, is read; the other inputs' ends go
/// along.
void ClientProcess::describe_part(ClientPacket& part, PacketId first_part, const std::vector<ProducerEdge>& of_whole,
                                  PacketSplit& split) {
  const TaskRecord& record = arena::task(part.single);
  PacketSpec spec;
  spec.flags = packet_flags::kWanted | packet_flags::kRetriable;
  if (record.input_count == 0) spec.flags |= packet_flags::kRoots;
  spec.first_producer = static_cast<std::uint32_t>(split.producers.size());
  for (std::uint32_t k = 0; k < record.input_count; ++k) {
    const TaskId input = arena::edge(record.first_input + k).producer;
    const TaskRecord& producer = arena::task(input);
    const PacketId from = producer.packet;
    const bool is_part = from != kNone && from >= first_part;
    const bool is_read = std::any_of(of_whole.begin(), of_whole.end(),
                                     [from](const ProducerEdge& edge) { return edge.producer == from; });
    if (!is_managed(producer) || !(is_part || is_read)) {
      arena::add_use(input);
      part.held.push_back(input);
      continue;
    }
    const auto first = split.producers.begin() + static_cast<std::ptrdiff_t>(spec.first_producer);
    const auto same =
        std::find_if(first, split.producers.end(), [from](const ProducerEdge& edge) { return edge.producer == from; });
    const std::uint64_t bytes = site(producer.site).type->result->size;
    if (same != split.producers.end()) {
      same->bytes += bytes;
    } else {
      split.producers.push_back({from, bytes});
    }
  }
  spec.producer_count = static_cast<std::uint32_t>(split.producers.size()) - spec.first_producer;
  split.parts.push_back(spec);
}

/// All tasks of a packet have failed for the workers that died with it. What reads them takes the failures from here.
void ClientProcess::end_killed(PacketId id, ClientPacket& packet) {
  packet.killed = true;
  packet.owner = kKeeper;
  auto made = std::make_shared<TaskFailure>();
  made->type = "weft::Error";
  made->message = deaths_text(packet);
  packet.failure = made;
  for (std::uint32_t i = 0; i < packet.count; ++i) {
    const TaskId task = packet.tasks[i];
    if (packet.ended && is_here(task)) continue;
    if (std::find(packet.wanted.begin(), packet.wanted.end(), i) == packet.wanted.end()) {
      fail_task(task, made, true);
      continue;
    }
    TaskEnd end;
    end.failure = made;
    end.began_here = true;
    value_here(id, packet, i, std::move(end));
  }
  Writer ends;
  ends.count(packet.count);
  for (std::uint32_t i = 0; i < packet.count; ++i) {
    ends.count(std::uint64_t{i} << 1);
    write_end(ends, packet.tasks[i]);
  }
  packet.kept.assign(ends.data(), ends.data() + ends.size());
  if (!packet.ended) end_packet(id, packet, nullptr);
}

/// "three workers have died while it ran: ...; ...; ...".
std::string ClientProcess::deaths_text(const ClientPacket& packet) const {
  constexpr std::size_t kAllowed = 3;
  const std::size_t known = std::min(packet.deaths.size(), kAllowed);
  std::string text = "three workers have died while it ran";
  for (std::size_t i = packet.deaths.size() - known; i < packet.deaths.size(); ++i) {
    text += (i + known == packet.deaths.size() ? ": " : "; ") + members_.workers[packet.deaths[i]].death;
  }
  return text;
}

}  // namespace weft::cluster
