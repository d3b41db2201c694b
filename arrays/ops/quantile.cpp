// Quantiles, exact. Along some axes: whole lanes in a task. Over everything: by counting leading digits of the
// elements' keys, a few of them a pass, until one key is left for each place that is asked for.
#include <weft/ops/sorting.hpp>

#include "arrays/ops/lanes.hpp"
#include "arrays/ops/telling.hpp"

#include <weft/ops/creation.hpp>
#include <weft/ops/elementwise.hpp>
#include <weft/ops/reductions.hpp>
#include <weft/ops/structure.hpp>
#include <weft/times.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

namespace weft::arrays {
namespace {

using expression::Grid;
using ops::at_line;
using ops::AxisGrid;
using ops::Box;
using ops::ChunkWork;
using ops::Need;
using ops::structural;

/// Between which two places a quantile of n elements lies, and how far from the first.
struct Between {
  std::int64_t low;
  std::int64_t high;
  double part;
};

Between between(std::int64_t n, double q, QuantileMethod method) {
  const double last = static_cast<double>(n - 1);
  const auto general = [&](double alpha) { return static_cast<double>(n) * q + (alpha + q * (1 - alpha - alpha)) - 1; };
  const double counted = static_cast<double>(n) * q;
  double at = last * q;
  switch (method) {
    case QuantileMethod::Linear:
      break;
    case QuantileMethod::Lower:
      at = std::floor(at);
      break;
    case QuantileMethod::Higher:
      at = std::ceil(at);
      break;
    case QuantileMethod::Nearest:
      at = std::nearbyint(at);
      break;
    case QuantileMethod::Midpoint:
      at = 0.5 * (std::floor(at) + std::ceil(at));
      break;
    case QuantileMethod::Hazen:
      at = general(0.5);
      break;
    case QuantileMethod::Weibull:
      at = general(0);
      break;
    case QuantileMethod::MedianUnbiased:
      at = general(1.0 / 3.0);
      break;
    case QuantileMethod::NormalUnbiased:
      at = general(3.0 / 8.0);
      break;
    case QuantileMethod::InvertedCdf:
      at = std::ceil(counted - 1);
      break;
    case QuantileMethod::AveragedInvertedCdf:
      // Half way to the next one where there is none between.
      at = counted - 1;
      at = at == std::floor(at) && at >= 0 ? at + 0.5 : std::ceil(at);
      break;
    case QuantileMethod::ClosestObservation:
      at = counted - 1.5;
      at = at == std::floor(at) && std::fmod(at, 2) == 1 ? at : std::floor(at) + 1;
      break;
    case QuantileMethod::InterpolatedInvertedCdf:
      at = counted - 1;
      break;
  }
  at = std::clamp(at, 0.0, last);
  const double low = std::floor(at);
  return {static_cast<std::int64_t>(low), std::min(n - 1, static_cast<std::int64_t>(low) + 1), at - low};
}

double interpolate(double a, double b, double part) {
  if (part == 0) return a;
  if (part == 1 || a == b) return b;
  return part < 0.5 ? a + (b - a) * part : b - (b - a) * (1 - part);
}

bool gives_elements(QuantileMethod method) {
  return method == QuantileMethod::Lower || method == QuantileMethod::Higher || method == QuantileMethod::Nearest ||
         method == QuantileMethod::InvertedCdf || method == QuantileMethod::ClosestObservation;
}

double number_of(Dtype dtype, std::uint64_t key) {
  return kernels::visit_type(dtype.code(), [&](auto zero) -> double {
    using T = decltype(zero);
    if constexpr (std::is_arithmetic_v<T>) {
      return static_cast<double>(kernels::value_of<T>(key, false));
    } else {
      return 0;
    }
  });
}

/// Half of the sum of two counts, in their own arithmetic as NumPy has it: the sum wraps, the half is cut.
std::int64_t middle_of(std::uint64_t low, std::uint64_t high) {
  const auto a = static_cast<std::uint64_t>(kernels::value_of<std::int64_t>(low, true));
  const auto b = static_cast<std::uint64_t>(kernels::value_of<std::int64_t>(high, true));
  return static_cast<std::int64_t>(a + b) / 2;
}

/// Writes one quantile from the keys at its two places.
void write_quantile(Dtype from, std::uint64_t low, std::uint64_t high, double part, Dtype to, std::byte* place) {
  if (to.is_time()) {
    *reinterpret_cast<std::int64_t*>(place) =
        part == 0 ? kernels::value_of<std::int64_t>(low, true) : middle_of(low, high);
    return;
  }
  if (from == to && (part == 0 || low == high)) return kernels::write_values(to, &low, 1, place);
  const double value = interpolate(number_of(from, low), number_of(from, high), part);
  if (to == float32) {
    *reinterpret_cast<float*>(place) = static_cast<float>(value);
  } else {
    *reinterpret_cast<double*>(place) = value;
  }
}

/// Whether a type has a value that is none: NaN, or NaT.
bool may_be_none(Dtype dtype) { return dtype.is_floating() || dtype.is_time(); }

void write_nan(Dtype to, std::byte* place) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  if (to == float32) {
    *reinterpret_cast<float*>(place) = static_cast<float>(kNan);
  } else if (to == float64) {
    *reinterpret_cast<double*>(place) = kNan;
  } else if (to.is_time()) {
    *reinterpret_cast<std::int64_t*>(place) = std::numeric_limits<std::int64_t>::min();
  }
}

/// Chunks of the result: quantiles first, then the axes that are kept.
struct LaneQuantiles {
  static constexpr const char* kName = "quantile";
  static constexpr bool kAssembles = false;
  std::vector<double> q;
  std::uint8_t method;
  bool skips_nan;
  /// Axes of the source, those that are kept first, and the extents of the others.
  std::vector<std::int64_t> order;
  std::vector<std::int64_t> lanes;

  void needs(const Box& out, std::vector<Need>& needs) const {
    Box box{{out.start.begin() + 1, out.start.end()}, {out.extent.begin() + 1, out.extent.end()}};
    for (const std::int64_t extent : lanes) {
      box.start.push_back(0);
      box.extent.push_back(extent);
    }
    needs.push_back({0, ops::unmoved(box, order), {}});
  }

  void run(const ChunkWork& work) const {
    std::int64_t count = 1;
    for (std::size_t axis = 1; axis < work.output.shape.size(); ++axis) count *= work.output.shape[axis];
    std::int64_t length = 1;
    for (const std::int64_t extent : lanes) length *= extent;
    if (count == 0) return;
    const Dtype from = work.inputs[0].dtype, to = work.output.dtype;
    std::vector<std::byte> values(static_cast<std::size_t>(count * length) * from.size());
    ops::copy_in_order(work.inputs[0], order, values.data());
    std::vector<std::uint64_t> keys(static_cast<std::size_t>(length));
    const std::size_t bytes = to.size();
    for (std::int64_t lane = 0; lane < count; ++lane) {
      kernels::write_keys(from, values.data() + static_cast<std::size_t>(lane * length) * from.size(), keys.size(),
                          keys.data());
      const auto numbers = may_be_none(from) ? std::partition(keys.begin(), keys.end(),
                                                              [](auto key) { return key != kernels::kLastKey; })
                                             : keys.end();
      const std::int64_t n = numbers - keys.begin();
      for (std::size_t i = 0; i < q.size(); ++i) {
        std::byte* const place =
            work.output.data + (i * static_cast<std::size_t>(count) + static_cast<std::size_t>(lane)) * bytes;
        if (n == 0 || (!skips_nan && n < length)) {
          write_nan(to, place);
          continue;
        }
        const Between at = between(n, q[i], static_cast<QuantileMethod>(method));
        std::nth_element(keys.begin(), keys.begin() + at.low, numbers);
        const std::uint64_t low = keys[static_cast<std::size_t>(at.low)];
        const std::uint64_t high = at.high == at.low ? low : *std::min_element(keys.begin() + at.high, numbers);
        write_quantile(from, low, high, at.part, to, place);
      }
    }
  }
};

// Selection by digits. For each quantile two places are looked for. Their state is a pair of numbers: the digits of the
// key that are known, and the place among the elements that have these digits.
constexpr int kFirstBits = 16;
constexpr int kNextBits = 12;

/// Input: how many elements are numbers.
struct SelectBegin {
  static constexpr const char* kName = "select-begin";
  static constexpr bool kAssembles = false;
  std::vector<double> q;
  std::uint8_t method;
  void needs(const Box&, std::vector<Need>& needs) const { needs.push_back({0, Box{}, {}}); }
  void run(const ChunkWork& work) const {
    const std::int64_t n = *reinterpret_cast<const std::int64_t*>(work.inputs[0].data);
    auto* const state = reinterpret_cast<std::int64_t*>(work.output.data);
    for (std::size_t i = 0; i < q.size(); ++i) {
      const Between at = between(std::max<std::int64_t>(1, n), q[i], static_cast<QuantileMethod>(method));
      state[4 * i] = state[4 * i + 2] = 0;
      state[4 * i + 1] = at.low;
      state[4 * i + 3] = at.high;
    }
  }
};

/// How often each next digit, `bits` from `shift` on, occurs in one chunk, for every place; in the first round, where
/// nothing is known, once for all. Inputs: the elements, the state.
struct SelectCount {
  static constexpr const char* kName = "select-count";
  static constexpr bool kAssembles = false;
  Grid grid;
  std::int64_t targets;
  std::int64_t shift;
  std::int64_t bits;
  bool first;
  void needs(const Box& out, std::vector<Need>& needs) const {
    needs.push_back({0, expression::chunk_box(grid, out.start[0]), {}});
    needs.push_back(ops::vector_need(1, 0, 2 * targets));
  }
  void run(const ChunkWork& work) const {
    auto* const counts = reinterpret_cast<std::int64_t*>(work.output.data);
    const std::int64_t digits = std::int64_t{1} << bits;
    const std::int64_t counted = first ? 1 : targets;
    std::fill(counts, counts + counted * digits, 0);
    const ops::Block& from = work.inputs[0];
    const std::int64_t n = Shape(from.shape).elements();
    if (n == 0) return;
    Buffer room;
    const std::byte* const values = ops::in_order(from, room);
    const auto* const state = reinterpret_cast<const std::int64_t*>(work.inputs[1].data);
    // Places that share their known digits are counted once.
    std::vector<std::int64_t> same(static_cast<std::size_t>(counted));
    for (std::int64_t t = 0; t < counted; ++t) {
      std::int64_t& other = same[static_cast<std::size_t>(t)];
      while (state[2 * other] != state[2 * t]) ++other;
    }
    const int above = static_cast<int>(shift + bits);
    constexpr std::int64_t kBatch = 2048;
    std::uint64_t keys[kBatch], found[kBatch + 8];
    const std::size_t size = from.dtype.size();
    for (std::int64_t at = 0; at < n; at += kBatch) {
      const auto count = static_cast<std::size_t>(std::min(kBatch, n - at));
      kernels::write_keys(from.dtype, values + static_cast<std::size_t>(at) * size, count, keys);
      for (std::int64_t t = 0; t < counted; ++t) {
        if (same[static_cast<std::size_t>(t)] != t) continue;
        if (first) {
          add_digits(counts, keys, count);
          continue;
        }
        const auto known = static_cast<std::uint64_t>(state[2 * t]);
        add_digits(counts + t * digits, found, kernels::kernels().matching_keys(keys, count, above, known, found));
      }
    }
    for (std::int64_t t = 0; t < counted; ++t) {
      const std::int64_t other = same[static_cast<std::size_t>(t)];
      if (other != t) std::copy(counts + other * digits, counts + (other + 1) * digits, counts + t * digits);
    }
  }
  void add_digits(std::int64_t* counts, const std::uint64_t* keys, std::size_t n) const {
    const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
    for (std::size_t i = 0; i < n; ++i) ++counts[keys[i] >> shift & mask];
  }
};

/// Adds a digit to what is known. Inputs: the counts over all chunks, the state.
struct SelectStep {
  static constexpr const char* kName = "select-step";
  static constexpr bool kAssembles = false;
  std::int64_t targets;
  std::int64_t shift;
  std::int64_t bits;
  bool first;
  void needs(const Box&, std::vector<Need>& needs) const {
    needs.push_back(ops::vector_need(0, 0, (first ? 1 : targets) << bits));
    needs.push_back(ops::vector_need(1, 0, 2 * targets));
  }
  void run(const ChunkWork& work) const {
    const auto* const counts = reinterpret_cast<const std::int64_t*>(work.inputs[0].data);
    const auto* const state = reinterpret_cast<const std::int64_t*>(work.inputs[1].data);
    auto* const next = reinterpret_cast<std::int64_t*>(work.output.data);
    const std::int64_t digits = std::int64_t{1} << bits;
    for (std::int64_t t = 0; t < targets; ++t) {
      const std::int64_t* const mine = counts + (first ? 0 : t * digits);
      std::int64_t digit = 0;
      std::int64_t place = state[2 * t + 1];
      while (digit + 1 < digits && mine[digit] <= place) place -= mine[digit++];
      next[2 * t] = state[2 * t] | static_cast<std::int64_t>(static_cast<std::uint64_t>(digit) << shift);
      next[2 * t + 1] = place;
    }
  }
};

/// Inputs: the state, how many elements are numbers.
struct SelectEnd {
  static constexpr const char* kName = "select-end";
  static constexpr bool kAssembles = false;
  std::vector<double> q;
  std::uint8_t method;
  bool skips_nan;
  std::int64_t elements;
  TypeCode from;
  void needs(const Box&, std::vector<Need>& needs) const {
    needs.push_back(ops::vector_need(0, 0, 4 * static_cast<std::int64_t>(q.size())));
    needs.push_back({1, Box{}, {}});
  }
  void run(const ChunkWork& work) const {
    const auto* const state = reinterpret_cast<const std::int64_t*>(work.inputs[0].data);
    const std::int64_t n = *reinterpret_cast<const std::int64_t*>(work.inputs[1].data);
    for (std::size_t i = 0; i < q.size(); ++i) {
      std::byte* const place = work.output.data + i * work.output.dtype.size();
      if (n == 0 || (!skips_nan && n < elements)) {
        write_nan(work.output.dtype, place);
        continue;
      }
      const Between at = between(n, q[i], static_cast<QuantileMethod>(method));
      write_quantile(Dtype(from), static_cast<std::uint64_t>(state[4 * i]),
                     static_cast<std::uint64_t>(state[4 * i + 2]), at.part, work.output.dtype, place);
    }
  }
};

/// Bits of the keys of a type's numbers.
int dtype_bits(Dtype dtype) { return dtype.is_integer() ? static_cast<int>(8 * dtype.size()) : 64; }

/// From here on counting is faster than gathering everything in one task.
constexpr std::int64_t kManyElements = 1 << 16;

Array selected(const Array& array, const std::vector<double>& q, const QuantileOptions& options, bool skips_nan,
               Dtype out, const std::source_location& where) {
  const auto targets = 2 * static_cast<std::int64_t>(q.size());
  const auto method = static_cast<std::uint8_t>(options.method);
  const Dtype dtype = array.dtype();
  const Array numbers =
      may_be_none(dtype)
          ? count_nonzero(logical_not(dtype.is_time() ? isnat(array, where) : isnan(Operand(array, where))), {}, where)
          : full({}, Scalar(array.size()), {.dtype = int64}, where);
  const AxisGrid state_grid = AxisGrid::whole(2 * targets);
  Array state = structural(SelectBegin{q, method}, {numbers}, int64, {state_grid}, where);
  // Keys of narrow types have zeros above; NaN, which has not, is no number that could be chosen.
  const int width = dtype_bits(dtype);
  for (int left = width; left > 0;) {
    const bool first = left == width;
    const std::int64_t bits = std::min(left, first ? kFirstBits : kNextBits);
    left -= static_cast<int>(bits);
    const Grid grid{AxisGrid::regular(array.npartitions(), 1), AxisGrid::whole((first ? 1 : targets) << bits)};
    const Array counts =
        structural(SelectCount{array.node()->grid, targets, left, bits, first}, {array, state}, int64, grid, where);
    state = structural(SelectStep{targets, left, bits, first}, {sum(counts, {.axis = 0}, where), state}, int64,
                       {state_grid}, where);
  }
  return structural(SelectEnd{q, method, skips_nan, array.size(), array.dtype().code()}, {state, numbers}, out,
                    {AxisGrid::whole(static_cast<std::int64_t>(q.size()))}, where);
}

Array quantiles(const char* operation, const Array& array, const std::vector<double>& q, const QuantileOptions& options,
                bool skips_nan, bool single, const std::source_location& where) {
  const Dtype dtype = array.dtype();
  const bool median = std::string_view(operation).ends_with("median");
  const bool span = dtype.code() == TypeCode::Timedelta64;
  if (dtype.is_complex() || (dtype.is_time() && !(span && median)) || (dtype.is_bool() && !median)) {
    throw Error(at_line(operation, where) + "is not defined for " + dtype.name());
  }
  // NumPy interpolates between float32 in the type of a list of quantiles, which is float64.
  if (!single && dtype == float32 && !gives_elements(options.method)) {
    return quantiles(operation, array.astype(float64, where), q, options, skips_nan, single, where);
  }
  ops::require_known(*array.node(), operation, where);
  for (const double one : q) {
    if (!(one >= 0 && one <= 1))
      throw Error(at_line(operation, where) + "quantiles are between 0 and 1 (percentiles 0 and 100)");
  }
  std::vector<int> axes;
  try {
    axes = options.axis.resolve(static_cast<int>(array.ndim()));
  } catch (const Error& error) {
    throw Error(at_line(operation, where) + error.what());
  }
  Dtype out = may_be_none(dtype) ? dtype : float64;
  if (gives_elements(options.method)) out = dtype;
  LaneQuantiles lanes{q, static_cast<std::uint8_t>(options.method), skips_nan, {}, {}};
  Grid grid{AxisGrid::whole(static_cast<std::int64_t>(q.size()))};
  std::int64_t pieces = 1;
  for (std::size_t axis = 0; axis < array.ndim(); ++axis) {
    if (std::find(axes.begin(), axes.end(), static_cast<int>(axis)) != axes.end()) continue;
    lanes.order.push_back(static_cast<std::int64_t>(axis));
    grid.push_back(array.node()->grid[axis]);
  }
  for (const int axis : axes) {
    const auto at = static_cast<std::size_t>(axis);
    lanes.order.push_back(axis);
    lanes.lanes.push_back(array.shape()[at]);
    pieces *= array.node()->grid[at].count();
    if (array.shape()[at] == 0 && !may_be_none(out)) {
      throw Error(at_line(operation, where) + "there is nothing to choose from along an axis of extent 0 (shape " +
                  array.shape().text() + ")");
    }
  }
  Array result;
  if (axes.size() == array.ndim() && pieces > 1 && array.size() >= kManyElements) {
    result = selected(array, q, options, skips_nan, out, where);
  } else {
    Grid kept(grid.begin() + 1, grid.end());
    ops::cut_further(kept, kept.size(), pieces);
    std::copy(kept.begin(), kept.end(), grid.begin() + 1);
    result = structural(std::move(lanes), {array}, out, std::move(grid), where);
  }
  if (options.keepdims) {
    for (const int axis : axes) result = expand_dims(result, axis + 1, where);
  }
  return single ? squeeze(result, 0, where) : result;
}

std::vector<double> shares(std::vector<double> percent) {
  for (double& one : percent) one /= 100;
  return percent;
}

}  // namespace

#define WEFT_QUANTILE(name, skips_nan, share)                                                                   \
  Array name(const Array& array, double q, const QuantileOptions& options, const std::source_location& where) { \
    return quantiles(#name, array, share(std::vector<double>{q}), options, skips_nan, true, where);             \
  }                                                                                                             \
  Array name(const Array& array, const std::vector<double>& q, const QuantileOptions& options,                  \
             const std::source_location& where) {                                                               \
    return quantiles(#name, array, share(q), options, skips_nan, false, where);                                 \
  }
WEFT_QUANTILE(quantile, false, )
WEFT_QUANTILE(percentile, false, shares)
WEFT_QUANTILE(nanquantile, true, )
WEFT_QUANTILE(nanpercentile, true, shares)
#undef WEFT_QUANTILE

Array median(const Array& array, const ReduceOptions& options, const std::source_location& where) {
  return quantiles("median", array, {0.5}, {.axis = options.axis, .keepdims = options.keepdims}, false, true, where);
}

Array nanmedian(const Array& array, const ReduceOptions& options, const std::source_location& where) {
  return quantiles("nanmedian", array, {0.5}, {.axis = options.axis, .keepdims = options.keepdims}, true, true, where);
}

}  // namespace weft::arrays
