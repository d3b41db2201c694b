#include "core/cluster/origins.hpp"

#include <weft/arena.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <mutex>

namespace weft::cluster {
namespace {

struct Noted {
  PacketId packet = kNone;
  const TaskId* ids = nullptr;
  std::size_t count = 0;
};

/// By the executor's number of the packet, in pages that stay where they are. Packets with larger numbers, of which
/// millions would have to be here at once, are not noted. Never destroyed: a process may die until its end.
struct Table {
  static constexpr std::uint32_t kPage = 1024;
  std::mutex mutex;  // but for `find_own_origin`: what runs on its own thread stays noted
  std::array<std::atomic<Noted*>, 4096> pages{};

  Noted* at(PacketId run) noexcept {
    if (run / kPage >= pages.size()) return nullptr;
    Noted* const page = pages[run / kPage].load(std::memory_order_acquire);
    return page == nullptr ? nullptr : page + run % kPage;
  }
};

Table& table() {
  static Table* const instance = new Table;
  return *instance;
}

bool find_in(TaskId task, Origin& origin) noexcept {
  const Noted* const noted = table().at(arena::packet_of(task));
  if (noted == nullptr || noted->ids == nullptr) return false;
  const TaskId* const end = noted->ids + noted->count;
  const TaskId* const found = std::find(noted->ids, end, task);
  if (found == end) return false;
  origin = {noted->packet, static_cast<std::uint32_t>(found - noted->ids)};
  return true;
}

/// Reads digits and the character behind them.
bool take(std::string_view& text, std::uint32_t& value, char behind) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data() + text.size() || *end != behind) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  return true;
}

}  // namespace

void note_tasks(PacketId run, PacketId packet, const std::vector<TaskId>& ids) {
  Table& all = table();
  if (run / Table::kPage >= all.pages.size()) return;
  const std::lock_guard lock(all.mutex);
  std::atomic<Noted*>& page = all.pages[run / Table::kPage];
  if (page.load(std::memory_order_relaxed) == nullptr) page.store(new Noted[Table::kPage], std::memory_order_release);
  *all.at(run) = {packet, ids.data(), ids.size()};
}

void forget_tasks(PacketId run) {
  const std::lock_guard lock(table().mutex);
  if (Noted* const noted = table().at(run)) *noted = {};
}

bool find_origin(TaskId task, Origin& origin) {
  const std::lock_guard lock(table().mutex);
  return find_in(task, origin);
}

bool find_own_origin(TaskId task, Origin& origin) noexcept { return find_in(task, origin); }

std::string with_numbers(std::string_view text, const std::function<TaskId(const Origin&)>& number) {
  std::string out;
  while (!text.empty()) {
    out += text.front();
    const bool begins = text.front() == '#';
    text.remove_prefix(1);
    if (!begins) continue;
    std::string_view rest = text;
    std::uint32_t theirs = 0;
    Origin origin;
    if (!take(rest, theirs, '<') || !take(rest, origin.packet, '.') || !take(rest, origin.index, '>')) continue;
    const TaskId ours = number ? number(origin) : kNone;
    out += std::to_string(ours != kNone ? ours : theirs);
    text = rest;
  }
  return out;
}

}  // namespace weft::cluster
