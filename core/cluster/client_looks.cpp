#include "core/cluster/client_process.hpp"

#include "core/executor/clock.hpp"
#include "core/executor/slot.hpp"

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
    number = next_look_++;
    looking = &looking_[number];
    if (order.stream != LookOrder::Stream::None) streams_tasks_ = order.stream == LookOrder::Stream::On;
    for (const ClientWorker& worker : workers_) {
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
  looking_.erase(number);
  std::sort(seen.begin(), seen.end(), [](const auto& a, const auto& b) { return a.worker < b.worker; });
  return seen;
}

/// `number` 0: whatever it answers is dropped.
void ClientProcess::ask_to_look(WorkerId id, std::uint64_t number, const LookOrder& order) {
  const ClientWorker& worker = workers_[id];
  LookLetter letter{number, order, order.first_unknown(worker.standing.identity.name, id)};
  post_.send(worker.peer, LetterKind::Look, letter);
}

void ClientProcess::on_look(WorkerId worker, Reader& reader) {
  const auto found = looking_.find(reader.count("look"));
  if (found == looking_.end()) return;
  WorkerLook look = read_look(reader);
  Looking& looking = found->second;
  if (std::erase(looking.asked, worker) == 0) return;
  look.process = worker;
  looking.seen.push_back(std::move(look));
  looking.missing.fetch_sub(1);
}

void ClientProcess::look_no_more_at(WorkerId worker) {
  for (auto& [number, looking] : looking_) {
    if (std::erase(looking.asked, worker) != 0) looking.missing.fetch_sub(1);
  }
}

}  // namespace weft::cluster
