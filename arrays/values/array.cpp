#include <weft/array.hpp>

#include "arrays/expression/node.hpp"

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
Array Array::view(Dtype dtype, const std::source_location& where) const {
  if (dtype.size() != this->dtype().size()) {
    throw Error(expression::at_line("view", where) + "an array of " + this->dtype().name() + " cannot be read as " +
                dtype.name() + ", whose elements have another size: convert it with astype");
  }
  return Array(expression::make_reinterpreted(node(), dtype, where));
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
    text += grid.known() ? std::to_string(grid.largest()) : "?";
    if (grid.count() > 1) text += " x " + std::to_string(grid.count());
  }
  if (!expression::known(node_->grid)) return text + "), ? B)";
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double bytes = static_cast<double>(nbytes());
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < std::size(kUnits); ++unit) bytes /= 1024;
  char size[32];
  std::snprintf(size, sizeof size, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, kUnits[unit]);
  return text + "), " + size + ")";
}

std::ostream& operator<<(std::ostream& out, const Array& array) { return out << array.text(); }

}  // namespace weft::arrays
