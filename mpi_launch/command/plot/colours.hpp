#pragma once

#include "mpi_launch/command/plot/canvas.hpp"

#include <string>
#include <string_view>

namespace weft::command::plot {

/// What stands for no value.
inline constexpr Colour kMissing{190, 190, 190};

/// A way from a lowest to a highest colour.
struct ColourMap {
  std::string_view name;
  /// The colour at a share of the way, from 0 to 1; beyond it that of the end.
  Colour (*at)(double share);
};

/// "dusk" (dark blue to yellow), "balance" (blue, white, red) or "grey". Returns nothing for others.
const ColourMap* colour_map(std::string_view name);
std::string colour_map_names();

}  // namespace weft::command::plot
