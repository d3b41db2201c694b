// Moments, covariances and differences: expressions of other operations.
#include <weft/ops/statistics.hpp>

#include "arrays/ops/axes.hpp"
#include "arrays/ops/lanes.hpp"

#include <weft/ops/creation.hpp>
#include <weft/ops/elementwise.hpp>
#include <weft/ops/linear_algebra.hpp>
#include <weft/ops/reductions.hpp>
#include <weft/ops/shaping.hpp>
#include <weft/ops/structure.hpp>

#include <algorithm>

namespace weft::arrays {
namespace {

using ops::at_line;

/// The part [first, last) of an axis.
Array part(const Array& array, std::size_t axis, slice range, const std::source_location& where) {
  std::vector<Index> index(axis, Index(slice(), where));
  index.emplace_back(range, where);
  return array.at(index, where);
}

Dtype mean_type(Dtype type) { return type.is_floating() || type.is_complex() ? type : float64; }

/// The rows as variables, in the type of the result.
Array variables(const Array& array, const CovOptions& options, Dtype type, const std::source_location& where) {
  Array rows = array.astype(type, where);
  if (array.ndim() == 2) return options.rowvar ? rows : rows.transpose(where);
  return atleast_2d(rows, where);
}

std::optional<Array> observation_weights(const CovOptions& options, std::int64_t count,
                                         const std::source_location& where) {
  std::optional<Array> weights;
  for (const std::optional<Array>* given : {&options.fweights, &options.aweights}) {
    if (!*given) continue;
    if ((*given)->ndim() != 1 || (*given)->shape()[0] != count) {
      throw Error(at_line("cov", where) + "weights of shape " + (*given)->shape().text() + " for " +
                  std::to_string(count) + " observations");
    }
    const Array one = (*given)->astype(float64, where);
    weights = weights ? *weights * one : one;
  }
  return weights;
}

}  // namespace

Array cov(const Array& array, const CovOptions& options, const std::source_location& where) {
  if (array.ndim() > 2 || (options.y && options.y->ndim() > 2)) {
    throw Error(at_line("cov", where) + "variables are the rows of a matrix, or one vector; the array has the shape " +
                array.shape().text());
  }
  Dtype type = promote(array.dtype(), float64);
  if (options.y) type = promote(type, options.y->dtype());
  if (options.dtype) type = *options.dtype;
  Array x = variables(array, options, type, where);
  if (options.y) {
    const Array y = variables(*options.y, options, type, where);
    if (y.shape()[1] != x.shape()[1]) {
      throw Error(at_line("cov", where) + std::to_string(x.shape()[1]) + " observations of one and " +
                  std::to_string(y.shape()[1]) + " of the other");
    }
    x = concatenate({x, y}, 0, where);
  }
  const std::int64_t count = x.shape()[1];
  const double ddof = options.ddof.value_or(options.bias ? 0 : 1);
  const std::optional<Array> weights = observation_weights(options, count, where);
  const ReduceOptions along{.axis = 1, .keepdims = true};
  Array centred, other, factor;
  if (!weights) {
    centred = x - mean(x, along, where);
    other = centred;
    factor = full({}, Scalar(std::max(0.0, static_cast<double>(count) - ddof)), {.dtype = float64}, where);
  } else {
    const Array w = weights->astype(type.real(), where);
    const Array total = sum(*weights, {}, where);
    centred = x - sum(x * w, along, where) / total;
    other = centred * w;
    // As NumPy has it: the weights of importance do not count as observations of their own.
    factor = total;
    if (ddof != 0) {
      factor = options.aweights
                   ? total - ddof * sum(*weights * options.aweights->astype(float64, where), {}, where) / total
                   : total - ddof;
      factor = maximum(factor, 0.0);
    }
  }
  const Array products = matmul(centred, conj(other).transpose(where), where);
  return squeeze(products / factor.astype(type.real(), where), {}, where);
}

Array corrcoef(const Array& array, const CovOptions& options, const std::source_location& where) {
  const Array c = cov(array, options, where);
  if (c.ndim() == 0) return c / c;
  const Array deviations = sqrt(real(diagonal(c, 0, where)));
  const Array r = c / expand_dims(deviations, 1, where) / expand_dims(deviations, 0, where);
  if (!r.dtype().is_complex()) return clip(r, -1.0, 1.0);
  return clip(real(r), -1.0, 1.0) + clip(imag(r), -1.0, 1.0) * std::complex<double>(0, 1);
}

WeightedMean average_returned(const Array& array, const std::optional<Array>& weights, const ReduceOptions& options,
                              const std::source_location& where) {
  if (!weights) {
    const Array average = mean(array, options, where);
    const Array counted = sum(ones_like(array, where).astype(average.dtype(), where), options, where);
    return {average, counted};
  }
  Array w = *weights;
  if (w.shape() != array.shape()) {
    const bool one_axis = options.axis.given() && options.axis.list().size() == 1;
    const std::size_t axis = one_axis ? ops::one_axis("average", array, options.axis.list()[0], where) : 0;
    if (!one_axis || w.ndim() != 1 || w.shape()[0] != array.shape()[axis]) {
      throw Error(at_line("average", where) + "weights of shape " + w.shape().text() + " for an array of shape " +
                  array.shape().text() + ": they have the same shape, or are as long as the one axis that is named");
    }
    Shape along;
    for (std::size_t at = 0; at < array.ndim(); ++at) along.push_back(at == axis ? w.shape()[0] : 1);
    w = broadcast_to(reshape(w, along, where), array.shape(), where);
  }
  const Dtype type = promote(mean_type(array.dtype()), w.dtype());
  const Array strong = w.astype(type, where);
  const Array total = sum(strong, options, where);
  return {sum(array.astype(type, where) * strong, options, where) / total, total};
}

Array average(const Array& array, const std::optional<Array>& weights, const ReduceOptions& options,
              const std::source_location& where) {
  return average_returned(array, weights, options, where).mean;
}

Array moment(const Array& array, int order, const ReduceOptions& options, const std::source_location& where) {
  if (order < 0)
    throw Error(at_line("moment", where) + "the order is " + std::to_string(order) + "; it is not negative");
  const Array x = array.astype(options.dtype.value_or(mean_type(array.dtype())), where);
  const ReduceOptions along{.axis = options.axis, .keepdims = options.keepdims};
  const Array centred = x - mean(x, {.axis = options.axis, .keepdims = true}, where);
  Array powers = ones_like(x, where);
  for (int i = 0; i < order; ++i) powers = i == 0 ? centred : powers * centred;
  if (order <= 1) return full_like(mean(powers, along, where), Scalar(order == 0 ? 1.0 : 0.0), where);
  if (options.ddof == 0) return mean(powers, along, where);
  std::int64_t count = 1;
  for (const int axis : ops::resolve_axes("moment", options.axis, array.ndim(), where)) {
    count *= array.shape()[static_cast<std::size_t>(axis)];
  }
  return sum(powers, along, where) / (static_cast<double>(count) - options.ddof);
}

Array diff(const Array& array, int times, int axis_given, const DiffOptions& options,
           const std::source_location& where) {
  if (times < 0) throw Error(at_line("diff", where) + "differences are taken " + std::to_string(times) + " times");
  if (array.ndim() == 0) throw Error(at_line("diff", where) + "an array without dimensions has no neighbours");
  const std::size_t axis = ops::one_axis("diff", array, axis_given, where);
  if (times == 0) return array;
  Array x = array;
  if (options.prepend || options.append) {
    std::vector<Array> parts;
    const auto add = [&](const std::optional<Array>& given) {
      if (!given) return;
      Shape shape = array.shape();
      shape[axis] = given->ndim() == 0 ? 1 : given->shape()[axis];
      parts.push_back(given->ndim() == 0 ? broadcast_to(*given, shape, where) : *given);
    };
    add(options.prepend);
    parts.push_back(array);
    add(options.append);
    x = concatenate(parts, static_cast<int>(axis), where);
  }
  for (int i = 0; i < times; ++i) {
    const Array after = part(x, axis, slice(1, none), where), before = part(x, axis, slice(none, -1), where);
    x = x.dtype().is_bool() ? after != before : after - before;
  }
  // Every difference but the last of an axis lies within a chunk: cut as the array was.
  if (!options.prepend && !options.append && x.shape()[axis] > 0) {
    expression::Grid grid = x.node()->grid;
    const std::int64_t largest = array.node()->grid[axis].largest();
    if (ops::AxisGrid::regular(array.shape()[axis], largest) == array.node()->grid[axis]) {
      grid[axis] = ops::AxisGrid::regular(x.shape()[axis], largest);
      return Array(ops::rechunk_to(x.node(), grid, where));
    }
  }
  return x;
}

Array ediff1d(const Array& array, const std::optional<Array>& to_end, const std::optional<Array>& to_begin,
              const std::source_location& where) {
  const Array between = diff(array.ndim() == 1 ? array : ravel(array, where), 1, 0, {}, where);
  std::vector<Array> parts;
  const auto add = [&](const std::optional<Array>& given) {
    if (!given) return;
    const Array line = given->ndim() == 1 ? *given : ravel(*given, where);
    parts.push_back(line.astype(between.dtype(), where));
  };
  add(to_begin);
  parts.push_back(between);
  add(to_end);
  return parts.size() == 1 ? between : concatenate(parts, 0, where);
}

namespace {

/// Three neighbours with their weights; each weight a number or a vector along the axis.
Array weighted(const Array& a, const Array& fa, const Array& b, const Array& fb, const Array& c, const Array& fc) {
  return a * fa + b * fb + c * fc;
}

/// The derivative along one axis: what is taken at the begin, within, and at the end.
class Derivative {
 public:
  Derivative(const Array& array, std::size_t axis, const Spacing& spacing, int edge_order,
             const std::source_location& where)
      : f_(array), axis_(axis), n_(array.shape()[axis]), edge_order_(edge_order), where_(where) {
    if (n_ < edge_order + 1) {
      throw Error(at_line("gradient", where) + "axis " + std::to_string(axis) + " has " + std::to_string(n_) +
                  " elements; " + std::to_string(edge_order + 1) + " are needed at least");
    }
    if (const auto* const step = std::get_if<double>(&spacing)) {
      steps_.assign(static_cast<std::size_t>(n_ - 1), *step);
      equal_ = true;
      return;
    }
    const auto& places = std::get<std::vector<double>>(spacing);
    if (static_cast<std::int64_t>(places.size()) != n_) {
      throw Error(at_line("gradient", where) + std::to_string(places.size()) + " coordinates for an axis of " +
                  std::to_string(n_));
    }
    for (std::size_t i = 0; i + 1 < places.size(); ++i) steps_.push_back(places[i + 1] - places[i]);
    equal_ = std::all_of(steps_.begin(), steps_.end(), [&](double step) { return step == steps_[0]; });
  }

  Array value() const {
    std::vector<Array> parts{begin()};
    if (n_ > 2) parts.push_back(within());
    parts.push_back(end());
    const Array all = concatenate(parts, static_cast<int>(axis_), where_);
    return Array(ops::rechunk_to(all.node(), f_.node()->grid, where_));
  }

 private:
  Array at(std::int64_t first, std::int64_t last) const { return part(f_, axis_, slice(first, last), where_); }
  /// A vector along the axis, as numbers of the array's type.
  Array along(std::vector<double> values) const {
    Shape shape;
    for (std::size_t i = 0; i < f_.ndim(); ++i)
      shape.push_back(i == axis_ ? static_cast<std::int64_t>(values.size()) : 1);
    return from_ndarray(NDArray::of(values, shape), -1, where_).astype(f_.dtype().real(), where_);
  }
  Array within() const {
    if (equal_) return (at(2, n_) - at(0, n_ - 2)) / along({2 * steps_[0]});
    std::vector<double> a, b, c;
    for (std::size_t i = 0; i + 1 < steps_.size(); ++i) {
      const double left = steps_[i], right = steps_[i + 1];
      a.push_back(-right / (left * (left + right)));
      b.push_back((right - left) / (left * right));
      c.push_back(left / (right * (left + right)));
    }
    return weighted(along(a), at(0, n_ - 2), along(b), at(1, n_ - 1), along(c), at(2, n_));
  }
  Array begin() const {
    if (edge_order_ == 1) return (at(1, 2) - at(0, 1)) / along({steps_.front()});
    const double left = steps_[0], right = steps_[1];
    return weighted(along({-(2 * left + right) / (left * (left + right))}), at(0, 1),
                    along({(left + right) / (left * right)}), at(1, 2), along({-left / (right * (left + right))}),
                    at(2, 3));
  }
  Array end() const {
    if (edge_order_ == 1) return (at(n_ - 1, n_) - at(n_ - 2, n_ - 1)) / along({steps_.back()});
    const double left = steps_[steps_.size() - 2], right = steps_.back();
    return weighted(along({right / (left * (left + right))}), at(n_ - 3, n_ - 2),
                    along({-(right + left) / (left * right)}), at(n_ - 2, n_ - 1),
                    along({(2 * right + left) / (right * (left + right))}), at(n_ - 1, n_));
  }

  const Array f_;
  const std::size_t axis_;
  const std::int64_t n_;
  const int edge_order_;
  const std::source_location where_;
  std::vector<double> steps_;
  bool equal_ = false;
};

}  // namespace

std::vector<Array> gradient(const Array& array, const GradientOptions& options, const std::source_location& where) {
  ops::require_known(*array.node(), "gradient", where);
  if (options.edge_order != 1 && options.edge_order != 2) {
    throw Error(at_line("gradient", where) + "the order at the ends is 1 or 2, not " +
                std::to_string(options.edge_order));
  }
  std::vector<std::size_t> axes;
  if (options.axis.given()) {
    for (const int axis : options.axis.list()) axes.push_back(ops::one_axis("gradient", array, axis, where));
  } else {
    for (std::size_t axis = 0; axis < array.ndim(); ++axis) axes.push_back(axis);
  }
  if (options.spacing.size() != 1 && options.spacing.size() != axes.size()) {
    throw Error(at_line("gradient", where) + std::to_string(options.spacing.size()) + " spacings for " +
                std::to_string(axes.size()) + " axes: give one for all, or one for each");
  }
  const Array f = array.astype(mean_type(array.dtype()), where);
  std::vector<Array> derivatives;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const Spacing& spacing = options.spacing[options.spacing.size() == 1 ? 0 : i];
    derivatives.push_back(Derivative(f, axes[i], spacing, options.edge_order, where).value());
  }
  return derivatives;
}

}  // namespace weft::arrays
