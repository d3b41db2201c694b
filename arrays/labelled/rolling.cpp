// Windows along dimensions: rolling ones, and those side by side.
#include "arrays/labelled/attributes.hpp"
#include "arrays/labelled/block_kernel.hpp"
#include "arrays/labelled/operations.hpp"
#include "arrays/labelled/windows.hpp"
#include "arrays/ops/split.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <limits>

namespace weft::labelled {
namespace {

using arrays::Array;

/// Reduces axes that lie in one chunk.
Array reduce_whole(const Array& data, const WantedReduction& wanted, const std::vector<int>& axes, const Where& where) {
  arrays::ReduceOptions options{.axis = axes, .ddof = wanted.options.ddof};
  const bool skip = wanted.options.skipna && data.dtype().is_floating();
  if (!wanted.kind) {
    arrays::QuantileOptions how;
    how.axis = axes;
    const Array values = floating(data, where);
    return skip ? arrays::nanquantile(values, wanted.quantile, how, where)
                : arrays::quantile(values, wanted.quantile, how, where);
  }
  switch (*wanted.kind) {
    case Reduction::Count:
      return arrays::sum(arrays::logical_not(arrays::isnan(data)), options, where);
    case Reduction::Mean:
      return skip ? arrays::nanmean(data, options, where) : arrays::mean(data, options, where);
    case Reduction::Sum:
      return skip ? arrays::nansum(data, options, where) : arrays::sum(data, options, where);
    case Reduction::Prod:
      return skip ? arrays::nanprod(data, options, where) : arrays::prod(data, options, where);
    case Reduction::Min:
      return skip ? arrays::nanmin(data, options, where) : arrays::min(data, options, where);
    case Reduction::Max:
      return skip ? arrays::nanmax(data, options, where) : arrays::max(data, options, where);
    case Reduction::Var:
      return skip ? arrays::nanvar(data, options, where) : arrays::var(data, options, where);
    case Reduction::Std:
      return skip ? arrays::nanstd(data, options, where) : arrays::stddev(data, options, where);
  }
  return data;
}

/// The mean of the labels in each window; texts have the first of them.
Coordinate window_labels(const Coordinate& labels, std::int64_t first, std::int64_t extent, std::int64_t windows) {
  std::vector<double> means;
  std::vector<std::int64_t> firsts;
  const auto count = static_cast<std::int64_t>(labels.size());
  for (std::int64_t window = 0; window < windows; ++window) {
    const std::int64_t begin = std::max<std::int64_t>(0, first + window * extent);
    const std::int64_t end = std::min(count, first + (window + 1) * extent);
    firsts.push_back(begin);
    if (labels.numbers().empty()) continue;
    double sum = 0;
    for (std::int64_t i = begin; i < end; ++i) sum += labels.numbers()[static_cast<std::size_t>(i)];
    means.push_back(sum / static_cast<double>(end - begin));
  }
  if (labels.numbers().empty()) return labels.at(firsts);
  return Coordinate::of_numbers(labels.name(), std::move(means), labels.attributes());
}

std::string operation_name(const WantedReduction& wanted) {
  return wanted.kind ? reduction_name(*wanted.kind) : std::string("quantile");
}

}  // namespace

LabelledArray rolling(const LabelledArray& array, const Extents& windows, const RollingOptions& options,
                      const WantedReduction& wanted, const Where& where) {
  const Array data = floating(array.data(), where);
  WindowKernel kernel;
  kernel.kind = static_cast<std::uint8_t>(wanted.kind.value_or(Reduction::Mean));
  kernel.is_quantile = !wanted.kind;
  kernel.quantile = wanted.quantile;
  kernel.ddof = wanted.options.ddof;
  std::int64_t places = 1;
  std::vector<arrays::Margin> margins(data.ndim());
  for (const auto& [dim, extent] : windows) {
    Window window{array.axis(dim), options.center ? extent / 2 : extent - 1, 0};
    window.after = extent - 1 - window.before;
    // Farther than the array there is nothing to see.
    const std::int64_t most = std::max<std::int64_t>(0, array.extent(dim) - 1);
    margins[window.axis] = arrays::Margin(std::min(window.before, most), std::min(window.after, most));
    kernel.windows.push_back(window);
    places *= extent;
  }
  if (options.min_periods < 0 || options.min_periods > places) {
    throw Error("min_periods is " + std::to_string(options.min_periods) + ", but windows have " +
                std::to_string(places) + " places: give 1 to " + std::to_string(places) + ", or 0 for all");
  }
  kernel.min_periods = options.min_periods > 0 ? options.min_periods : places;
  std::sort(kernel.windows.begin(), kernel.windows.end(),
            [](const Window& a, const Window& b) { return a.axis < b.axis; });
  arrays::OverlapOptions how;
  how.depth = std::move(margins);
  how.boundary = arrays::Boundary::None;
  how.dtype = data.dtype();
  return with_data(array, arrays::detail::map_overlap({data}, block_kernel(std::move(kernel), where), how, where));
}

LabelledArray coarsen(const LabelledArray& array, const Extents& windows, const CoarsenLabelsOptions& options,
                      const WantedReduction& wanted, const Where& where) {
  Array data = array.data();
  LabelledArray::Coordinates coordinates = array.coordinates();
  std::vector<std::pair<int, std::int64_t>> factors;
  std::string cells;
  for (const auto& [dim, extent] : windows) {
    const std::size_t axis = array.axis(dim);
    const std::int64_t places = array.extent(dim), over = places % extent;
    std::int64_t first = 0, count = places / extent;
    if (over != 0 && options.excess == Excess::Refuse) {
      throw Error("the " + std::to_string(places) + " places along '" + dim + "' are no whole number of windows of " +
                  std::to_string(extent) + ": .excess = Excess::Trim leaves the rest out, Excess::Pad fills it up");
    }
    if (over != 0 && options.excess == Excess::Trim) {
      first = options.from_left ? 0 : over;
      std::vector<arrays::Index> index(axis, arrays::Index(slice()));
      index.emplace_back(slice(first, first + count * extent));
      data = data.at(index, where);
    } else if (over != 0) {
      const std::int64_t lacking = extent - over;
      first = options.from_left ? 0 : -lacking;
      count += 1;
      const LabelledArray wide = pad(LabelledArray(data, array.dims()), dim, options.from_left ? 0 : lacking,
                                     options.from_left ? lacking : 0, {}, where);
      data = wide.data();
    }
    factors.emplace_back(static_cast<int>(axis), extent);
    cells += (cells.empty() ? "" : ": ") + dim;
    const auto labels = coordinates.find(dim);
    if (labels != coordinates.end()) labels->second = window_labels(labels->second, first, extent, count);
  }
  const arrays::ops::SplitArray split = arrays::ops::split_axes(data, factors, {}, where);
  return {reduce_whole(split.apart, wanted, split.inner, where), array.dims(), std::move(coordinates), array.name(),
          reduced_attributes(array.attributes(), operation_name(wanted), cells)};
}

}  // namespace weft::labelled
