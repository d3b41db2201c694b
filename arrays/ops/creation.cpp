#include <weft/ops/creation.hpp>

#include "arrays/kernels/copy.hpp"
#include "arrays/ops/apply.hpp"
#include "arrays/ops/axes.hpp"
#include "arrays/ops/telling.hpp"
#include "arrays/ops/times.hpp"
#include "arrays/plan/lower.hpp"

#include <weft/error.hpp>
#include <weft/ops/elementwise.hpp>
#include <weft/ops/structure.hpp>

#include <bit>
#include <cmath>

namespace weft::arrays {
namespace {

using expression::Generator;
using expression::Grid;

void require_extents(const char* call, const Shape& shape, const std::source_location& where) {
  for (const std::int64_t extent : shape) {
    if (extent < 0) {
      throw Error(ops::at_line(call, where) + "the shape " + ops::numbers_text(shape) + " has a negative extent");
    }
  }
  ops::told(call, where, [&] { return shape.elements(); });
}

/// A ramp start, start + step, ... of `count` elements.
Array ramp(Dtype dtype, double start, double step, std::int64_t whole_start, std::int64_t whole_step,
           std::int64_t count, const CreateOptions& options, const char* name, const std::source_location& where) {
  Generator generator;
  generator.kind = Generator::Ramp;
  if (dtype.is_floating() || dtype.is_complex()) {
    generator.words[0] = std::bit_cast<std::uint64_t>(start);
    generator.words[1] = std::bit_cast<std::uint64_t>(step);
  } else {
    generator.words[0] = static_cast<std::uint64_t>(whole_start);
    generator.words[1] = static_cast<std::uint64_t>(whole_step);
  }
  const Shape shape(count);
  return Array(expression::make_generated(generator, dtype,
                                          ops::grid_for(name, where, shape, options.chunks, dtype.size()),
                                          options.name.empty() ? name : options.name, where));
}

}  // namespace

namespace {

Array filled(const char* call, const Shape& shape, const Scalar& value, const CreateOptions& options,
             const std::source_location& where) {
  require_extents(call, shape, where);
  const Dtype dtype = options.dtype.value_or(value.dtype());
  Generator generator;
  ops::told(call, where, [&] { value.require_fits(dtype); });
  value.write(dtype, generator.words);
  return Array(expression::make_generated(generator, dtype,
                                          ops::grid_for(call, where, shape, options.chunks, dtype.size()),
                                          options.name.empty() ? "full" : options.name, where));
}

}  // namespace

Array full(const Shape& shape, const Scalar& value, const CreateOptions& options, const std::source_location& where) {
  return filled("full", shape, value, options, where);
}
Array zeros(const Shape& shape, const CreateOptions& options, const std::source_location& where) {
  return filled("zeros", shape, Scalar(0.0), options, where);
}
Array ones(const Shape& shape, const CreateOptions& options, const std::source_location& where) {
  return filled("ones", shape, Scalar(1.0), options, where);
}
Array empty(const Shape& shape, const CreateOptions& options, const std::source_location& where) {
  return filled("empty", shape, Scalar(0.0), options, where);
}

Array full_like(const Array& array, const Scalar& value, const std::source_location& where) {
  Generator generator;
  ops::told("full_like", where, [&] { value.require_fits(array.dtype()); });
  value.write(array.dtype(), generator.words);
  return Array(expression::make_generated(generator, array.dtype(), array.node()->grid, "full", where));
}
Array zeros_like(const Array& array, const std::source_location& where) { return full_like(array, Scalar(0.0), where); }
Array ones_like(const Array& array, const std::source_location& where) { return full_like(array, Scalar(1.0), where); }

Array arange(const Scalar& start, const Scalar& stop, const Scalar& step, const CreateOptions& options,
             const std::source_location& where) {
  if (start.dtype().is_time() || stop.dtype().is_time()) return ops::arange_times(start, stop, step, options, where);
  const bool whole = start.dtype().is_integer() && stop.dtype().is_integer() && step.dtype().is_integer();
  const Dtype dtype = options.dtype.value_or(whole ? int64 : float64);
  if (step.real() == 0) throw Error(ops::at_line("arange", where) + "the step is zero");
  std::int64_t count = 0;
  if (whole) {
    const std::int64_t a = start.integer(), b = stop.integer(), d = step.integer();
    count = d > 0 ? (b - a + d - 1) / d : (a - b - d - 1) / -d;
  } else {
    const double length = std::ceil((stop.real() - start.real()) / step.real());
    if (!(length < 9e18)) throw Error(ops::at_line("arange", where) + "the range has no end");
    count = static_cast<std::int64_t>(length);
  }
  count = std::max<std::int64_t>(count, 0);
  // NumPy steps by the difference of the first two numbers as they were rounded.
  const double delta = (start.real() + step.real()) - start.real();
  return ramp(dtype, start.real(), delta, start.integer(), step.integer(), count, options, "arange", where);
}

Array arange(const Scalar& stop, const CreateOptions& options, const std::source_location& where) {
  return arange(stop.dtype().is_floating() ? Scalar(0.0) : Scalar(0), stop, Scalar(1), options, where);
}

Array linspace(double start, double stop, std::int64_t count, const CreateOptions& options,
               const std::source_location& where) {
  if (count < 0) throw Error(ops::at_line("linspace", where) + "the number of samples is negative");
  const Dtype dtype = options.dtype.value_or(float64);
  if (count == 0) return full(Shape(0), Scalar(0.0), {.dtype = dtype}, where);
  CreateOptions places = options;
  const double gaps = static_cast<double>(std::max<std::int64_t>(count - 1, 1));
  const double step = (stop - start) / gaps;
  const Array index = ramp(float64, 0, 1, 0, 1, count, places, "linspace", where);
  const Array values = index * step + start;
  if (count == 1) return values.astype(dtype, where);
  // The last one is exact, whatever the rounding of the steps.
  return arrays::where(Operand(index, where) == Operand(static_cast<double>(count - 1), where), stop, values)
      .astype(dtype, where);
}

Array indices(const Shape& shape, int axis, const CreateOptions& options, const std::source_location& where) {
  require_extents("indices", shape, where);
  const int chosen = static_cast<int>(ops::resolve_axis("indices", axis, shape.size(), where));
  const Dtype dtype = options.dtype.value_or(int64);
  const Grid grid = ops::grid_for("indices", where, shape, options.chunks, dtype.size());
  const auto along = static_cast<std::size_t>(chosen);
  Generator generator;
  generator.kind = Generator::Ramp;
  if (dtype.is_floating()) {
    generator.words[1] = std::bit_cast<std::uint64_t>(1.0);
  } else {
    generator.words[1] = 1;
  }
  const auto line = expression::make_generated(generator, dtype, {grid[along]}, "indices", where);
  expression::IndexMap map(1);
  map[0].out_axis = chosen;
  return Array(expression::make_view(line, map, grid, "indices", where));
}

namespace {

/// Returns column - row at each place of a matrix.
Array diagonal_number(std::int64_t rows, std::int64_t columns, const CreateOptions& options,
                      const std::source_location& where) {
  const Shape shape(rows, columns < 0 ? rows : columns);
  CreateOptions places{.dtype = int64, .chunks = options.chunks};
  return Operand(indices(shape, 1, places, where), where) - Operand(indices(shape, 0, places, where), where);
}

}  // namespace

Array eye(std::int64_t rows, std::int64_t columns, std::int64_t k, const CreateOptions& options,
          const std::source_location& where) {
  return (diagonal_number(rows, columns, options, where) == Operand(k, where))
      .astype(options.dtype.value_or(float64), where);
}

Array tri(std::int64_t rows, std::int64_t columns, std::int64_t k, const CreateOptions& options,
          const std::source_location& where) {
  return (diagonal_number(rows, columns, options, where) <= Operand(k, where))
      .astype(options.dtype.value_or(float64), where);
}

namespace {

/// Gives a chunk that lies in memory already.
struct GiveChunk {
  Buffer operator()(const Buffer& chunk) const { return chunk; }
};

Buffer chunk_of(const NDArray& values, const expression::Box& box) {
  const std::size_t bytes = values.dtype().size();
  const std::byte* first = values.data();
  bool in_place = true;
  auto stride = static_cast<std::int64_t>(bytes);
  for (std::size_t axis = box.ndim(); axis-- > 0;) {
    first += box.start[axis] * values.strides()[axis];
    if (box.extent[axis] > 1 && values.strides()[axis] != stride) in_place = false;
    stride *= box.extent[axis];
  }
  const auto size = static_cast<std::size_t>(box.elements()) * bytes;
  if (in_place && size > 0) return Buffer::adopt(const_cast<std::byte*>(first), size, values.owner());
  Buffer buffer = Buffer::allocate(std::max<std::size_t>(size, 1));
  const auto strides = c_strides(Shape(box.extent), bytes);
  kernels::copy_box(buffer.data(), strides.data(), first, values.strides().data(), box.extent.data(), box.ndim(),
                    bytes);
  return buffer;
}

}  // namespace

Array from_ndarray(const NDArray& values, const Chunks& chunks, const std::source_location& where) {
  Grid grid = ops::grid_for("from_ndarray", where, values.shape(), chunks, values.dtype().size());
  std::vector<Delayed<Buffer>> tasks;
  const std::int64_t count = expression::chunk_count(grid);
  const auto give = delayed(GiveChunk{}, where);
  for (std::int64_t chunk = 0; chunk < count; ++chunk) {
    tasks.push_back(give(chunk_of(values, expression::chunk_box(grid, chunk))));
  }
  return Array(expression::make_stored(values.dtype(), std::move(grid), std::move(tasks), "from_ndarray", where));
}

Array from_buffer(const void* data, Dtype dtype, const Shape& shape, std::vector<std::int64_t> strides,
                  std::shared_ptr<const void> owner, const Chunks& chunks, const std::source_location& where) {
  return from_ndarray(NDArray::view(data, dtype, shape, std::move(strides), std::move(owner)), chunks, where);
}

Array from_delayed(const std::vector<Delayed<Buffer>>& chunks, Dtype dtype,
                   const std::vector<std::vector<std::int64_t>>& sizes, const std::source_location& where) {
  Grid grid;
  for (const auto& axis : sizes) grid.push_back(expression::AxisGrid::of(axis));
  if (expression::chunk_count(grid) != static_cast<std::int64_t>(chunks.size())) {
    throw Error(ops::at_line("from_delayed", where) + std::to_string(chunks.size()) +
                " chunks were given, but the sizes speak of " + std::to_string(expression::chunk_count(grid)));
  }
  return Array(expression::make_stored(dtype, std::move(grid), chunks, "from_delayed", where));
}

std::vector<Delayed<Buffer>> to_delayed(const Array& array) {
  return std::move(to_delayed(std::vector<Array>{array}).front());
}

std::vector<std::vector<Delayed<Buffer>>> to_delayed(const std::vector<Array>& arrays) {
  std::vector<expression::NodePointer> nodes;
  for (const Array& array : arrays) nodes.push_back(array.node());
  lowering::Lowering lowering(nodes);
  std::vector<std::vector<Delayed<Buffer>>> chunks;
  for (const Array& array : arrays) {
    std::vector<Delayed<Buffer>>& mine = chunks.emplace_back();
    for (std::int64_t chunk = 0; chunk < array.npartitions(); ++chunk)
      mine.push_back(lowering.chunk(array.node(), chunk));
  }
  return chunks;
}

}  // namespace weft::arrays
