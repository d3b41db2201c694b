#pragma once

#include "arrays/expression/node.hpp"

#include <weft/gpu.hpp>

#include <vector>

namespace weft::arrays::expression {

/// Returns the chunks of a stored node that devices may hold; null where it has others. They are the parameters of a
/// structure without a type, so that a node stays as it is where nobody computes on devices.
const std::vector<Delayed<gpu::DeviceBuffer>>* device_chunks(const Node& node);

/// Makes a stored node of such chunks.
NodePointer make_stored_on_device(Dtype dtype, Grid grid, std::vector<Delayed<gpu::DeviceBuffer>> chunks,
                                  std::string name, const std::source_location& where);

}  // namespace weft::arrays::expression
