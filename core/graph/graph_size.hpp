#pragma once

#include "core/graph/graph_parts.hpp"

#include <source_location>
#include <span>

namespace weft {

/// Throws MemoryError, naming the three largest parts, if the graph's own records take more than `limit_bytes`.
void check_graph_size(const detail::GraphParts& graph, std::uint64_t limit_bytes);
/// Throws MemoryError if the records of all tasks that are described and not released take more than `limit_bytes`, or
/// would with so many more.
void check_live_size(std::uint64_t limit_bytes);
void check_more_tasks(const std::source_location& where, std::uint64_t tasks, std::uint64_t limit_bytes);
/// The same for what described tasks need and what has not been launched. Looks at each of them; changes nothing.
void check_needed_size(std::span<const TaskId> wanted, std::uint64_t limit_bytes);

namespace arena {
/// Returns the bytes of all records and edges ever given out at once: what is described takes no more.
std::size_t most_bytes() noexcept;
/// Returns the bytes of those that are not free.
std::size_t live_bytes();
}  // namespace arena

}  // namespace weft
