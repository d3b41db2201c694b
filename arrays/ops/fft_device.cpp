#include "arrays/ops/fft_device.hpp"

#include "arrays/kernels/cufft.hpp"

#include <weft/ndarray.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace weft::arrays::ops {
namespace {

using expression::Block;
using expression::ChunkWork;
using expression::DevicePlan;
using kernels::BoxCopy;
using kernels::DeviceTransform;

/// More calls than that cost more than they bring.
constexpr std::int64_t kMostCalls = 64;

/// A transform, and how its input is made ready.
struct Lanes {
  DeviceTransform transform;
  /// The input is copied: because it lies otherwise, lacks elements, is lost by the transform, or becomes complex.
  bool copies = false, fills = false;
  std::int64_t in_elements = 0, out_numbers = 0;
  std::size_t in_bytes = 0;
  BoxCopy copy;
};

/// Axes as the library takes them: the last ones, or a single one.
bool place_axes(const LaneTransform& lanes, const std::vector<std::int64_t>& in, const std::vector<std::int64_t>& out,
                DeviceTransform& transform) {
  constexpr std::size_t kMostAxes = 3;
  std::vector<std::size_t> order(lanes.axes.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return lanes.axes[a] < lanes.axes[b]; });
  const auto ndim = static_cast<std::int64_t>(in.size());
  const std::int64_t first = lanes.axes[order.front()], last = lanes.axes[order.back()];
  const bool together = last - first + 1 == static_cast<std::int64_t>(order.size());
  // Real sides differ along the last of the axes, which the library takes to be the last in memory.
  const bool real = lanes.real_in || lanes.real_out;
  if (!together || order.size() > kMostAxes || (real && order.back() != order.size() - 1)) return false;
  const auto product = [](const std::vector<std::int64_t>& shape, std::int64_t from, std::int64_t end) {
    std::int64_t elements = 1;
    for (std::int64_t axis = from; axis < end; ++axis) elements *= shape[static_cast<std::size_t>(axis)];
    return elements;
  };
  for (const std::size_t i : order) transform.lengths.push_back(lanes.lengths[i]);
  if (last == ndim - 1) {
    transform.batch = product(in, 0, first);
    transform.in_distance = product(in, first, ndim);
    transform.out_distance = product(out, first, ndim);
    return true;
  }
  if (order.size() != 1) return false;
  transform.stride = transform.batch = product(in, last + 1, ndim);
  transform.times = product(in, 0, first);
  transform.in_step = product(in, first, ndim);
  transform.out_step = product(out, first, ndim);
  return transform.times <= kMostCalls;
}

std::optional<Lanes> lanes_of(const LaneTransform& lanes, const ChunkWork& work) {
  const Block& from = work.inputs[0];
  if (from.data == nullptr || Shape(work.output.shape).elements() == 0) return {};
  if (from.dtype.is_complex() == lanes.real_in) return {};
  if (from.shape.size() > static_cast<std::size_t>(kernels::kPassAxes)) return {};
  Lanes made;
  DeviceTransform& transform = made.transform;
  transform.single = work.output.dtype.real() == float32;
  transform.forward = lanes.forward;
  // A whole spectrum of real numbers is that of complex ones without imaginary parts.
  const bool becomes_complex = lanes.real_in && !lanes.half_out;
  transform.kind = lanes.real_out                      ? DeviceTransform::ComplexToReal
                   : lanes.real_in && !becomes_complex ? DeviceTransform::RealToComplex
                                                       : DeviceTransform::Complex;
  std::vector<std::int64_t> wide = from.shape;
  for (std::size_t i = 0; i < lanes.axes.size(); ++i) {
    wide[static_cast<std::size_t>(lanes.axes[i])] += lanes.lacking[i];
    made.fills = made.fills || lanes.lacking[i] > 0;
  }
  if (!place_axes(lanes, wide, work.output.shape, transform)) return {};
  const std::size_t bytes = from.dtype.size(), wide_bytes = becomes_complex ? 2 * bytes : bytes;
  const auto packed = c_strides(Shape(wide), wide_bytes);
  made.fills = made.fills || becomes_complex;
  made.copies = made.fills || lanes.real_out;
  for (std::size_t axis = 0; axis < wide.size(); ++axis)
    made.copies = made.copies || (wide[axis] != 1 && from.strides[axis] != packed[axis]);
  made.in_elements = Shape(wide).elements();
  made.in_bytes = static_cast<std::size_t>(made.in_elements) * wide_bytes;
  made.out_numbers = Shape(work.output.shape).elements() * (lanes.real_out ? 1 : 2);
  made.copy.axes = static_cast<std::int32_t>(wide.size());
  made.copy.element_bytes = static_cast<std::int32_t>(bytes);
  std::copy(from.shape.begin(), from.shape.end(), made.copy.extents);
  std::copy(from.strides.begin(), from.strides.end(), made.copy.from_strides);
  std::copy(packed.begin(), packed.end(), made.copy.to_strides);
  return made;
}

}  // namespace

std::optional<DevicePlan> plan_transform(const LaneTransform& lanes, const ChunkWork& work) {
  const auto made = lanes_of(lanes, work);
  if (!made) return {};
  const auto room = kernels::cufft_room(made->transform);
  if (!room) return {};
  DevicePlan plan;
  plan.rooms = {*room, made->copies ? made->in_bytes : 0};
  double points = 1;
  for (const std::int64_t length : made->transform.lengths) points *= static_cast<double>(length);
  // Of each element, as many steps as the number of points has binary digits.
  plan.steps = static_cast<double>(made->in_elements) * std::max(1.0, std::log2(points));
  return plan;
}

void run_transform(const LaneTransform& lanes, const ChunkWork& work, const std::vector<std::byte*>& rooms,
                   const kernels::DeviceStream& stream) {
  const auto made = lanes_of(lanes, work);
  DeviceTransform transform = made->transform;
  transform.in = work.inputs[0].data;
  transform.out = work.output.data;
  const std::size_t number = transform.single ? sizeof(float) : sizeof(double);
  if (made->copies) {
    if (made->fills) {
      stream.scale({transform.single, static_cast<std::int64_t>(made->in_bytes / number), 0, rooms[1]});
    }
    BoxCopy copy = made->copy;
    copy.from = transform.in;
    copy.to = rooms[1];
    stream.copy(copy);
    transform.in = rooms[1];
  }
  kernels::transform_on_device(stream, transform, rooms[0], *kernels::cufft_room(transform));
  if (lanes.scale != 1) stream.scale({transform.single, made->out_numbers, lanes.scale, transform.out});
}

}  // namespace weft::arrays::ops
