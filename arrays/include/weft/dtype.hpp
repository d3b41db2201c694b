#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace weft {

/// What kind of element an array has. The order within a kind is by size.
enum class TypeCode : std::uint8_t {
  Bool,
  Int8,
  Int16,
  Int32,
  Int64,
  UInt8,
  UInt16,
  UInt32,
  UInt64,
  Float32,
  Float64,
  Complex64,
  Complex128,
  Datetime64,
  Timedelta64,
};
inline constexpr std::size_t kTypeCodes = 15;

/// The step of a time. Datetimes count steps since 1970-01-01T00:00.
enum class TimeUnit : std::uint8_t { Generic, Year, Month, Week, Day, Hour, Minute, Second, Milli, Micro, Nano };

/// The type of an array's elements, known when the program runs.
/// Threading: a value.
class Dtype {
 public:
  constexpr Dtype() = default;
  constexpr explicit Dtype(TypeCode code, TimeUnit unit = TimeUnit::Generic) : code_(code), unit_(unit) {}
  /// Reads a name as NumPy spells it: "float32", "f4", "datetime64[D]". Throws Error naming the nearest known one.
  static Dtype parse(std::string_view name);

  constexpr TypeCode code() const { return code_; }
  constexpr TimeUnit unit() const { return unit_; }
  constexpr std::size_t size() const {
    switch (code_) {
      case TypeCode::Bool:
      case TypeCode::Int8:
      case TypeCode::UInt8:
        return 1;
      case TypeCode::Int16:
      case TypeCode::UInt16:
        return 2;
      case TypeCode::Int32:
      case TypeCode::UInt32:
      case TypeCode::Float32:
        return 4;
      case TypeCode::Int64:
      case TypeCode::UInt64:
      case TypeCode::Float64:
      case TypeCode::Complex64:
      case TypeCode::Datetime64:
      case TypeCode::Timedelta64:
        return 8;
      case TypeCode::Complex128:
        return 16;
    }
    return 0;
  }
  /// As NumPy spells it.
  std::string name() const;

  constexpr bool is_bool() const { return code_ == TypeCode::Bool; }
  constexpr bool is_signed() const { return code_ >= TypeCode::Int8 && code_ <= TypeCode::Int64; }
  constexpr bool is_unsigned() const { return code_ >= TypeCode::UInt8 && code_ <= TypeCode::UInt64; }
  constexpr bool is_integer() const { return is_signed() || is_unsigned(); }
  constexpr bool is_floating() const { return code_ == TypeCode::Float32 || code_ == TypeCode::Float64; }
  constexpr bool is_complex() const { return code_ == TypeCode::Complex64 || code_ == TypeCode::Complex128; }
  constexpr bool is_time() const { return code_ == TypeCode::Datetime64 || code_ == TypeCode::Timedelta64; }
  /// The type of the parts of a complex number; every other type itself.
  constexpr Dtype real() const {
    if (code_ == TypeCode::Complex64) return Dtype(TypeCode::Float32);
    if (code_ == TypeCode::Complex128) return Dtype(TypeCode::Float64);
    return *this;
  }

  friend constexpr bool operator==(Dtype, Dtype) = default;

 private:
  TypeCode code_ = TypeCode::Float64;
  TimeUnit unit_ = TimeUnit::Generic;
};

inline constexpr Dtype bool_{TypeCode::Bool};
inline constexpr Dtype int8{TypeCode::Int8}, int16{TypeCode::Int16}, int32{TypeCode::Int32}, int64{TypeCode::Int64};
inline constexpr Dtype uint8{TypeCode::UInt8}, uint16{TypeCode::UInt16}, uint32{TypeCode::UInt32},
    uint64{TypeCode::UInt64};
inline constexpr Dtype float32{TypeCode::Float32}, float64{TypeCode::Float64};
inline constexpr Dtype complex64{TypeCode::Complex64}, complex128{TypeCode::Complex128};
constexpr Dtype datetime64(TimeUnit unit) { return Dtype(TypeCode::Datetime64, unit); }
constexpr Dtype timedelta64(TimeUnit unit) { return Dtype(TypeCode::Timedelta64, unit); }

/// Returns the type of a C++ number: `dtype_of<float>()` is float32.
template <class T>
constexpr Dtype dtype_of() {
  using V = std::remove_cv_t<T>;
  if constexpr (std::is_same_v<V, bool>) {
    return bool_;
  } else if constexpr (std::is_integral_v<V>) {
    constexpr bool plain = std::is_signed_v<V>;
    if constexpr (sizeof(V) == 1) return plain ? int8 : uint8;
    if constexpr (sizeof(V) == 2) return plain ? int16 : uint16;
    if constexpr (sizeof(V) == 4) return plain ? int32 : uint32;
    if constexpr (sizeof(V) == 8) return plain ? int64 : uint64;
  } else if constexpr (std::is_same_v<V, float>) {
    return float32;
  } else if constexpr (std::is_same_v<V, double>) {
    return float64;
  } else if constexpr (std::is_same_v<V, std::complex<float>>) {
    return complex64;
  } else {
    static_assert(std::is_same_v<V, std::complex<double>>,
                  "weft: arrays hold bool, integers up to 64 bits, float, double, and std::complex of these two");
    return complex128;
  }
}

/// Returns the type that holds the values of both, as NumPy 2 promotes arrays. Throws Error for times and numbers that
/// do not mix.
Dtype promote(Dtype a, Dtype b);

/// A number with its type. Made from a C++ number it is weak: it takes the other operand's type where its kind allows
/// that. `Scalar(v, dtype)` is strong: it takes part in promotion as an array of that type would.
/// Threading: a value.
class Scalar {
 public:
  constexpr Scalar() = default;
  template <class T>
  requires(std::is_arithmetic_v<T>) constexpr Scalar(T value) : dtype_(kind_of<T>()), weak_(true) {  // NOLINT
    if constexpr (std::is_floating_point_v<T>) {
      real_ = static_cast<double>(value);
    } else {
      integer_ = static_cast<std::int64_t>(value);
      big_ = std::is_unsigned_v<T> && integer_ < 0;
    }
  }
  Scalar(std::complex<double> value)  // NOLINT
      : dtype_(complex128), weak_(true), real_(value.real()), imaginary_(value.imag()) {}
  Scalar(std::complex<float> value) : Scalar(std::complex<double>(value)) {}  // NOLINT
  Scalar(Scalar value, Dtype dtype);

  Dtype dtype() const { return dtype_; }
  bool weak() const { return weak_; }
  double real() const;
  double imaginary() const { return imaginary_; }
  std::int64_t integer() const;
  /// Writes the value as one element of `dtype`, as NumPy's astype would.
  void write(Dtype dtype, void* place) const;
  /// Throws Error where the value is out of the range of an integer type that it would weakly take.
  void require_fits(Dtype dtype) const;
  std::string text() const;

 private:
  template <class T>
  static constexpr Dtype kind_of() {
    if (std::is_same_v<T, bool>) return bool_;
    if (std::is_floating_point_v<T>) return float64;
    return int64;
  }

  Dtype dtype_ = int64;
  bool weak_ = true;
  /// The integer is a uint64 above the largest int64.
  bool big_ = false;
  std::int64_t integer_ = 0;
  double real_ = 0;
  double imaginary_ = 0;
};

/// Returns the type of an operation of an array with a scalar: a weak one only changes it by its kind.
Dtype promote(Dtype array, const Scalar& scalar);

}  // namespace weft
