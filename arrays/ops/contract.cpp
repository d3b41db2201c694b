// Products of two arrays summed over any of their axes, and the axes of one array put in any order.
#include "arrays/ops/contract.hpp"
#include "arrays/ops/matrix.hpp"
#include "arrays/ops/telling.hpp"

#include <weft/buffer.hpp>
#include <weft/ops/elementwise.hpp>
#include <weft/ops/reductions.hpp>
#include <weft/ops/structure.hpp>

#include <algorithm>
#include <complex>

namespace weft::arrays::ops {
namespace {

std::ptrdiff_t place_of(const std::vector<int>& labels, int label) {
  const auto found = std::find(labels.begin(), labels.end(), label);
  return found == labels.end() ? -1 : found - labels.begin();
}

std::int64_t product_of(const std::vector<std::int64_t>& extents) {
  std::int64_t product = 1;
  for (const std::int64_t extent : extents) product *= extent;
  return product;
}

/// Returns the elements of a block with its axes in the order of `numbers`: where they lie if they lie so, else from a
/// copy in `room`.
const std::byte* in_this_order(const Block& block, const std::vector<std::int64_t>& axes,
                               const std::vector<std::int64_t>& numbers, Buffer& room) {
  std::vector<std::int64_t> extents, strides;
  for (const std::int64_t number : numbers) {
    const auto at = static_cast<std::size_t>(std::find(axes.begin(), axes.end(), number) - axes.begin());
    extents.push_back(block.shape[at]);
    strides.push_back(block.strides[at]);
  }
  const std::size_t bytes = block.dtype.size();
  const auto packed = c_strides(Shape(extents), bytes);
  bool lies = true;
  for (std::size_t axis = 0; axis < extents.size(); ++axis) {
    lies = lies && (extents[axis] == 1 || strides[axis] == packed[axis]);
  }
  if (lies || block.data == nullptr) return block.data;
  const auto size = static_cast<std::size_t>(product_of(extents)) * bytes;
  if (room.size() < size) room = Buffer::allocate(size);
  kernels::copy_box(room.data(), packed.data(), block.data, strides.data(), extents.data(), extents.size(), bytes);
  return room.data();
}

/// `first`: there is nothing yet to add to.
template <class T>
void multiply_add(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, const T* b, T* c, bool first) {
  if constexpr (std::is_floating_point_v<T> || !std::is_arithmetic_v<T>) {
    kernels::gemm<T>('N', 'N', n, m, k, T(1), b, n, a, k, first ? T(0) : T(1), c, n);
  } else {
    if (first) std::fill(c, c + m * n, T(0));
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t j = 0; j < k; ++j) {
        const T factor = a[i * k + j];
        for (std::int64_t at = 0; at < n; ++at) {
          if constexpr (std::is_same_v<T, bool>) {
            c[i * n + at] = c[i * n + at] || (factor && b[j * n + at]);
          } else {
            using Wrapping = std::make_unsigned_t<T>;
            c[i * n + at] = static_cast<T>(static_cast<Wrapping>(
                c[i * n + at] + static_cast<Wrapping>(factor) * static_cast<std::uint64_t>(b[j * n + at])));
          }
        }
      }
    }
  }
}

using MultiplyAdd = void (*)(std::int64_t, std::int64_t, std::int64_t, const std::byte*, const std::byte*, std::byte*,
                             bool);
template <class T>
void multiply_add_bytes(std::int64_t m, std::int64_t n, std::int64_t k, const std::byte* a, const std::byte* b,
                        std::byte* c, bool first) {
  multiply_add<T>(m, n, k, reinterpret_cast<const T*>(a), reinterpret_cast<const T*>(b), reinterpret_cast<T*>(c),
                  first);
}

MultiplyAdd multiply_add_for(TypeCode type) {
  switch (type) {
    case TypeCode::Bool:
      return &multiply_add_bytes<bool>;
    case TypeCode::Int8:
      return &multiply_add_bytes<std::int8_t>;
    case TypeCode::Int16:
      return &multiply_add_bytes<std::int16_t>;
    case TypeCode::Int32:
      return &multiply_add_bytes<std::int32_t>;
    case TypeCode::UInt8:
      return &multiply_add_bytes<std::uint8_t>;
    case TypeCode::UInt16:
      return &multiply_add_bytes<std::uint16_t>;
    case TypeCode::UInt32:
      return &multiply_add_bytes<std::uint32_t>;
    case TypeCode::UInt64:
      return &multiply_add_bytes<std::uint64_t>;
    case TypeCode::Float32:
      return &multiply_add_bytes<float>;
    case TypeCode::Float64:
      return &multiply_add_bytes<double>;
    case TypeCode::Complex64:
      return &multiply_add_bytes<std::complex<float>>;
    case TypeCode::Complex128:
      return &multiply_add_bytes<std::complex<double>>;
    case TypeCode::Int64:
    case TypeCode::Datetime64:
    case TypeCode::Timedelta64:
      return &multiply_add_bytes<std::int64_t>;
  }
  return nullptr;
}

Contract itself(const Contract& contract, const ChunkWork&) { return contract; }
[[maybe_unused]] const bool kOnDevices =
    expression::add_device_structure(expression::structure_type<Contract>, product_on_devices<Contract, &itself>);

}  // namespace

void Contract::needs(const Box& out, std::vector<Need>& needs) const {
  if (out.elements() == 0) return;
  std::vector<std::int64_t> piece(inner.size(), 0);
  for (;;) {
    for (const std::vector<std::int64_t>* const axes : {&a, &b}) {
      Need need;
      need.input = axes == &a ? 0 : 1;
      for (const std::int64_t number : *axes) {
        if (number < out_axes) {
          need.box.start.push_back(out.start[static_cast<std::size_t>(number)]);
          need.box.extent.push_back(out.extent[static_cast<std::size_t>(number)]);
        } else {
          const auto at = static_cast<std::size_t>(number - out_axes);
          need.box.start.push_back(inner[at].start(piece[at]));
          need.box.extent.push_back(inner[at].size(piece[at]));
        }
      }
      needs.push_back(std::move(need));
    }
    std::size_t axis = inner.size();
    for (;;) {
      if (axis-- == 0) return;
      if (++piece[axis] < inner[axis].count()) break;
      piece[axis] = 0;
    }
  }
}

Contract::Roles Contract::roles() const {
  const auto in = [](const std::vector<std::int64_t>& axes, std::int64_t number) {
    return std::find(axes.begin(), axes.end(), number) != axes.end();
  };
  Roles roles;
  for (std::int64_t number = 0; number < out_axes; ++number) {
    (in(a, number) ? in(b, number) ? roles.batch : roles.rows : roles.columns).push_back(number);
  }
  for (std::size_t i = 0; i < inner.size(); ++i) roles.summed.push_back(out_axes + static_cast<std::int64_t>(i));
  return roles;
}

void Contract::run(const ChunkWork& work) const {
  const auto [batch, rows, columns, summed] = roles();
  const auto joined = [](std::vector<std::int64_t> first, const std::vector<std::int64_t>& second,
                         const std::vector<std::int64_t>& third) {
    first.insert(first.end(), second.begin(), second.end());
    first.insert(first.end(), third.begin(), third.end());
    return first;
  };
  const auto extents_of = [&](const std::vector<std::int64_t>& numbers) {
    std::vector<std::int64_t> extents;
    for (const std::int64_t number : numbers) {
      extents.push_back(work.output.shape[static_cast<std::size_t>(number)]);
    }
    return extents;
  };
  const std::int64_t matrices = product_of(extents_of(batch));
  const std::int64_t m = product_of(extents_of(rows));
  const std::int64_t n = product_of(extents_of(columns));
  const std::size_t bytes = work.output.dtype.size();
  const MultiplyAdd add = multiply_add_for(work.output.dtype.code());
  const auto size = static_cast<std::size_t>(matrices * m * n) * bytes;
  if (size == 0) return;
  const std::vector<std::int64_t> order = joined(batch, rows, columns);
  const std::vector<std::int64_t> extents = extents_of(order);
  const auto from = c_strides(Shape(extents), bytes);
  std::vector<std::int64_t> to;
  for (const std::int64_t number : order) to.push_back(work.output.strides[static_cast<std::size_t>(number)]);
  Buffer sums_room, left_room, right_room;
  if (to != from) sums_room = Buffer::allocate(size);
  std::byte* const sums = to == from ? work.output.data : sums_room.data();
  const std::vector<std::int64_t> a_order = joined(batch, rows, summed);
  const std::vector<std::int64_t> b_order = joined(batch, summed, columns);
  bool first = true;
  for (std::size_t pair = 0; pair + 1 < work.inputs.size(); pair += 2) {
    const std::int64_t k = product_of(work.inputs[pair].shape) / (matrices * m);
    if (k == 0) continue;
    const std::byte* const left = in_this_order(work.inputs[pair], a, a_order, left_room);
    const std::byte* const right = in_this_order(work.inputs[pair + 1], b, b_order, right_room);
    for (std::int64_t matrix = 0; matrix < matrices; ++matrix) {
      add(m, n, k, left + static_cast<std::size_t>(matrix * m * k) * bytes,
          right + static_cast<std::size_t>(matrix * k * n) * bytes,
          sums + static_cast<std::size_t>(matrix * m * n) * bytes, first);
    }
    first = false;
  }
  if (first) std::fill(sums, sums + size, std::byte{0});
  if (to != from) {
    kernels::copy_box(work.output.data, to.data(), sums, from.data(), extents.data(), extents.size(), bytes);
  }
}

Array field_array(const char* operation, const Array& array, std::size_t ndim, const std::source_location& where) {
  if (array.ndim() != ndim) {
    throw Error(at_line(operation, where) + "needs an array of " + std::to_string(ndim) + " dimensions; this one has " +
                std::to_string(array.ndim()) + " (shape " + array.shape().text() + ")");
  }
  const Dtype dtype = array.dtype();
  if (dtype.is_time()) {
    throw Error(at_line(operation, where) + "is not defined for " + dtype.name() + ": convert the array with astype");
  }
  return dtype.is_floating() || dtype.is_complex() ? array : array.astype(float64, where);
}

Array square_matrix(const char* operation, const Array& array, const std::source_location& where) {
  Array matrix = field_array(operation, array, 2, where);
  if (matrix.shape()[0] != matrix.shape()[1]) {
    throw Error(at_line(operation, where) + "needs a square matrix; this one has the shape " + array.shape().text());
  }
  return matrix;
}

Array arrange(const Array& array, const std::vector<int>& labels, const std::vector<int>& out,
              const std::source_location& where) {
  // First a view in which every label has one axis: those of the output in their order, then those to be summed over.
  const NodePointer& node = array.node();
  std::vector<int> order = out;
  for (const int label : labels) {
    if (place_of(order, label) < 0) order.push_back(label);
  }
  Grid grid(order.size(), AxisGrid::whole(1));
  IndexMap map(labels.size());
  std::vector<bool> filled(order.size(), false);
  for (std::size_t axis = 0; axis < labels.size(); ++axis) {
    const auto at = static_cast<std::size_t>(place_of(order, labels[axis]));
    map[axis].out_axis = static_cast<std::int32_t>(at);
    grid[at] = filled[at] ? expression::common_refinement(grid[at], node->grid[axis]) : node->grid[axis];
    filled[at] = true;
  }
  Array view(expression::make_view(node, std::move(map), std::move(grid), "einsum", where));
  if (order.size() == out.size()) return view;
  std::vector<int> summed;
  for (std::size_t axis = out.size(); axis < order.size(); ++axis) summed.push_back(static_cast<int>(axis));
  return sum(view, {.axis = Axes(summed), .dtype = array.dtype()}, where);
}

Array contract(const char* operation, const Array& a, const std::vector<int>& a_labels, const Array& b,
               const std::vector<int>& b_labels, const std::vector<int>& out, const std::source_location& where) {
  require_known(*a.node(), operation, where);
  require_known(*b.node(), operation, where);
  const Dtype dtype = told(operation, where, [&] { return promote(a.dtype(), b.dtype()); });
  const Array left = a.astype(dtype, where);
  const Array right = b.astype(dtype, where);
  Contract product;
  product.out_axes = static_cast<std::int64_t>(out.size());
  Grid grid(out.size(), AxisGrid::whole(1));
  std::vector<int> inner;
  const auto number_of = [&](int label) {
    const std::ptrdiff_t at = place_of(out, label);
    if (at >= 0) return static_cast<std::int64_t>(at);
    if (place_of(inner, label) < 0) inner.push_back(label);
    return product.out_axes + place_of(inner, label);
  };
  const auto add_axis = [&](std::int64_t number, const AxisGrid& axis, bool again) {
    if (number < product.out_axes) {
      AxisGrid& mine = grid[static_cast<std::size_t>(number)];
      mine = again ? expression::common_refinement(mine, axis) : axis;
      return;
    }
    const auto at = static_cast<std::size_t>(number - product.out_axes);
    if (at == product.inner.size()) {
      product.inner.push_back(axis);
    } else {
      product.inner[at] = expression::common_refinement(product.inner[at], axis);
    }
  };
  for (std::size_t axis = 0; axis < a_labels.size(); ++axis) {
    product.a.push_back(number_of(a_labels[axis]));
    add_axis(product.a.back(), left.node()->grid[axis], false);
  }
  for (std::size_t axis = 0; axis < b_labels.size(); ++axis) {
    product.b.push_back(number_of(b_labels[axis]));
    add_axis(product.b.back(), right.node()->grid[axis], place_of(a_labels, b_labels[axis]) >= 0);
  }
  if (inner.empty()) {
    return Operand(arrange(left, a_labels, out, where), where) * Operand(arrange(right, b_labels, out, where), where);
  }
  if (a_labels.size() > kernels::kMostAxes || out.size() > kernels::kMostAxes) {
    throw Error(at_line(operation, where) + "arrays have at most 32 dimensions");
  }
  return structural(std::move(product), {left, right}, dtype, std::move(grid), where);
}

}  // namespace weft::arrays::ops
