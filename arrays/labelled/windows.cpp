// Reductions of windows around each element.
//
// Along an axis the whole array is cut into blocks as long as the window, from its first place on. A window meets two
// of them at most: it is the end of one and the beginning of the next. So what is kept is, for each place, the state of
// its block up to it and the state of its block from it on; a window is one merge of two states, whatever its length,
// no number is ever taken off again, and states do not depend on where chunks begin.
#include "arrays/labelled/windows.hpp"

#include <weft/labelled_operations.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace weft::labelled {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Rows of states: how many numbers, and what `Kind` makes of them.
struct Rows {
  double* n;
  double* a;
  double* b;
  Rows at(std::int64_t place) const { return {n + place, a + place, b + place}; }
};

/// Memory of states.
class States {
 public:
  Rows make(std::int64_t count) {
    const auto size = static_cast<std::size_t>(count);
    if (memory_.size() < 3 * size) memory_.resize(3 * size);
    return {memory_.data(), memory_.data() + size, memory_.data() + 2 * size};
  }

 private:
  std::vector<double> memory_;
};

enum class Kind : std::uint8_t { Count, Sum, Product, Min, Max, Moments };

Kind kind_of(Reduction reduction) {
  switch (reduction) {
    case Reduction::Count:
      return Kind::Count;
    case Reduction::Mean:
    case Reduction::Sum:
      return Kind::Sum;
    case Reduction::Prod:
      return Kind::Product;
    case Reduction::Min:
      return Kind::Min;
    case Reduction::Max:
      return Kind::Max;
    case Reduction::Var:
    case Reduction::Std:
      return Kind::Moments;
  }
  return Kind::Count;
}

template <Kind K, class T>
void load(const T* from, std::int64_t count, Rows to) {
  for (std::int64_t i = 0; i < count; ++i) {
    const double value = from[i];
    const bool number = !std::isnan(value);
    to.n[i] = number ? 1 : 0;
    if constexpr (K == Kind::Sum || K == Kind::Moments) to.a[i] = number ? value : 0;
    if constexpr (K == Kind::Product) to.a[i] = number ? value : 1;
    if constexpr (K == Kind::Min) to.a[i] = number ? value : std::numeric_limits<double>::infinity();
    if constexpr (K == Kind::Max) to.a[i] = number ? value : -std::numeric_limits<double>::infinity();
    if constexpr (K == Kind::Moments) to.b[i] = 0;
  }
}

template <Kind K>
void copy(Rows from, std::int64_t count, Rows to) {
  std::copy_n(from.n, count, to.n);
  if constexpr (K != Kind::Count) std::copy_n(from.a, count, to.a);
  if constexpr (K == Kind::Moments) std::copy_n(from.b, count, to.b);
}

/// `x` lies before `y`.
template <Kind K>
void merge(Rows x, Rows y, std::int64_t count, Rows to) {
  for (std::int64_t i = 0; i < count; ++i) {
    if constexpr (K == Kind::Sum) to.a[i] = x.a[i] + y.a[i];
    if constexpr (K == Kind::Product) to.a[i] = x.a[i] * y.a[i];
    if constexpr (K == Kind::Min) to.a[i] = std::min(x.a[i], y.a[i]);
    if constexpr (K == Kind::Max) to.a[i] = std::max(x.a[i], y.a[i]);
    if constexpr (K == Kind::Moments) {
      // Means and sums of squares about them.
      const double n = x.n[i] + y.n[i];
      const double share = n > 0 ? y.n[i] / n : 0;
      const double apart = y.a[i] - x.a[i];
      const double squares = x.b[i] + y.b[i] + apart * apart * x.n[i] * share;
      to.a[i] = x.n[i] == 0 ? y.a[i] : x.a[i] + apart * share;
      to.b[i] = squares;
    }
    to.n[i] = x.n[i] + y.n[i];
  }
}

/// Reduces windows along the middle axis of [outer, extent, inner] to [outer, extent - margins, inner]. `first` is the
/// place of the first row in the whole array; `before` and `after` are the margins that there are.
template <Kind K>
void reduce_axis(const Window& window, std::int64_t first, std::int64_t before, std::int64_t after, std::int64_t outer,
                 std::int64_t extent, std::int64_t inner, Rows from, Rows to) {
  thread_local States memory, more_memory;
  const Rows up_to = memory.make(extent * inner), from_on = more_memory.make(extent * inner);
  const std::int64_t size = window.size(), results = extent - before - after;
  for (std::int64_t o = 0; o < outer; ++o) {
    const Rows in = from.at(o * extent * inner);
    for (std::int64_t row = 0; row < extent; ++row) {
      const Rows here = in.at(row * inner), made = up_to.at(row * inner);
      if (row == 0 || (first + row) % size == 0) {
        copy<K>(here, inner, made);
      } else {
        merge<K>(up_to.at((row - 1) * inner), here, inner, made);
      }
    }
    for (std::int64_t row = extent; row-- > 0;) {
      const Rows here = in.at(row * inner), made = from_on.at(row * inner);
      if (row + 1 == extent || (first + row + 1) % size == 0) {
        copy<K>(here, inner, made);
      } else {
        merge<K>(here, from_on.at((row + 1) * inner), inner, made);
      }
    }
    for (std::int64_t i = 0; i < results; ++i) {
      const std::int64_t begin = std::max<std::int64_t>(0, i + before - window.before);
      const std::int64_t last = std::min(extent - 1, i + before + window.after);
      const Rows made = to.at((o * results + i) * inner);
      if ((first + begin) / size != (first + last) / size) {
        merge<K>(from_on.at(begin * inner), up_to.at(last * inner), inner, made);
      } else if ((first + begin) % size == 0) {
        copy<K>(up_to.at(last * inner), inner, made);
      } else {
        // The window is cut by the end of the array, and so is its block.
        copy<K>(from_on.at(begin * inner), inner, made);
      }
    }
  }
}

template <class T>
void finish(const WindowKernel& kernel, Rows states, std::int64_t count, T* to) {
  const auto reduction = static_cast<Reduction>(kernel.kind);
  for (std::int64_t i = 0; i < count; ++i) {
    const double n = states.n[i];
    double value = kNan;
    if (n >= static_cast<double>(kernel.min_periods)) {
      if (reduction == Reduction::Count) value = n;
      if (reduction == Reduction::Mean) value = states.a[i] / n;
      if (reduction == Reduction::Sum || reduction == Reduction::Prod || reduction == Reduction::Min ||
          reduction == Reduction::Max) {
        value = states.a[i];
      }
      if (reduction == Reduction::Var || reduction == Reduction::Std) {
        const double variance = n > kernel.ddof ? states.b[i] / (n - kernel.ddof) : kNan;
        value = reduction == Reduction::Var ? variance : std::sqrt(variance);
      }
    }
    to[i] = static_cast<T>(value);
  }
}

/// The axes of a chunk: those before all windows, those from the first to the last window, and those behind.
struct Shapes {
  std::int64_t outer = 1;
  std::vector<std::int64_t> in, out;
  std::int64_t inner = 1;
  std::size_t first = 0;
};

Shapes shapes_of(const WindowKernel& kernel, const std::vector<std::int64_t>& in,
                 const std::vector<std::int64_t>& out) {
  Shapes shapes;
  shapes.first = kernel.windows.front().axis;
  const std::size_t last = kernel.windows.back().axis;
  for (std::size_t axis = 0; axis < in.size(); ++axis) {
    if (axis < shapes.first) {
      shapes.outer *= in[axis];
    } else if (axis > last) {
      shapes.inner *= in[axis];
    } else {
      shapes.in.push_back(in[axis]);
      shapes.out.push_back(out[axis]);
    }
  }
  return shapes;
}

std::int64_t product(const std::vector<std::int64_t>& extents, std::size_t begin, std::size_t end) {
  std::int64_t all = 1;
  for (std::size_t i = begin; i < end; ++i) all *= extents[i];
  return all;
}

template <Kind K, class T>
void run_states(const WindowKernel& kernel, const T* from, T* to, const Shapes& shapes, const BlockInfo& info) {
  const std::int64_t rows = product(shapes.in, 0, shapes.in.size());
  const std::int64_t made_rows = product(shapes.out, 0, shapes.out.size());
  // Columns at a time, whose states stay in the cache.
  const std::int64_t tile = std::clamp<std::int64_t>(8192 / std::max<std::int64_t>(1, rows), 8, 1024);
  thread_local States memory[2];
  for (std::int64_t o = 0; o < shapes.outer; ++o) {
    for (std::int64_t begin = 0; begin < shapes.inner; begin += tile) {
      const std::int64_t columns = std::min(tile, shapes.inner - begin);
      Rows states = memory[0].make(rows * columns);
      for (std::int64_t row = 0; row < rows; ++row) {
        load<K>(from + (o * rows + row) * shapes.inner + begin, columns, states.at(row * columns));
      }
      std::vector<std::int64_t> extents = shapes.in;
      std::size_t next = 1;
      for (const Window& window : kernel.windows) {
        const std::size_t at = window.axis - shapes.first;
        const std::int64_t outer = product(extents, 0, at);
        const std::int64_t inner = product(extents, at + 1, extents.size()) * columns;
        const std::int64_t before = info.before[window.axis], after = info.after[window.axis];
        const Rows made = memory[next].make(outer * shapes.out[at] * inner);
        reduce_axis<K>(window, info.start[window.axis] - before, before, after, outer, extents[at], inner, states,
                       made);
        extents[at] = shapes.out[at];
        states = made;
        next = 1 - next;
      }
      for (std::int64_t row = 0; row < made_rows; ++row) {
        finish(kernel, states.at(row * columns), columns, to + (o * made_rows + row) * shapes.inner + begin);
      }
    }
  }
}

/// The quantile of some numbers, as NumPy has it by default.
double quantile_of(std::vector<double>& numbers, double q) {
  const double place = q * static_cast<double>(numbers.size() - 1);
  const auto low = static_cast<std::ptrdiff_t>(std::floor(place));
  std::nth_element(numbers.begin(), numbers.begin() + low, numbers.end());
  const double first = numbers[static_cast<std::size_t>(low)];
  const double share = place - static_cast<double>(low);
  if (share == 0) return first;
  const double second = *std::min_element(numbers.begin() + low + 1, numbers.end());
  return share < 0.5 ? first + (second - first) * share : second - (second - first) * (1 - share);
}

/// Goes on to the next place of a box, in C order; tells whether there is one.
bool advance(std::span<std::int64_t> at, std::span<const std::int64_t> low, std::span<const std::int64_t> high) {
  for (std::size_t axis = at.size(); axis-- > 0;) {
    if (++at[axis] < high[axis]) return true;
    at[axis] = low[axis];
  }
  return false;
}

template <class T>
void run_quantiles(const WindowKernel& kernel, const T* from, T* to, const std::vector<std::int64_t>& in,
                   const std::vector<std::int64_t>& out, const BlockInfo& info) {
  const std::size_t axes = in.size();
  // Of each axis: its stride, where the output is, the window's begin and end, where the input is, zero.
  std::vector<std::int64_t> memory(6 * axes, 0);
  const auto row = [&](std::size_t i) { return std::span(memory).subspan(i * axes, axes); };
  const auto strides = row(0), at = row(1), begin = row(2), end = row(3), place = row(4), zero = row(5);
  for (std::size_t axis = axes, stride = 1; axis-- > 0; stride *= static_cast<std::size_t>(in[axis])) {
    strides[axis] = static_cast<std::int64_t>(stride);
  }
  std::vector<double> numbers;
  const std::int64_t count = product(out, 0, axes);
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::size_t axis = 0; axis < axes; ++axis) {
      begin[axis] = at[axis] + info.before[axis];
      end[axis] = begin[axis] + 1;
    }
    for (const Window& window : kernel.windows) {
      begin[window.axis] = std::max<std::int64_t>(0, begin[window.axis] - window.before);
      end[window.axis] = std::min(in[window.axis], end[window.axis] + window.after);
    }
    numbers.clear();
    std::copy(begin.begin(), begin.end(), place.begin());
    do {
      std::int64_t element = 0;
      for (std::size_t axis = 0; axis < axes; ++axis) element += place[axis] * strides[axis];
      if (!std::isnan(from[element])) numbers.push_back(from[element]);
    } while (advance(place, begin, end));
    const bool enough = !numbers.empty() && std::ssize(numbers) >= kernel.min_periods;
    to[i] = static_cast<T>(enough ? quantile_of(numbers, kernel.quantile) : kNan);
    advance(at, zero, out);
  }
}

template <class T>
void run_typed(const WindowKernel& kernel, const arrays::detail::RawView& in, const arrays::detail::RawView& out,
               const BlockInfo& info) {
  const T* const from = reinterpret_cast<const T*>(in.data);
  T* const to = reinterpret_cast<T*>(out.data);
  if (kernel.is_quantile) return run_quantiles(kernel, from, to, in.shape, out.shape, info);
  const Shapes shapes = shapes_of(kernel, in.shape, out.shape);
  switch (kind_of(static_cast<Reduction>(kernel.kind))) {
    case Kind::Count:
      return run_states<Kind::Count>(kernel, from, to, shapes, info);
    case Kind::Sum:
      return run_states<Kind::Sum>(kernel, from, to, shapes, info);
    case Kind::Product:
      return run_states<Kind::Product>(kernel, from, to, shapes, info);
    case Kind::Min:
      return run_states<Kind::Min>(kernel, from, to, shapes, info);
    case Kind::Max:
      return run_states<Kind::Max>(kernel, from, to, shapes, info);
    case Kind::Moments:
      return run_states<Kind::Moments>(kernel, from, to, shapes, info);
  }
}

}  // namespace

void WindowKernel::run(const arrays::detail::RawView& in, const arrays::detail::RawView& out,
                       const BlockInfo& info) const {
  for (const std::int64_t extent : out.shape) {
    if (extent == 0) return;
  }
  if (in.dtype == float32) {
    run_typed<float>(*this, in, out, info);
  } else {
    run_typed<double>(*this, in, out, info);
  }
}

}  // namespace weft::labelled
