#pragma once

#include "core/graph/graph_parts.hpp"

namespace weft {

/// Throws MemoryError, naming the three largest parts, if the graph's own records take more than `limit_bytes`.
void check_graph_size(const detail::GraphParts& graph, std::uint64_t limit_bytes);

}  // namespace weft
