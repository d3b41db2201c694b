// How often each number occurs: where the largest is not known before, counts of unknown length, added in a tree.
#include <weft/ops/statistics.hpp>

#include "arrays/ops/lanes.hpp"

#include <weft/ops/reductions.hpp>

#include <algorithm>

namespace weft::arrays {
namespace {

using ops::at_line;
using ops::AxisGrid;
using ops::Block;
using ops::Box;
using ops::ChunkWork;
using ops::Grid;
using ops::Need;
using ops::structural;

constexpr std::int64_t kAddFanIn = 8;

/// The elements of a block in C order; T is their type.
template <class T>
std::vector<T> in_order(const Block& block) {
  std::vector<std::int64_t> order;
  for (std::size_t axis = 0; axis < block.shape.size(); ++axis) order.push_back(static_cast<std::int64_t>(axis));
  std::vector<T> elements(static_cast<std::size_t>(Shape(block.shape).elements()));
  if (!elements.empty()) ops::copy_in_order(block, order, reinterpret_cast<std::byte*>(elements.data()));
  return elements;
}

template <class W>
void add_counts(const std::vector<std::int64_t>& numbers, const std::vector<W>& weights, W* counts) {
  for (std::size_t i = 0; i < numbers.size(); ++i) counts[numbers[i]] += weights.empty() ? W{1} : weights[i];
}

std::vector<std::int64_t> counted_numbers(const ChunkWork& work) {
  std::vector<std::int64_t> numbers = in_order<std::int64_t>(work.inputs[0]);
  for (const std::int64_t number : numbers) {
    if (number < 0) throw Error("bincount: " + std::to_string(number) + " is negative: only 0, 1, 2, ... are counted");
  }
  return numbers;
}

/// The counts of one chunk, as many as were asked for.
struct CountKnown {
  static constexpr const char* kName = "bincount";
  static constexpr bool kAssembles = false;
  static constexpr bool kTakesDeferred = true;
  Grid grid;
  bool weighted;
  std::int64_t length;
  void needs(const Box& out, std::vector<Need>& needs) const {
    const Box box = expression::chunk_box(grid, out.start[0]);
    for (std::uint32_t input = 0; input < (weighted ? 2u : 1u); ++input) needs.push_back({input, box, {}});
  }
  void run(const ChunkWork& work) const {
    const std::vector<std::int64_t> numbers = counted_numbers(work);
    for (const std::int64_t number : numbers) {
      if (number < length) continue;
      throw Error("bincount: there is a " + std::to_string(number) + ", but the length is given as " +
                  std::to_string(length));
    }
    std::memset(work.output.data, 0, static_cast<std::size_t>(length) * 8);
    if (weighted) {
      add_counts(numbers, in_order<double>(work.inputs[1]), reinterpret_cast<double*>(work.output.data));
    } else {
      add_counts<std::int64_t>(numbers, {}, reinterpret_cast<std::int64_t*>(work.output.data));
    }
  }
};

/// The counts of one chunk, as many as it needs.
struct CountUnknown {
  static constexpr const char* kName = "bincount-chunk";
  static constexpr bool kAssembles = false;
  static constexpr bool kDefers = true;
  static constexpr bool kTakesDeferred = true;
  Grid grid;
  bool weighted;
  std::int64_t least;
  void needs(const Box& out, std::vector<Need>& needs) const {
    const Box box = expression::chunk_box(grid, out.start[0] / AxisGrid::kDeferredStep);
    for (std::uint32_t input = 0; input < (weighted ? 2u : 1u); ++input) needs.push_back({input, box, {}});
  }
  void run(const ChunkWork& work) const {
    const std::vector<std::int64_t> numbers = counted_numbers(work);
    std::int64_t length = least;
    for (const std::int64_t number : numbers) length = std::max(length, number + 1);
    const Block out = work.allocate({length});
    std::memset(out.data, 0, static_cast<std::size_t>(length) * 8);
    if (weighted) {
      add_counts(numbers, in_order<double>(work.inputs[1]), reinterpret_cast<double*>(out.data));
    } else {
      add_counts<std::int64_t>(numbers, {}, reinterpret_cast<std::int64_t*>(out.data));
    }
  }
};

/// The counts of some pieces together.
struct AddCounts {
  static constexpr const char* kName = "bincount-add";
  static constexpr bool kAssembles = false;
  static constexpr bool kDefers = true;
  static constexpr bool kTakesDeferred = true;
  std::int64_t pieces;
  void needs(const Box& out, std::vector<Need>& needs) const {
    const std::int64_t first = out.start[0] / AxisGrid::kDeferredStep * kAddFanIn;
    for (std::int64_t piece = first; piece < std::min(first + kAddFanIn, pieces); ++piece) {
      needs.push_back(ops::vector_need(0, piece * AxisGrid::kDeferredStep, 1));
    }
  }
  void run(const ChunkWork& work) const {
    std::int64_t length = 0;
    for (const Block& block : work.inputs) length = std::max(length, block.shape[0]);
    const Block out = work.allocate({length});
    std::memset(out.data, 0, static_cast<std::size_t>(length) * 8);
    for (const Block& block : work.inputs) {
      if (out.dtype == int64) {
        add<std::int64_t>(block, out);
      } else {
        add<double>(block, out);
      }
    }
  }
  template <class W>
  static void add(const Block& block, const Block& out) {
    const std::vector<W> counts = in_order<W>(block);
    W* const to = reinterpret_cast<W*>(out.data);
    for (std::size_t i = 0; i < counts.size(); ++i) to[i] += counts[i];
  }
};

}  // namespace

Array bincount(const Array& array, const BincountOptions& options, const std::source_location& where) {
  const auto fail = [&](const std::string& text) { throw Error(at_line("bincount", where) + text); };
  if (!array.dtype().is_integer() && !array.dtype().is_bool()) {
    fail("the elements are " + array.dtype().name() + "; integers are counted");
  }
  if (array.ndim() != 1) fail("the array has " + std::to_string(array.ndim()) + " dimensions; it must have one");
  if (options.minlength < 0 || (options.length && *options.length < 0)) fail("a length is not negative");
  const Dtype type = options.weights ? float64 : int64;
  std::vector<Array> inputs{array.astype(int64, where)};
  const Grid& grid = array.node()->grid;
  if (options.weights) {
    if (options.weights->shape() != array.shape()) {
      fail("the weights have the shape " + options.weights->shape().text() + ", the array " + array.shape().text());
    }
    inputs.push_back(Array(ops::rechunk_to(options.weights->astype(float64, where).node(), grid, where)));
  }
  const bool weighted = options.weights.has_value();
  std::int64_t pieces = expression::chunk_count(grid);
  if (options.length) {
    const Grid counts{AxisGrid::regular(pieces, 1), AxisGrid::whole(*options.length)};
    return sum(structural(CountKnown{grid, weighted, *options.length}, inputs, type, counts, where), {.axis = 0},
               where);
  }
  const auto counts_grid = [&](std::int64_t count) {
    expression::Fingerprint print("bincount");
    for (const Array& input : inputs) print.add(input.node()->key);
    const expression::Key key = print.add(options.minlength).add(count).key();
    return Grid{AxisGrid::deferred(count, key.high, key.low)};
  };
  Array counts = structural(CountUnknown{grid, weighted, options.minlength}, inputs, type, counts_grid(pieces), where);
  while (pieces > 1) {
    const std::int64_t added = (pieces + kAddFanIn - 1) / kAddFanIn;
    counts = structural(AddCounts{pieces}, {counts}, type, counts_grid(added), where);
    pieces = added;
  }
  return counts;
}

}  // namespace weft::arrays
