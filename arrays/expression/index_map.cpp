#include "arrays/expression/index_map.hpp"

namespace weft::arrays::expression {

IndexMap identity_map(std::size_t ndim) {
  IndexMap map(ndim);
  for (std::size_t axis = 0; axis < ndim; ++axis) map[axis].out_axis = static_cast<std::int32_t>(axis);
  return map;
}

IndexMap compose(const IndexMap& inner, const IndexMap& outer) {
  IndexMap map(inner.size());
  for (std::size_t axis = 0; axis < inner.size(); ++axis) {
    const AxisMap& to_source = inner[axis];
    if (to_source.out_axis < 0) {
      map[axis] = to_source;
      continue;
    }
    const AxisMap& to_middle = outer[static_cast<std::size_t>(to_source.out_axis)];
    map[axis].out_axis = to_middle.out_axis;
    map[axis].start = to_source.start + to_source.step * to_middle.start;
    map[axis].step = to_middle.out_axis < 0 ? 1 : to_source.step * to_middle.step;
  }
  return map;
}

IndexMap broadcast_map(const std::vector<bool>& stretched, std::size_t ndim) {
  IndexMap map(stretched.size());
  const std::size_t shift = ndim - stretched.size();
  for (std::size_t axis = 0; axis < stretched.size(); ++axis) {
    if (!stretched[axis]) map[axis].out_axis = static_cast<std::int32_t>(axis + shift);
  }
  return map;
}

}  // namespace weft::arrays::expression
