#include "arrays/kernels/scan.hpp"

#include <algorithm>
#include <complex>
#include <limits>
#include <vector>

namespace weft::arrays::kernels {
namespace {

template <class T>
struct Wide {
  using type = T;
};
template <>
struct Wide<float> {
  using type = double;
};
template <>
struct Wide<std::complex<float>> {
  using type = std::complex<double>;
};
template <>
struct Wide<bool> {
  using type = std::uint8_t;
};

template <class A>
bool is_nan(A value) {
  if constexpr (std::is_integral_v<A>) {
    return false;
  } else {
    return value != value;
  }
}

/// In NumPy's order: complex numbers by their real parts first.
template <class A>
bool less(A a, A b) {
  if constexpr (std::is_arithmetic_v<A>) {
    return a < b;
  } else {
    return a.real() < b.real() || (a.real() == b.real() && a.imag() < b.imag());
  }
}

template <Scan kScan, class A>
A join(A a, A b) {
  if constexpr (kScan == Scan::Last) {
    return is_nan(b) ? a : b;
  } else if constexpr (kScan == Scan::Max) {
    return is_nan(a) || (!is_nan(b) && !less(a, b)) ? a : b;
  } else if constexpr (kScan == Scan::Min) {
    return is_nan(a) || (!is_nan(b) && !less(b, a)) ? a : b;
  } else if constexpr (std::is_integral_v<A>) {
    // Also what bools are kept in: neither sums nor products of 0 and 1 need more than to be told from 0 there.
    return static_cast<A>(kScan == Scan::Sum ? a + b : a * b);
  } else if constexpr (std::is_floating_point_v<A>) {
    return kScan == Scan::Sum ? a + b : a * b;
  } else if constexpr (kScan == Scan::Sum) {
    return a + b;
  } else {
    return A(a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real());
  }
}

/// Calls body(T{}) with the type.
template <class Body>
void with_type(Dtype dtype, const Body& body) {
  switch (dtype.code()) {
#define WEFT_TYPE(code, type) \
  case TypeCode::code:        \
    return body(type{});
    WEFT_TYPE(Int8, std::int8_t)
    WEFT_TYPE(Int16, std::int16_t)
    WEFT_TYPE(Int32, std::int32_t)
    WEFT_TYPE(Int64, std::int64_t)
    WEFT_TYPE(Datetime64, std::int64_t)
    WEFT_TYPE(Timedelta64, std::int64_t)
    WEFT_TYPE(Bool, std::uint8_t)
    WEFT_TYPE(UInt8, std::uint8_t)
    WEFT_TYPE(UInt16, std::uint16_t)
    WEFT_TYPE(UInt32, std::uint32_t)
    WEFT_TYPE(UInt64, std::uint64_t)
    WEFT_TYPE(Float32, float)
    WEFT_TYPE(Float64, double)
    WEFT_TYPE(Complex64, std::complex<float>)
    WEFT_TYPE(Complex128, std::complex<double>)
#undef WEFT_TYPE
  }
}

template <Scan kScan, class A>
A first_of() {
  using Part = decltype(std::real(A()));
  using Limits = std::numeric_limits<std::conditional_t<std::is_integral_v<A>, A, Part>>;
  if constexpr (kScan == Scan::Sum) return A(0);
  if constexpr (kScan == Scan::Product) return A(1);
  if constexpr (kScan == Scan::Last) return A(Limits::quiet_NaN());
  constexpr bool kLow = kScan == Scan::Max;
  const auto end = Limits::has_infinity ? (kLow ? -Limits::infinity() : Limits::infinity())
                                        : (kLow ? Limits::lowest() : Limits::max());
  if constexpr (std::is_arithmetic_v<A>) {
    return A(end);
  } else {
    return A(end, end);
  }
}

/// Calls body(constant of the scan, element) for the type.
template <class Body>
void with_scan(Scan scan, Dtype dtype, const Body& body) {
  with_type(dtype, [&]<class T>(T element) {
    switch (scan) {
      case Scan::Sum:
        return body.template operator()<Scan::Sum>(element);
      case Scan::Product:
        return body.template operator()<Scan::Product>(element);
      case Scan::Last:
        return body.template operator()<Scan::Last>(element);
      case Scan::Max:
        return body.template operator()<Scan::Max>(element);
      case Scan::Min:
        return body.template operator()<Scan::Min>(element);
    }
  });
}

}  // namespace

Dtype scan_type(Dtype type) {
  if (type == float32) return float64;
  return type == complex64 ? complex128 : type;
}

void scan_total(Scan scan, Dtype type, const ScanBlock& block, const void* in, void* totals) {
  with_scan(scan, type, [&]<Scan kScan, class T>(T) {
    using A = typename Wide<T>::type;
    const T* from = static_cast<const T*>(in);
    A* to = static_cast<A*>(totals);
    for (std::int64_t o = 0; o < block.outer; ++o, to += block.inner) {
      std::fill(to, to + block.inner, first_of<kScan, A>());
      for (std::int64_t i = 0; i < block.n; ++i, from += block.inner) {
        for (std::int64_t k = 0; k < block.inner; ++k) to[k] = join<kScan>(to[k], A(from[k]));
      }
    }
  });
}

void scan_before(Scan scan, Dtype type, const ScanBlock& block, const void* totals, void* before) {
  with_scan(scan, type, [&]<Scan kScan, class T>(T) {
    using A = typename Wide<T>::type;
    const A* from = static_cast<const A*>(totals);
    A* to = static_cast<A*>(before);
    for (std::int64_t o = 0; o < block.outer; ++o) {
      std::fill(to, to + block.inner, first_of<kScan, A>());
      to += block.inner;
      for (std::int64_t i = 1; i < block.n; ++i, to += block.inner, from += block.inner) {
        for (std::int64_t k = 0; k < block.inner; ++k) to[k] = join<kScan>(to[k - block.inner], from[k]);
      }
      from += block.inner;
    }
  });
}

void scan_block(Scan scan, Dtype type, const ScanBlock& block, const void* in, const void* before, void* out) {
  with_scan(scan, type, [&]<Scan kScan, class T>(T) {
    using A = typename Wide<T>::type;
    const T* from = static_cast<const T*>(in);
    T* to = static_cast<T*>(out);
    const A* start = static_cast<const A*>(before);
    std::vector<A> running(static_cast<std::size_t>(block.inner));
    for (std::int64_t o = 0; o < block.outer; ++o) {
      if (start != nullptr) {
        std::copy(start, start + block.inner, running.begin());
        start += block.inner;
      } else {
        std::fill(running.begin(), running.end(), first_of<kScan, A>());
      }
      A* const sums = running.data();
      for (std::int64_t i = 0; i < block.n; ++i, from += block.inner, to += block.inner) {
        for (std::int64_t k = 0; k < block.inner; ++k) {
          sums[k] = join<kScan>(sums[k], A(from[k]));
          to[k] = T(sums[k]);
        }
      }
    }
  });
}

}  // namespace weft::arrays::kernels
