// Numbers of one type as numbers of another.
#include "io/hdf5/convert.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

namespace weft::io::hdf5 {
namespace {

template <class To, class From>
To converted(From value) {
  if constexpr (std::is_floating_point_v<To>) {
    return static_cast<To>(value);
  } else if constexpr (std::is_floating_point_v<From>) {
    if (std::isnan(value)) return 0;
    // The greatest integers are no floats: what reaches their neighbour above is too large.
    const From most = std::ldexp(From{1}, std::numeric_limits<To>::digits);
    if (value >= most) return std::numeric_limits<To>::max();
    const From least = std::is_signed_v<To> ? -most : From{0};
    return value < least ? std::numeric_limits<To>::min() : static_cast<To>(value);
  } else {
    if (std::cmp_greater(value, std::numeric_limits<To>::max())) return std::numeric_limits<To>::max();
    if (std::cmp_less(value, std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
    return static_cast<To>(value);
  }
}

/// Calls f with a value of the type.
template <class F>
void with_type(const ElementType& type, const F& f) {
  const std::uint32_t bytes = type.bytes;
  if (type.kind == ElementKind::Float) return bytes == 4 ? f(float{}) : f(double{});
  if (type.kind == ElementKind::Integer) {
    if (bytes == 1) return f(std::int8_t{});
    if (bytes == 2) return f(std::int16_t{});
    return bytes == 4 ? f(std::int32_t{}) : f(std::int64_t{});
  }
  if (bytes == 1) return f(std::uint8_t{});
  if (bytes == 2) return f(std::uint16_t{});
  return bytes == 4 ? f(std::uint32_t{}) : f(std::uint64_t{});
}

template <class From, class To>
void convert_row(const std::byte* from, std::int64_t from_step, std::int64_t count, std::byte* to,
                 std::int64_t to_step) {
  for (std::int64_t i = 0; i < count; ++i, from += from_step, to += to_step) {
    From value;
    std::memcpy(&value, from, sizeof value);
    const To out = converted<To>(value);
    std::memcpy(to, &out, sizeof out);
  }
}

void convert_axis(const ElementType& from_type, const std::byte* from, const std::int64_t* from_strides,
                  const std::int64_t* extent, std::size_t rank, const ElementType& to_type, std::byte* to,
                  const std::int64_t* to_strides) {
  if (rank > 1) {
    for (std::int64_t i = 0; i < extent[0]; ++i) {
      convert_axis(from_type, from + i * from_strides[0], from_strides + 1, extent + 1, rank - 1, to_type,
                   to + i * to_strides[0], to_strides + 1);
    }
    return;
  }
  with_type(from_type, [&]<class From>(From) {
    with_type(to_type, [&]<class To>(To) {
      convert_row<From, To>(from, rank == 0 ? 0 : from_strides[0], rank == 0 ? 1 : extent[0], to,
                            rank == 0 ? 0 : to_strides[0]);
    });
  });
}

}  // namespace

void convert_box(const ElementType& from_type, const std::byte* from, const std::vector<std::int64_t>& from_strides,
                 const std::vector<std::int64_t>& extent, const ElementType& to_type, std::byte* to,
                 const std::vector<std::int64_t>& to_strides) {
  convert_axis(from_type, from, from_strides.data(), extent.data(), extent.size(), to_type, to, to_strides.data());
}

}  // namespace weft::io::hdf5
