#include "core/graph/graph_size.hpp"

#include "core/memory/bytes_text.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <bitset>
#include <map>
#include <unordered_map>

namespace weft {
namespace {

struct Part {
  std::uint64_t tasks = 0;
  std::uint64_t bytes = 0;
};

std::string part_text(std::uint32_t index, const Part& part) {
  const Site& at = site(index);
  return std::string(at.file) + ":" + std::to_string(at.line) + " (" + std::to_string(part.tasks) + " tasks, " +
         bytes_text(part.bytes) + ")";
}

using Parts = std::map<std::uint32_t, Part>;

void count(TaskId id, Parts& parts, std::uint64_t& total) {
  const TaskRecord& record = arena::task(id);
  const std::uint64_t bytes = sizeof(TaskRecord) + record.input_count * sizeof(Edge);
  Part& part = parts[record.site];
  ++part.tasks;
  part.bytes += bytes;
  total += bytes;
}

[[noreturn]] void refuse(const Parts& parts, std::uint64_t tasks, std::uint64_t total, std::uint64_t limit_bytes) {
  std::vector<std::pair<std::uint32_t, Part>> largest(parts.begin(), parts.end());
  const std::size_t shown = std::min<std::size_t>(3, largest.size());
  std::partial_sort(largest.begin(), largest.begin() + static_cast<std::ptrdiff_t>(shown), largest.end(),
                    [](const auto& a, const auto& b) { return a.second.bytes > b.second.bytes; });
  std::string text = "this graph of " + std::to_string(tasks) + " tasks takes " + bytes_text(total) +
                     ", more than the " + bytes_text(limit_bytes) + " a graph may take. Its largest parts:";
  for (std::size_t i = 0; i < shown; ++i)
    text += (i == 0 ? " " : ", ") + part_text(largest[i].first, largest[i].second);
  throw MemoryError(text +
                    ". Describe regular work as blocks (weft/layer.hpp), which stores no tasks, or raise "
                    "--weft-graph-limit-bytes");
}

}  // namespace

void check_graph_size(const detail::GraphParts& graph, std::uint64_t limit_bytes) {
  // Quick first: two inputs a task are more than most graphs have.
  if (std::uint64_t{graph.task_count()} * sizeof(TaskRecord) * 4 <= limit_bytes) return;
  Parts parts;
  std::uint64_t total = 0;
  for (const TaskRange range : graph.ranges) {
    for (TaskId id = range.first; id < range.end; ++id) count(id, parts, total);
  }
  if (total > limit_bytes) refuse(parts, graph.task_count(), total, limit_bytes);
}

TaskId detail::unrun_task_needed(TaskId wanted) {
  if (GraphCount::open.load(std::memory_order_relaxed) == 0) return kNone;
  std::unordered_map<std::uint32_t, std::bitset<arena::kSegmentTasks>> seen;
  std::vector<TaskId> stack{wanted};
  while (!stack.empty()) {
    const TaskId id = stack.back();
    stack.pop_back();
    const TaskRecord& record = arena::task(id);
    const std::uint64_t word = record.word.load(std::memory_order_acquire);
    if ((word & (task_word::kDone | task_word::kLaunched)) != 0) continue;
    if ((word & task_word::kKept) != 0) {
      // While a graph runs, the segments of its tasks are of packets.
      if (arena::segment_packets[id >> arena::kSegmentShift] == kNone) return id;
      continue;
    }
    auto bit = seen[id >> arena::kSegmentShift][id % arena::kSegmentTasks];
    if (bit) continue;
    bit = true;
    for (std::uint32_t k = 0; k < record.input_count; ++k) {
      stack.push_back(arena::edge(record.first_input + k).producer);
    }
  }
  return kNone;
}

void check_needed_size(std::span<const TaskId> wanted, std::uint64_t limit_bytes) {
  constexpr std::uint64_t settled = task_word::kLaunched | task_word::kDone | task_word::kKept;
  Parts parts;
  std::uint64_t total = 0;
  std::uint64_t tasks = 0;
  // One bit a task of each segment that was met.
  std::unordered_map<std::uint32_t, std::bitset<arena::kSegmentTasks>> seen;
  std::vector<TaskId> stack(wanted.begin(), wanted.end());
  while (!stack.empty()) {
    const TaskId id = stack.back();
    stack.pop_back();
    const TaskRecord& record = arena::task(id);
    if ((record.word.load(std::memory_order_acquire) & settled) != 0) continue;
    auto bit = seen[id >> arena::kSegmentShift][id % arena::kSegmentTasks];
    if (bit) continue;
    bit = true;
    ++tasks;
    count(id, parts, total);
    for (std::uint32_t k = 0; k < record.input_count; ++k) {
      stack.push_back(arena::edge(record.first_input + k).producer);
    }
  }
  if (total > limit_bytes) refuse(parts, tasks, total, limit_bytes);
}

namespace {
/// What threads hold ahead, and what has just been let go, is not worth a refusal.
constexpr std::uint64_t kSlack = std::uint64_t{64} << 20;
}  // namespace

void check_live_size(std::uint64_t limit_bytes) {
  const std::uint64_t live = arena::live_bytes();
  if (live <= limit_bytes + kSlack) return;
  throw MemoryError("tasks that were described and not released take " + bytes_text(live) + ", more than the " +
                    bytes_text(limit_bytes) +
                    " they may take, so no more can be submitted: let futures go, run long ranges through "
                    "client.stream(f, items), which has few tasks at once, or raise --weft-graph-limit-bytes");
}

void check_more_tasks(const std::source_location& where, std::uint64_t tasks, std::uint64_t limit_bytes) {
  const std::uint64_t bytes = tasks * sizeof(TaskRecord);
  const std::uint64_t live = arena::live_bytes();
  if (bytes + (live > kSlack ? live - kSlack : 0) <= limit_bytes) return;
  throw MemoryError(std::string(where.file_name()) + ":" + std::to_string(where.line()) + ": map over " +
                    std::to_string(tasks) + " elements takes " + bytes_text(bytes) +
                    " for its tasks, with what is there more than the " + bytes_text(limit_bytes) +
                    " that tasks may take: use client.stream(f, items), which has few tasks at once, or raise "
                    "--weft-graph-limit-bytes");
}

}  // namespace weft
