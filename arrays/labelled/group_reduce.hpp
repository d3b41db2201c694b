#pragma once

#include <weft/array.hpp>
#include <weft/labelled.hpp>

#include <cstdint>
#include <vector>

namespace weft::labelled {

/// Reduces each group of places along an axis: `group_of[i]` is the group of place i, negative for none. The result has
/// `groups` places there. One pass over the data: each chunk gives the states of the groups that occur in it, which are
/// merged in a tree whose shape depends on the chunks alone.
arrays::Array reduce_groups(const arrays::Array& array, std::size_t axis, const std::vector<std::int32_t>& group_of,
                            std::int32_t groups, Reduction kind, bool skipna, double ddof,
                            const std::source_location& where);

}  // namespace weft::labelled
