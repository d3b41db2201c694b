// Products summed over axes, on devices by cuBLAS. A chunk is the sum of products of pieces: each of them is one call
// that adds to what is there.
#include "arrays/kernels/cublas.hpp"
#include "arrays/ops/contract.hpp"

#include <weft/ndarray.hpp>

#include <algorithm>
#include <limits>

namespace weft::arrays::ops {
namespace {

using expression::Block;
using expression::DevicePlan;
using kernels::BoxCopy;
using kernels::DeviceProduct;
using Numbers = std::vector<std::int64_t>;

/// Axes that lie like one: how long it is, and how far its elements are apart.
struct Joined {
  std::int64_t extent = 1, stride = 0;
  bool lies = true;
};

/// What a block has along some of its axes; `axes` are the numbers of all of them.
struct Extents {
  Numbers extents, strides;
};
Extents along(const Block& block, const Numbers& axes, const Numbers& numbers) {
  Extents found;
  for (const std::int64_t number : numbers) {
    const auto at = static_cast<std::size_t>(std::find(axes.begin(), axes.end(), number) - axes.begin());
    found.extents.push_back(block.shape[at]);
    found.strides.push_back(block.strides[at]);
  }
  return found;
}

Joined join(const Extents& axes, std::int64_t element_bytes) {
  Joined joined;
  for (std::size_t axis = axes.extents.size(); axis-- > 0;) {
    if (axes.extents[axis] == 1) continue;
    const std::int64_t stride = axes.strides[axis];
    if (stride % element_bytes != 0 || stride < 0) joined.lies = false;
    if (joined.extent == 1)
      joined.stride = stride / element_bytes;
    else if (stride != joined.stride * joined.extent * element_bytes)
      joined.lies = false;
    joined.extent *= axes.extents[axis];
  }
  return joined;
}

/// A factor as the library reads it: row by row, or column by column where it transposes; or a copy row by row.
struct Factor {
  bool transposes = false, copied = false;
  std::int64_t leading = 1, stride = 0;
  BoxCopy copy;  // where it is one: addresses are set later
  std::size_t bytes = 0;
};

/// Nothing where it has more axes than a device copies.
std::optional<Factor> factor_of(const Block& block, const Numbers& axes, const Numbers& batch, const Numbers& rows,
                                const Numbers& columns) {
  const auto bytes = static_cast<std::int64_t>(block.dtype.size());
  const Joined all = join(along(block, axes, batch), bytes), r = join(along(block, axes, rows), bytes),
               c = join(along(block, axes, columns), bytes);
  Factor factor;
  factor.stride = all.stride;
  if (all.lies && r.lies && c.lies) {
    if (c.extent == 1 || (c.stride == 1 && (r.extent == 1 || r.stride >= c.extent))) {
      // Of one column, elements are a stride apart: that is its leading dimension.
      factor.leading = r.extent == 1 ? c.extent : r.stride;
      if (factor.leading >= c.extent) return factor;
    } else if (r.extent == 1 || (r.stride == 1 && c.stride >= r.extent)) {
      factor.transposes = true;
      factor.leading = c.stride;
      if (factor.leading >= r.extent) return factor;
    }
  }
  factor.transposes = false;
  factor.copied = true;
  factor.leading = c.extent;
  factor.stride = r.extent * c.extent;
  factor.bytes = static_cast<std::size_t>(all.extent * r.extent * c.extent * bytes);
  if (axes.size() > static_cast<std::size_t>(kernels::kPassAxes)) return {};
  Numbers order = batch;
  order.insert(order.end(), rows.begin(), rows.end());
  order.insert(order.end(), columns.begin(), columns.end());
  const Extents box = along(block, axes, order);
  const auto packed = c_strides(Shape(box.extents), block.dtype.size());
  factor.copy.axes = static_cast<std::int32_t>(order.size());
  factor.copy.element_bytes = static_cast<std::int32_t>(bytes);
  std::copy(box.extents.begin(), box.extents.end(), factor.copy.extents);
  std::copy(box.strides.begin(), box.strides.end(), factor.copy.from_strides);
  std::copy(packed.begin(), packed.end(), factor.copy.to_strides);
  return factor;
}

/// One piece of the sum.
struct Step {
  Factor left, right;
  DeviceProduct product;
};

/// All that is put on the stream for a chunk.
struct Steps {
  std::vector<Step> steps;
  std::size_t left_bytes = 0, right_bytes = 0, room_bytes = 0;
};

std::optional<Steps> steps_of(const Contract& contract, const ChunkWork& work) {
  const Contract::Roles roles = contract.roles();
  // The library writes matrices one behind the other: the output's axes are those in that order.
  Numbers order = roles.batch;
  order.insert(order.end(), roles.rows.begin(), roles.rows.end());
  order.insert(order.end(), roles.columns.begin(), roles.columns.end());
  if (!std::is_sorted(order.begin(), order.end())) return {};
  const auto product_of = [&](const Numbers& numbers) {
    std::int64_t product = 1;
    for (const std::int64_t number : numbers) product *= work.output.shape[static_cast<std::size_t>(number)];
    return product;
  };
  const std::int64_t count = product_of(roles.batch), m = product_of(roles.rows), n = product_of(roles.columns);
  Steps all;
  for (std::size_t pair = 0; pair + 1 < work.inputs.size(); pair += 2) {
    const Block &a = work.inputs[pair], &b = work.inputs[pair + 1];
    const std::int64_t k = Box{a.shape, a.shape}.elements() / std::max<std::int64_t>(1, count * m);
    if (k == 0) continue;
    const auto left = factor_of(a, contract.a, roles.batch, roles.rows, roles.summed);
    const auto right = factor_of(b, contract.b, roles.batch, roles.summed, roles.columns);
    if (!left || !right) return {};
    // Row by row here is column by column there: the transpose of the product is the product of the transposes.
    DeviceProduct product;
    product.type = work.output.dtype.code();
    product.transposes_a = right->transposes;
    product.transposes_b = left->transposes;
    product.adds = !all.steps.empty();
    product.m = n;
    product.n = m;
    product.k = k;
    product.count = count;
    product.lda = right->leading;
    product.ldb = left->leading;
    product.ldc = n;
    product.stride_a = right->stride;
    product.stride_b = left->stride;
    product.stride_c = m * n;
    if (!kernels::cublas_knows(product)) return {};
    all.left_bytes = std::max(all.left_bytes, left->bytes);
    all.right_bytes = std::max(all.right_bytes, right->bytes);
    all.room_bytes = std::max(all.room_bytes, kernels::cublas_room(product));
    all.steps.push_back({*left, *right, product});
  }
  if (all.steps.empty()) return {};
  return all;
}

}  // namespace

std::optional<DevicePlan> plan_product(const Contract& contract, const ChunkWork& work) {
  if (!kernels::why_no_cublas().empty()) return {};
  const auto all = steps_of(contract, work);
  if (!all) return {};
  DevicePlan plan;
  plan.rooms = {all->room_bytes, all->left_bytes, all->right_bytes};
  // A core multiplies and adds about so often while it runs one instruction of a pass.
  constexpr double kProductsAStep = 16;
  for (const Step& step : all->steps) {
    const DeviceProduct& product = step.product;
    plan.steps += static_cast<double>(product.m) * static_cast<double>(product.n) * static_cast<double>(product.k) *
                  static_cast<double>(product.count) / kProductsAStep;
  }
  return plan;
}

namespace {

const std::byte* settled(const Factor& factor, const Block& block, std::byte* room,
                         const kernels::DeviceStream& stream) {
  if (!factor.copied) return block.data;
  BoxCopy copy = factor.copy;
  copy.from = block.data;
  copy.to = room;
  stream.copy(copy);
  return room;
}

}  // namespace

void run_product(const Contract& contract, const ChunkWork& work, const std::vector<std::byte*>& rooms,
                 const kernels::DeviceStream& stream) {
  const auto all = steps_of(contract, work);
  std::size_t next = 0;
  for (std::size_t pair = 0; pair + 1 < work.inputs.size(); pair += 2) {
    if (Box{work.inputs[pair].shape, work.inputs[pair].shape}.elements() == 0) continue;
    const Step& step = all->steps[next++];
    DeviceProduct product = step.product;
    product.b = settled(step.left, work.inputs[pair], rooms[1], stream);
    product.a = settled(step.right, work.inputs[pair + 1], rooms[2], stream);
    product.c = work.output.data;
    kernels::multiply_on_device(stream, product, rooms[0]);
  }
}

}  // namespace weft::arrays::ops
