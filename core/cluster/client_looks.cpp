#include "core/cluster/client_process.hpp"

#include "core/executor/clock.hpp"
#include "core/executor/slot.hpp"

#include <weft/log.hpp>

#include <algorithm>

namespace weft::cluster {
namespace {

constexpr Nanoseconds kLongestLook = 1'000'000'000;

}  // namespace

/// 1. Each worker is asked. 2. `on_look` takes the answers while the caller drives. 3. Who has not answered in time is
/// left out; an answer that comes later is dropped.
std::vector<WorkerLook> ClientProcess::look(const LookOrder& order) {
  const Slot* const slot = current_slot();
  const bool in_task = slot != nullptr && slot->running() != kNone;
  if (in_task || !open_.load()) return {};
  Looking* looking = nullptr;
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    number = members_.next_look++;
    looking = &members_.looking[number];
    if (order.stream != LookOrder::Stream::None) members_.streams_tasks = order.stream == LookOrder::Stream::On;
    for (const ClientWorker& worker : members_.workers) {
      if (!worker.standing.present) continue;
      looking->asked.push_back(worker.standing.id);
      ask_to_look(worker.standing.id, number, order);
    }
    looking->missing.store(static_cast<std::uint32_t>(looking->asked.size()));
    post_.flush();
  }
  const Nanoseconds until = now_ns() + kLongestLook;
  help_until(kNone, [&] { return looking->missing.load() == 0 || now_ns() > until; });
  const std::lock_guard lock(mutex_);
  std::vector<WorkerLook> seen = std::move(looking->seen);
  members_.looking.erase(number);
  std::sort(seen.begin(), seen.end(), [](const auto& a, const auto& b) { return a.worker < b.worker; });
  return seen;
}

/// `number` 0: whatever it answers is dropped.
void ClientProcess::ask_to_look(WorkerId id, std::uint64_t number, const LookOrder& order) {
  const ClientWorker& worker = members_.workers[id];
  LookLetter letter{number, order, order.first_unknown(worker.standing.identity.name, id)};
  if (order.compare) letter.dealt = dealt_to(id);
  post_.send(worker.peer, LetterKind::Look, letter);
}

/// Returns what the machine counts on the worker for: at most so many that one letter holds them.
std::vector<DealtName> ClientProcess::dealt_to(WorkerId id) {
  constexpr std::size_t kMost = 4096;
  std::vector<DealtName> dealt;
  for (const auto& [packet, known] : packets_) {
    if (known.ended || known.over || known.owner != id || dealt.size() == kMost) continue;
    if (is_at(packet, known.attempt, id)) dealt.push_back({packet, known.attempt});
  }
  return dealt;
}

bool ClientProcess::is_at(PacketId packet, Attempt attempt, WorkerId worker) const {
  return machine_.knows(packet) && machine_.state(packet) == PacketState::Running && machine_.owner(packet) == worker &&
         machine_.attempt(packet) == attempt;
}

/// Takes back what the worker does not know of. Letters arrive in their order, so neither the deal nor news of an end
/// is still on its way: nobody runs it, and it may be dealt again.
std::uint32_t ClientProcess::deal_again(WorkerId id, const std::vector<DealtName>& unknown) {
  std::uint32_t again = 0;
  for (const DealtName& one : unknown) {
    const ClientPacket* const packet = find(one.packet);
    if (packet == nullptr || !is_at(one.packet, one.attempt, id)) continue;
    if (again++ == 0) {
      logging::error("cluster", "worker ", members_.workers[id].standing.identity.name,
                     " does not know what it was dealt (", packet_line(one.packet, *packet),
                     "): it is dealt again. A connection has lost a letter, or this is "
                     "a mistake of weft: please report it, with a recording (--weft-record)");
    }
    left_.events.push_back(PacketReturned{id, one.packet, one.attempt, 0, kNone});
  }
  // With a deal the worker may have missed what sites are.
  if (again != 0) members_.workers[id].sites.clear();
  return again;
}

void ClientProcess::on_look(WorkerId worker, Reader& reader) {
  const auto found = members_.looking.find(reader.count("look"));
  if (found == members_.looking.end()) return;
  const std::vector<DealtName> unknown = read_dealt(reader);
  WorkerLook look = read_look(reader);
  Looking& looking = found->second;
  if (std::erase(looking.asked, worker) == 0) return;
  look.process = worker;
  look.dealt_again = deal_again(worker, unknown);
  looking.seen.push_back(std::move(look));
  looking.missing.fetch_sub(1);
}

void ClientProcess::look_no_more_at(WorkerId worker) {
  for (auto& [number, looking] : members_.looking) {
    if (std::erase(looking.asked, worker) != 0) looking.missing.fetch_sub(1);
  }
}

}  // namespace weft::cluster
