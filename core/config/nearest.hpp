#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// Returns the least number of letters to insert, drop, change or swap with the neighbour that turns `a` into `b`.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// Returns the name that is fewest edits away from `wrong`; the earliest of several; "" if there are no names.
std::string nearest_name(std::string_view wrong, const std::vector<std::string>& names);

}  // namespace weft
