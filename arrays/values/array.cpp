#include <weft/array.hpp>

#include "arrays/expression/node.hpp"
#include "arrays/kernels/copy.hpp"
#include "arrays/plan/lower.hpp"

#include <weft/error.hpp>
#include <weft/ops/reductions.hpp>
#include <weft/ops/structure.hpp>

#include <ostream>

namespace weft::arrays {

const expression::NodePointer& Array::node() const {
  if (node_ == nullptr) throw Error("this Array is empty: assign an expression to it before it is used");
  return node_;
}

Dtype Array::dtype() const { return node()->dtype; }
const Shape& Array::shape() const { return node()->shape; }
const std::string& Array::name() const { return node()->name; }

std::vector<std::vector<std::int64_t>> Array::chunks() const {
  std::vector<std::vector<std::int64_t>> sizes;
  for (const expression::AxisGrid& axis : node()->grid) sizes.push_back(axis.sizes());
  return sizes;
}

std::vector<std::int64_t> Array::numblocks() const {
  std::vector<std::int64_t> counts;
  for (const expression::AxisGrid& axis : node()->grid) counts.push_back(axis.count());
  return counts;
}

std::int64_t Array::npartitions() const { return expression::chunk_count(node()->grid); }

Array Array::astype(Dtype dtype, const std::source_location& where) const {
  return Array(expression::make_cast(node(), dtype, where));
}
Array Array::rechunk(Chunks chunks, const std::source_location& where) const {
  return arrays::rechunk(*this, chunks, where);
}
Array Array::reshape(Shape shape, const std::source_location& where) const {
  return arrays::reshape(*this, shape, where);
}
Array Array::transpose(const std::source_location& where) const { return arrays::transpose(*this, {}, where); }
Array Array::sum(const ReduceOptions& options, const std::source_location& where) const {
  return arrays::sum(*this, options, where);
}
Array Array::mean(const ReduceOptions& options, const std::source_location& where) const {
  return arrays::mean(*this, options, where);
}
Array Array::std(const ReduceOptions& options, const std::source_location& where) const {
  return arrays::stddev(*this, options, where);
}
Array Array::var(const ReduceOptions& options, const std::source_location& where) const {
  return arrays::var(*this, options, where);
}
Array Array::min(const ReduceOptions& options, const std::source_location& where) const {
  return arrays::min(*this, options, where);
}
Array Array::max(const ReduceOptions& options, const std::source_location& where) const {
  return arrays::max(*this, options, where);
}

std::string Array::text() const {
  if (node_ == nullptr) return "Array()";
  std::string text = "Array(" + name() + ", shape " + shape().text() + ", " + dtype().name() + ", chunks (";
  for (std::size_t axis = 0; axis < node_->grid.size(); ++axis) {
    const expression::AxisGrid& grid = node_->grid[axis];
    if (axis > 0) text += ", ";
    text += std::to_string(grid.largest());
    if (grid.count() > 1) text += " x " + std::to_string(grid.count());
  }
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double bytes = static_cast<double>(nbytes());
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < std::size(kUnits); ++unit) bytes /= 1024;
  char size[32];
  std::snprintf(size, sizeof size, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, kUnits[unit]);
  return text + "), " + size + ")";
}

std::ostream& operator<<(std::ostream& out, const Array& array) { return out << array.text(); }

std::vector<NDArray> compute_arrays(const Client& client, const std::vector<Array>& arrays) {
  std::vector<std::vector<Future<Buffer>>> futures;
  {
    std::vector<expression::NodePointer> nodes;
    for (const Array& array : arrays) nodes.push_back(array.node());
    lowering::Lowering lowering(nodes);
    for (const expression::NodePointer& node : nodes) {
      const std::int64_t count = expression::chunk_count(node->grid);
      std::vector<Future<Buffer>>& list = futures.emplace_back();
      for (std::int64_t chunk = 0; chunk < count; ++chunk) list.push_back(client.persist(lowering.chunk(node, chunk)));
    }
    // The descriptions go here, so that what is between is freed as soon as it has been used.
  }
  std::vector<NDArray> results;
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const expression::Node& node = *arrays[i].node();
    NDArray whole(node.dtype, node.shape);
    for (std::size_t chunk = 0; chunk < futures[i].size(); ++chunk) {
      Future<Buffer> future = std::move(futures[i][chunk]);
      const Buffer part = future.result();
      const expression::Box box = expression::chunk_box(node.grid, static_cast<std::int64_t>(chunk));
      std::byte* to = whole.mutable_data();
      for (std::size_t axis = 0; axis < box.ndim(); ++axis) to += box.start[axis] * whole.strides()[axis];
      const auto strides = c_strides(Shape(box.extent), node.dtype.size());
      kernels::copy_box(to, whole.strides().data(), part.data(), strides.data(), box.extent.data(), box.ndim(),
                        node.dtype.size());
    }
    results.push_back(std::move(whole));
  }
  return results;
}

Array persist_array(const Client& client, const Array& array) {
  const expression::NodePointer& node = array.node();
  lowering::Lowering lowering({node});
  std::vector<Delayed<Buffer>> chunks;
  const std::int64_t count = expression::chunk_count(node->grid);
  for (std::int64_t number = 0; number < count; ++number) {
    const Delayed<Buffer> chunk = lowering.chunk(node, number);
    client.persist(chunk);
    chunks.push_back(chunk);
  }
  return Array(expression::make_stored(node->dtype, node->grid, std::move(chunks), node->name, node->where));
}

}  // namespace weft::arrays
