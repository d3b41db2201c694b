#include "core/graph/graph_size.hpp"

#include "core/memory/bytes_text.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <map>

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

}  // namespace

void check_graph_size(const detail::GraphParts& graph, std::uint64_t limit_bytes) {
  // Quick first: two inputs a task are more than most graphs have.
  if (std::uint64_t{graph.task_count()} * sizeof(TaskRecord) * 4 <= limit_bytes) return;
  std::map<std::uint32_t, Part> parts;
  std::uint64_t total = 0;
  for (const TaskRange range : graph.ranges) {
    for (TaskId id = range.first; id < range.end; ++id) {
      const TaskRecord& record = arena::task(id);
      const std::uint64_t bytes = sizeof(TaskRecord) + record.input_count * sizeof(Edge);
      Part& part = parts[record.site];
      ++part.tasks;
      part.bytes += bytes;
      total += bytes;
    }
  }
  if (total <= limit_bytes) return;
  std::vector<std::pair<std::uint32_t, Part>> largest(parts.begin(), parts.end());
  const std::size_t shown = std::min<std::size_t>(3, largest.size());
  std::partial_sort(largest.begin(), largest.begin() + static_cast<std::ptrdiff_t>(shown), largest.end(),
                    [](const auto& a, const auto& b) { return a.second.bytes > b.second.bytes; });
  std::string text = "this graph of " + std::to_string(graph.task_count()) + " tasks takes " + bytes_text(total) +
                     ", more than the " + bytes_text(limit_bytes) + " a graph may take. Its largest parts:";
  for (std::size_t i = 0; i < shown; ++i)
    text += (i == 0 ? " " : ", ") + part_text(largest[i].first, largest[i].second);
  throw MemoryError(text +
                    ". Describe regular work as blocks (weft/layer.hpp), which stores no tasks, or raise "
                    "--weft-graph-limit-bytes");
}

}  // namespace weft
