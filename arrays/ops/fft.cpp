// Fourier transforms: whole lanes within a task; a long vector as a matrix.
#include <weft/ops/fft.hpp>

#include "arrays/kernels/cufft.hpp"
#include "arrays/kernels/fft.hpp"
#include "arrays/ops/fft_device.hpp"
#include "arrays/ops/lanes.hpp"

#include <weft/ops/elementwise.hpp>
#include <weft/ops/shaping.hpp>
#include <weft/ops/structure.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace weft::fft {

using namespace arrays;

namespace {

using arrays::ops::at_line;
using arrays::ops::AxisGrid;
using arrays::ops::Block;
using arrays::ops::Box;
using arrays::ops::ChunkWork;
using arrays::ops::Grid;
using arrays::ops::Need;
using arrays::ops::structural;
using kernels::FftWork;

enum Kind : std::uint8_t {
  Complex,       ///< complex to complex
  HalfSpectrum,  ///< real to the first half of its spectrum
  RealToFull,    ///< real to the whole of it
  ToReal,        ///< half a spectrum to real
};

/// Transforms whole lanes along some axes; the last of them is the one whose length differs in real transforms.
struct Transform {
  static constexpr const char* kName = "fft";
  static constexpr bool kAssembles = false;
  std::uint8_t kind;
  bool forward;
  double scale;
  std::vector<std::int64_t> axes;
  /// For each of them: elements in space, those that are read of the input, and those that it then lacks.
  std::vector<std::int64_t> lengths;
  std::vector<std::int64_t> read;
  std::vector<std::int64_t> lacking;
  /// Elements of the vector whose columns these are; each output is then turned by its row times its column. 0: none.
  std::int64_t twiddle;

  void needs(const Box& out, std::vector<Need>& needs) const {
    Box box = out;
    for (std::size_t i = 0; i < axes.size(); ++i) {
      box.start[static_cast<std::size_t>(axes[i])] = 0;
      box.extent[static_cast<std::size_t>(axes[i])] = read[i];
    }
    needs.push_back({0, std::move(box), {}});
  }

  void run(const ChunkWork& work) const {
    if (Shape(work.output.shape).elements() == 0) return;
    if (work.output.dtype.real() == float32) {
      transform<float>(work);
    } else {
      transform<double>(work);
    }
  }

 private:
  template <class T>
  void transform(const ChunkWork& work) const {
    Block in = work.inputs[0];
    std::vector<std::byte> filled;
    if (std::any_of(lacking.begin(), lacking.end(), [](std::int64_t count) { return count > 0; })) {
      in = fill_up(in, filled);
    }
    FftWork of;
    for (std::size_t axis = 0; axis < in.shape.size(); ++axis) {
      of.shape.push_back(static_cast<std::size_t>(work.output.shape[axis]));
      of.in_strides.push_back(in.strides[axis]);
      of.out_strides.push_back(work.output.strides[axis]);
    }
    for (std::size_t i = 0; i < axes.size(); ++i) {
      of.axes.push_back(static_cast<std::size_t>(axes[i]));
      of.shape[of.axes.back()] = static_cast<std::size_t>(lengths[i]);
    }
    of.forward = forward;
    of.scale = scale;
    if (kind == Complex) kernels::fft_complex<T>(of, in.data, work.output.data);
    if (kind == HalfSpectrum) kernels::fft_real_to_complex<T>(of, in.data, work.output.data);
    if (kind == ToReal) kernels::fft_complex_to_real<T>(of, in.data, work.output.data);
    if (kind == RealToFull) whole_spectrum<T>(of, in, work.output);
    if (twiddle > 0) turn<T>(work);
  }

  /// Half of the spectrum along the last axis, its mirror, then the other axes.
  template <class T>
  void whole_spectrum(FftWork& of, const Block& in, const Block& out) const {
    const std::vector<std::size_t> all = of.axes;
    const std::size_t last = all.back();
    of.axes = {last};
    kernels::fft_real_to_complex<T>(of, in.data, out.data);
    const std::int64_t n = out.shape[last], half = n / 2 + 1;
    if (half < n) {
      // out[n - k] = conj(out[k]), lane by lane.
      std::vector<std::int64_t> at(out.shape.size(), 0);
      std::vector<std::int64_t> around = out.shape;
      around[last] = 1;
      const std::int64_t lanes = Shape(around).elements(), step = out.strides[last];
      for (std::int64_t lane = 0; lane < lanes; ++lane) {
        std::byte* first = out.data;
        std::int64_t rest = lane;
        for (std::size_t axis = around.size(); axis-- > 0;) {
          first += rest % around[axis] * out.strides[axis];
          rest /= around[axis];
        }
        for (std::int64_t k = half; k < n; ++k) {
          *reinterpret_cast<std::complex<T>*>(first + k * step) =
              std::conj(*reinterpret_cast<const std::complex<T>*>(first + (n - k) * step));
        }
      }
    }
    if (all.size() == 1) return;
    of.axes.assign(all.begin(), all.end() - 1);
    of.in_strides = of.out_strides;
    of.scale = 1;
    kernels::fft_complex<T>(of, out.data, out.data);
  }

  /// The input with zeros behind it.
  Block fill_up(const Block& in, std::vector<std::byte>& room) const {
    Block wide = in;
    for (std::size_t i = 0; i < axes.size(); ++i) wide.shape[static_cast<std::size_t>(axes[i])] += lacking[i];
    const std::size_t bytes = in.dtype.size();
    wide.strides = c_strides(Shape(wide.shape), bytes);
    room.assign(static_cast<std::size_t>(Shape(wide.shape).elements()) * bytes, std::byte{0});
    wide.data = room.data();
    if (Shape(in.shape).elements() > 0) {
      kernels::copy_box(wide.data, wide.strides.data(), in.data, in.strides.data(), in.shape.data(), in.shape.size(),
                        bytes);
    }
    return wide;
  }

  template <class T>
  void turn(const ChunkWork& work) const {
    const double unit = (forward ? -2 : 2) * std::numbers::pi / static_cast<double>(twiddle);
    for (std::int64_t row = 0; row < work.out.extent[0]; ++row) {
      auto* const elements = reinterpret_cast<std::complex<T>*>(work.output.data + row * work.output.strides[0]);
      const std::int64_t k = work.out.start[0] + row;
      for (std::int64_t column = 0; column < work.out.extent[1]; ++column) {
        const std::int64_t turns = k * (work.out.start[1] + column) % twiddle;
        const auto by = std::polar(1.0, unit * static_cast<double>(turns));
        elements[column] = std::complex<T>(std::complex<double>(elements[column]) * by);
      }
    }
  }
};

arrays::ops::LaneTransform as_lanes(const Transform& of) {
  return {of.kind == HalfSpectrum || of.kind == RealToFull,
          of.kind == ToReal,
          of.kind == HalfSpectrum,
          of.forward,
          of.scale,
          of.axes,
          of.lengths,
          of.lacking};
}
[[maybe_unused]] const bool kOnDevices = expression::add_device_structure(
    expression::structure_type<Transform>,
    {[](const void* parameters, const ChunkWork& work) -> std::optional<expression::DevicePlan> {
       const Transform& of = *static_cast<const Transform*>(parameters);
       if (of.twiddle > 0) return {};
       return arrays::ops::plan_transform(as_lanes(of), work);
     },
     [](const void* parameters, const ChunkWork& work, const std::vector<std::byte*>& rooms,
        const kernels::DeviceStream& stream) {
       arrays::ops::run_transform(as_lanes(*static_cast<const Transform*>(parameters)), work, rooms, stream);
     },
     &kernels::why_no_cufft});

double scale_of(Norm norm, bool forward, std::int64_t n) {
  const auto count = static_cast<double>(n);
  if (norm == Norm::Ortho) return 1 / std::sqrt(count);
  return (norm == Norm::Backward) == forward ? 1 : 1 / count;
}

Norm swapped(Norm norm) {
  if (norm == Norm::Ortho) return norm;
  return norm == Norm::Backward ? Norm::Forward : Norm::Backward;
}

/// What a family of functions asks for, checked.
struct Call {
  const char* name;
  std::source_location where;
  Kind kind;
  bool forward;
  Norm norm;
  std::vector<std::size_t> axes;
  /// Elements in space along each axis.
  std::vector<std::int64_t> lengths;

  [[noreturn]] void fail(const std::string& text) const { throw Error(at_line(name, where) + text); }
};

/// The array in the type that the transform reads.
Array readable(const Call& call, const Array& array) {
  const Dtype type = array.dtype();
  if (type.is_time()) call.fail("is not defined for " + type.name());
  const bool single = type.real() == float32;
  if (call.kind == HalfSpectrum) {
    if (type.is_complex()) call.fail("takes real numbers, not " + type.name() + ": use fft, or real(x)");
    return array.astype(single ? float32 : float64, call.where);
  }
  if (call.kind == Complex && !type.is_complex()) return array.astype(single ? float32 : float64, call.where);
  return array.astype(single ? complex64 : complex128, call.where);
}

/// One step: axes that lie in one chunk each, or one axis that does not.
Array transform_step(const Call& call, const Array& array, const std::vector<std::size_t>& which, Kind kind) {
  Transform step{kind, call.forward, 1, {}, {}, {}, {}, 0};
  Grid grid = array.node()->grid;
  std::int64_t pieces = 1;
  std::vector<std::size_t> kept;
  for (const std::size_t i : which) {
    const std::size_t axis = call.axes[i];
    const std::int64_t n = call.lengths[i], extent = array.shape()[axis];
    const bool last = i == which.back();
    const std::int64_t wanted = kind == ToReal && last ? n / 2 + 1 : n;
    step.axes.push_back(static_cast<std::int64_t>(axis));
    step.lengths.push_back(n);
    step.read.push_back(std::min(wanted, extent));
    step.lacking.push_back(wanted - step.read.back());
    step.scale *= scale_of(call.norm, call.forward, n);
    pieces *= grid[axis].count();
    grid[axis] = AxisGrid::whole(kind == HalfSpectrum && last ? n / 2 + 1 : n);
  }
  if (pieces > 1) {
    // The other axes are cut instead.
    Grid others;
    for (std::size_t axis = 0; axis < grid.size(); ++axis) {
      const auto here = static_cast<std::int64_t>(axis);
      if (std::find(step.axes.begin(), step.axes.end(), here) != step.axes.end()) continue;
      kept.push_back(axis);
      others.push_back(grid[axis]);
    }
    arrays::ops::cut_further(others, others.size(), pieces);
    for (std::size_t i = 0; i < kept.size(); ++i) grid[kept[i]] = others[i];
  }
  const bool single = array.dtype().real() == float32;
  Dtype type = single ? complex64 : complex128;
  if (kind == ToReal) type = type.real();
  return structural(std::move(step), {array}, type, std::move(grid), call.where);
}

/// Elements from which on a vector in chunks is transformed as a matrix.
constexpr std::int64_t kLongVector = std::int64_t{1} << 16;

/// The largest divisor that is not above the root.
std::int64_t rows_of(std::int64_t n) {
  auto rows = static_cast<std::int64_t>(std::sqrt(static_cast<double>(n)));
  while (rows > 1 && n % rows != 0) --rows;
  return rows;
}

/// Element j = j1 * columns + j2 of the vector is (j1, j2) of the matrix; output k1 + rows * k2 is (k1, k2).
Array transform_vector(const Call& call, const Array& array, std::int64_t rows) {
  const std::int64_t n = call.lengths[0], columns = n / rows;
  const std::int64_t pieces = array.node()->grid[0].count();
  const auto share = [&](std::int64_t extent) { return std::max<std::int64_t>(1, (extent + pieces - 1) / pieces); };
  const auto cut = [&](const Array& matrix, const Grid& grid) {
    return Array(arrays::ops::rechunk_to(matrix.node(), grid, call.where));
  };
  const Array given = array.astype(array.dtype().real() == float32 ? complex64 : complex128, call.where);
  const Array matrix = cut(reshape(given, {rows, columns}, call.where),
                           {AxisGrid::whole(rows), AxisGrid::regular(columns, share(columns))});
  const double scale = scale_of(call.norm, call.forward, n);
  const Array turned = structural(Transform{Complex, call.forward, scale, {0}, {rows}, {rows}, {0}, n}, {matrix},
                                  matrix.dtype(), matrix.node()->grid, call.where);
  const Array wide = cut(turned, {AxisGrid::regular(rows, share(rows)), AxisGrid::whole(columns)});
  const Array done = structural(Transform{Complex, call.forward, 1, {1}, {columns}, {columns}, {0}, 0}, {wide},
                                matrix.dtype(), wide.node()->grid, call.where);
  const Array flat = ravel(
      cut(done.transpose(call.where), {AxisGrid::regular(columns, share(columns)), AxisGrid::whole(rows)}), call.where);
  return cut(flat, {AxisGrid::regular(n, array.node()->grid[0].largest())});
}

Array transform(const Call& call, const Array& given) {
  kernels::require_fft(call.name);
  if (call.axes.empty()) return call.kind == Complex ? given.astype(complex128, call.where) : given;
  Array array = readable(call, given);
  const Grid& grid = array.node()->grid;
  if (call.kind == Complex && array.ndim() == 1 && grid[0].count() > 1 && call.lengths[0] == array.shape()[0] &&
      call.lengths[0] >= kLongVector) {
    const std::int64_t rows = rows_of(call.lengths[0]);
    if (rows >= 16) return transform_vector(call, array, rows);
  }
  // Axes in one chunk go together; the last one of a real transform is first (to a spectrum) or last (to real).
  std::vector<std::size_t> together;
  std::vector<std::vector<std::size_t>> steps;
  const std::size_t last = call.axes.size() - 1;
  for (std::size_t i = 0; i <= last; ++i) {
    if (grid[call.axes[i]].count() == 1) {
      together.push_back(i);
    } else {
      steps.push_back({i});
    }
  }
  if (!together.empty()) steps.push_back(together);
  const auto has_last = [&](const std::vector<std::size_t>& step) { return step.back() == last; };
  if (call.kind == ToReal) {
    std::stable_sort(steps.begin(), steps.end(),
                     [&](const auto& a, const auto& b) { return !has_last(a) && has_last(b); });
  } else {
    std::stable_sort(steps.begin(), steps.end(),
                     [&](const auto& a, const auto& b) { return has_last(a) && !has_last(b); });
  }
  for (const auto& step : steps) {
    Kind kind = has_last(step) ? call.kind : Complex;
    if (kind == Complex && !array.dtype().is_complex()) kind = RealToFull;
    array = transform_step(call, array, step, kind);
  }
  return array;
}

std::int64_t checked_length(const Call& call, std::int64_t n) {
  if (n < 1) call.fail("the number of elements is " + std::to_string(n) + "; it is 1 at least");
  return n;
}

Array along(const char* name, Kind kind, bool forward, const Array& array, const Options& options, Norm norm,
            const std::source_location& where) {
  Call call{name, where, kind, forward, norm, {}, {}};
  arrays::ops::require_known(*array.node(), name, where);
  if (array.ndim() == 0) call.fail("an array without dimensions has no axis to transform");
  call.axes = {arrays::ops::one_axis(name, array, options.axis, where)};
  const std::int64_t extent = array.shape()[call.axes[0]];
  call.lengths = {checked_length(call, options.n.value_or(kind == ToReal ? 2 * (extent - 1) : extent))};
  return transform(call, array);
}

Array along_many(const char* name, Kind kind, bool forward, const Array& array, const ManyOptions& options,
                 const std::source_location& where) {
  Call call{name, where, kind, forward, options.norm, {}, {}};
  arrays::ops::require_known(*array.node(), name, where);
  const std::size_t count =
      !options.axes.empty() ? options.axes.size() : (options.s.empty() ? array.ndim() : options.s.size());
  if (!options.s.empty() && options.s.size() != count) {
    call.fail(std::to_string(options.s.size()) + " lengths for " + std::to_string(count) + " axes");
  }
  if (count > array.ndim() || count == 0) {
    call.fail("an array of shape " + array.shape().text() + " has not " +
              std::to_string(std::max<std::size_t>(count, 1)) + " axes");
  }
  for (std::size_t i = 0; i < count; ++i) {
    const int axis = options.axes.empty() ? static_cast<int>(array.ndim() - count + i) : options.axes[i];
    const std::size_t at = arrays::ops::one_axis(name, array, axis, where);
    if (std::find(call.axes.begin(), call.axes.end(), at) != call.axes.end()) call.fail("an axis is named twice");
    call.axes.push_back(at);
    const std::int64_t extent = array.shape()[at];
    const bool real_side = kind == ToReal && i + 1 == count;
    std::int64_t n = real_side ? 2 * (extent - 1) : extent;
    if (!options.s.empty() && options.s[i] != -1) n = options.s[i];
    call.lengths.push_back(checked_length(call, n));
  }
  return transform(call, array);
}

Array shifted(const Array& array, const Axes& axes, bool back, const std::source_location& where) {
  Array moved = array;
  std::vector<int> all;
  try {
    all = axes.resolve(static_cast<int>(array.ndim()));
  } catch (const Error& error) {
    throw Error(at_line(back ? "ifftshift" : "fftshift", where) + error.what());
  }
  for (const int axis : all) {
    const std::int64_t half = array.shape()[static_cast<std::size_t>(axis)] / 2;
    moved = roll(moved, back ? -half : half, axis, where);
  }
  return moved;
}

}  // namespace

bool available() { return kernels::has_fft(); }

#define WEFT_FFT(name, kind, forward)                                                         \
  Array name(const Array& array, const Options& options, const std::source_location& where) { \
    return along(#name, kind, forward, array, options, options.norm, where);                  \
  }
WEFT_FFT(fft, Complex, true)
WEFT_FFT(ifft, Complex, false)
WEFT_FFT(rfft, HalfSpectrum, true)
WEFT_FFT(irfft, ToReal, false)
#undef WEFT_FFT

Array hfft(const Array& array, const Options& options, const std::source_location& where) {
  const Array mirrored = array.dtype().is_complex() ? conj(Operand(array, where)) : array;
  return along("hfft", ToReal, false, mirrored, options, swapped(options.norm), where);
}

Array ihfft(const Array& array, const Options& options, const std::source_location& where) {
  return conj(Operand(along("ihfft", HalfSpectrum, true, array, options, swapped(options.norm), where), where));
}

#define WEFT_FFT(name, kind, forward)                                                             \
  Array name(const Array& array, const ManyOptions& options, const std::source_location& where) { \
    return along_many(#name, kind, forward, array, options, where);                               \
  }
WEFT_FFT(fft2, Complex, true)
WEFT_FFT(ifft2, Complex, false)
WEFT_FFT(rfft2, HalfSpectrum, true)
WEFT_FFT(irfft2, ToReal, false)
WEFT_FFT(fftn, Complex, true)
WEFT_FFT(ifftn, Complex, false)
WEFT_FFT(rfftn, HalfSpectrum, true)
WEFT_FFT(irfftn, ToReal, false)
#undef WEFT_FFT

Array fftfreq(std::int64_t n, double d, const CreateOptions& options, const std::source_location& where) {
  if (n < 1) throw Error(at_line("fftfreq", where) + "the number of elements is " + std::to_string(n));
  const Array place = arange(0, n, 1, {.dtype = int64, .chunks = options.chunks}, where);
  const Array frequency = arrays::where(place < (n + 1) / 2, place, place - n) * (1 / (static_cast<double>(n) * d));
  return options.dtype ? frequency.astype(*options.dtype, where) : frequency;
}

Array rfftfreq(std::int64_t n, double d, const CreateOptions& options, const std::source_location& where) {
  if (n < 1) throw Error(at_line("rfftfreq", where) + "the number of elements is " + std::to_string(n));
  const Array place = arange(0, n / 2 + 1, 1, {.dtype = int64, .chunks = options.chunks}, where);
  const Array frequency = place * (1 / (static_cast<double>(n) * d));
  return options.dtype ? frequency.astype(*options.dtype, where) : frequency;
}

Array fftshift(const Array& array, const Axes& axes, const std::source_location& where) {
  return shifted(array, axes, false, where);
}

Array ifftshift(const Array& array, const Axes& axes, const std::source_location& where) {
  return shifted(array, axes, true, where);
}

}  // namespace weft::fft
