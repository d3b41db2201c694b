#include "core/cluster/client_process.hpp"

#include <weft/error.hpp>

#include <algorithm>

namespace weft::cluster {

/// Asks the packet's owner for a value that somebody waits for; also for the others, where they are few and small.
void ClientProcess::ask_for(PacketId id, ClientPacket& packet, std::uint32_t index) {
  constexpr std::size_t kFew = 64;
  std::vector<std::uint32_t> asked;
  const auto add = [&](std::uint32_t one) {
    if (is_here(packet.tasks[one]) || std::find(packet.wanted.begin(), packet.wanted.end(), one) != packet.wanted.end())
      return;
    packet.wanted.push_back(one);
    asked.push_back(one);
  };
  if (packet.wanted.size() < kFew) add(index);
  if (asked.empty() && !is_here(packet.tasks[index]) &&
      std::find(packet.wanted.begin(), packet.wanted.end(), index) == packet.wanted.end()) {
    packet.wanted.push_back(index);
    asked.push_back(index);
  }
  if (!asked.empty()) subscribe(id, packet, asked);
}

void ClientProcess::subscribe(PacketId id, ClientPacket& packet, const std::vector<std::uint32_t>& indices) {
  const auto is_there = [&] {
    return packet.owner < members_.workers.size() && members_.workers[packet.owner].standing.present;
  };
  if (!is_there() && packet.ended && machine_.knows(id) && machine_.state(id) == PacketState::InMemory) {
    // Its owner has left; a copy has taken over.
    packet.owner = machine_.owner(id);
    packet.attempt = machine_.attempt(id);
  }
  if (!is_there()) return;
  post_.send(members_.workers[packet.owner].peer, LetterKind::Subscribe, Subscribe{id, packet.attempt, indices});
}

/// After somebody said that an output is not there: asks for all that is missing at where the machine says it is.
void ClientProcess::ask_again() {
  if (!std::exchange(values_.asked_again, false)) return;
  for (auto& [id, packet] : packets_) {
    if (packet.wanted.empty() || !packet.ended || !machine_.knows(id)) continue;
    if (machine_.state(id) != PacketState::InMemory) continue;
    packet.owner = machine_.owner(id);
    packet.attempt = machine_.attempt(id);
    subscribe(id, packet, packet.wanted);
  }
}

/// A value that was asked for has come, or the reason why there is none.
void ClientProcess::value_here(PacketId id, ClientPacket& packet, std::uint32_t index, TaskEnd end) {
  static_cast<void>(id);
  std::erase(packet.wanted, index);
  const TaskId task = packet.tasks[index];
  if (end.failure != nullptr) fail_task(task, end.failure, end.began_here);
  set_elsewhere(arena::task(task), false);
  if (packet.graph != nullptr) --packet.graph->values_left;
  woken_ = true;
  questions_.owed_changed = true;
}

void ClientProcess::on_values(Reader& reader) {
  const PacketId id = read_small(reader, "values");
  reader.count("values");  // any attempt gives the same bits
  const std::size_t count = reader.elements(2, "values");
  ClientPacket* const packet = find(id);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t index = read_small(reader, "values");
    const bool wanted = packet != nullptr && !packet->over &&
                        std::find(packet->wanted.begin(), packet->wanted.end(), index) != packet->wanted.end();
    if (!wanted || is_here(packet->tasks[index])) {
      skip_end(reader);
      continue;
    }
    value_here(id, *packet, index, read_end(reader, arena::task(packet->tasks[index])));
  }
}

BlockTarget ClientProcess::block(PeerId, Reader& header, std::size_t bytes) {
  BlockTarget target;
  const PacketId id = read_small(header, "block");
  const std::uint32_t index = read_small(header, "block");
  ClientPacket* const packet = find(id);
  const bool wanted = packet != nullptr && !packet->over &&
                      std::find(packet->wanted.begin(), packet->wanted.end(), index) != packet->wanted.end();
  if (!wanted) return target;
  Landing landing{id, index, nullptr};
  const ValueType& type = *site(arena::task(packet->tasks[index]).site).type->result;
  target.data = make_block(type, bytes, landing.box);
  if (landing.box == nullptr) throw Error("a block came for a value that is none");
  target.token = values_.next_landing++;
  values_.landings.emplace(target.token, landing);
  return target;
}

void ClientProcess::block_ended(PeerId, std::uint64_t token, bool ok) {
  const auto landed = values_.landings.find(token);
  if (landed == values_.landings.end()) return;
  const Landing landing = landed->second;
  values_.landings.erase(landed);
  ClientPacket* const packet = find(landing.packet);
  const bool wanted = packet != nullptr && !packet->over &&
                      std::find(packet->wanted.begin(), packet->wanted.end(), landing.index) != packet->wanted.end();
  if (!ok || !wanted || is_here(packet->tasks[landing.index])) {
    drop_block(landing.box);
    return;
  }
  keep_block(arena::task(packet->tasks[landing.index]), landing.box);
  value_here(landing.packet, *packet, landing.index, {});
}

/// Serves what this process keeps of a small packet, as it came.
void ClientProcess::on_subscribe(PeerId peer, const Subscribe& subscribe) {
  const ClientPacket* const packet = find(subscribe.packet);
  if (packet == nullptr || packet->kept.empty()) {
    post_.send(peer, LetterKind::NotMine, NotMine{subscribe.packet, subscribe.attempt});
    return;
  }
  struct End {
    std::uint32_t index;
    const std::byte* bytes;
    std::size_t size;
  };
  std::vector<End> ends;
  Reader reader(packet->kept.data(), packet->kept.size());
  const std::size_t count = reader.elements(2, "kept outputs");
  for (std::size_t i = 0; i < count; ++i) {
    const auto index = static_cast<std::uint32_t>(reader.count("kept outputs") >> 1);
    const std::size_t begin = reader.offset();
    skip_end(reader);
    const bool asked = subscribe.all ||
                       std::find(subscribe.indices.begin(), subscribe.indices.end(), index) != subscribe.indices.end();
    if (asked) ends.push_back({index, packet->kept.data() + begin, reader.offset() - begin});
  }
  if (subscribe.all && packet->over) ends.clear();  // of what kind they are, nobody here knows any more
  if (subscribe.all ? ends.empty() : ends.size() != subscribe.indices.size()) {
    post_.send(peer, LetterKind::NotMine, NotMine{subscribe.packet, subscribe.attempt});
    return;
  }
  if (subscribe.all) {
    Writer& outline = post_.begin(peer, LetterKind::Outline);
    outline.count(subscribe.packet);
    outline.count(ends.size());
    for (const End& end : ends) {
      outline.count(end.index);
      write_site(outline, arena::task(packet->tasks[end.index]).site);
    }
    post_.end(peer);
  }
  Writer& out = post_.begin(peer, LetterKind::Values);
  out.count(subscribe.packet);
  out.count(subscribe.attempt);
  out.count(ends.size());
  for (const End& end : ends) {
    out.count(end.index);
    out.bytes(end.bytes, end.size);
  }
  post_.end(peer);
}

}  // namespace weft::cluster
