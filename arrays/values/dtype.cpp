#include <weft/dtype.hpp>

#include "arrays/kernels/tile_kernels.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <limits>

namespace weft {
namespace {

struct TypeName {
  const char* name;
  const char* letter;
  TypeCode code;
};
constexpr TypeName kNames[] = {{"bool", "?", TypeCode::Bool},
                               {"int8", "i1", TypeCode::Int8},
                               {"int16", "i2", TypeCode::Int16},
                               {"int32", "i4", TypeCode::Int32},
                               {"int64", "i8", TypeCode::Int64},
                               {"uint8", "u1", TypeCode::UInt8},
                               {"uint16", "u2", TypeCode::UInt16},
                               {"uint32", "u4", TypeCode::UInt32},
                               {"uint64", "u8", TypeCode::UInt64},
                               {"float32", "f4", TypeCode::Float32},
                               {"float64", "f8", TypeCode::Float64},
                               {"complex64", "c8", TypeCode::Complex64},
                               {"complex128", "c16", TypeCode::Complex128},
                               {"datetime64", "M8", TypeCode::Datetime64},
                               {"timedelta64", "m8", TypeCode::Timedelta64}};
constexpr const char* kUnits[] = {"", "Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns"};

Dtype signed_of(std::size_t bytes) { return bytes == 1 ? int8 : bytes == 2 ? int16 : bytes == 4 ? int32 : int64; }

Dtype promote_times(Dtype a, Dtype b) {
  const auto finer = std::max(a.unit(), b.unit());
  if (a.code() == b.code()) return Dtype(a.code(), finer);
  if (a.is_time() && (b.is_integer() || b.is_bool())) return Dtype(TypeCode::Timedelta64, a.unit());
  if (b.is_time() && (a.is_integer() || a.is_bool())) return Dtype(TypeCode::Timedelta64, b.unit());
  throw Error("the types " + a.name() + " and " + b.name() + " do not mix: convert one with astype");
}

}  // namespace

Dtype Dtype::parse(std::string_view name) {
  TimeUnit unit = TimeUnit::Generic;
  std::string_view base = name;
  const std::size_t bracket = name.find('[');
  if (bracket != std::string_view::npos && name.back() == ']') {
    base = name.substr(0, bracket);
    const std::string_view word = name.substr(bracket + 1, name.size() - bracket - 2);
    bool known = false;
    for (std::size_t i = 1; i < std::size(kUnits); ++i) {
      if (word != kUnits[i]) continue;
      unit = static_cast<TimeUnit>(i);
      known = true;
    }
    if (!known) throw Error("'" + std::string(name) + "' is not a type: units are Y M W D h m s ms us ns");
  }
  for (const TypeName& one : kNames) {
    if (base == one.name || base == one.letter) return Dtype(one.code, unit);
  }
  throw Error("'" + std::string(name) +
              "' is not a type of arrays; they are bool, int8 to int64, uint8 to uint64, float32, float64, complex64, "
              "complex128, datetime64[unit] and timedelta64[unit]");
}

std::string Dtype::name() const {
  std::string text = kNames[static_cast<std::size_t>(code_)].name;
  if (is_time() && unit_ != TimeUnit::Generic) text += "[" + std::string(kUnits[static_cast<std::size_t>(unit_)]) + "]";
  return text;
}

Dtype promote(Dtype a, Dtype b) {
  if (a == b) return a;
  if (a.is_time() || b.is_time()) return promote_times(a, b);
  if (a.is_bool()) return b;
  if (b.is_bool()) return a;
  if (a.is_complex() || b.is_complex()) {
    return promote(a.real(), b.real()) == float32 ? complex64 : complex128;
  }
  if (a.is_floating() || b.is_floating()) {
    if (a.is_floating() && b.is_floating()) return float64;
    const Dtype real = a.is_floating() ? a : b;
    const Dtype whole = a.is_floating() ? b : a;
    return real == float32 && whole.size() <= 2 ? float32 : float64;
  }
  if (a.is_signed() == b.is_signed()) return a.size() >= b.size() ? a : b;
  const Dtype with_sign = a.is_signed() ? a : b;
  const Dtype without = a.is_signed() ? b : a;
  if (with_sign.size() > without.size()) return with_sign;
  return without.size() == 8 ? float64 : signed_of(2 * without.size());
}

Dtype promote(Dtype array, const Scalar& scalar) {
  if (!scalar.weak()) return promote(array, scalar.dtype());
  const Dtype kind = scalar.dtype();
  if (kind.is_bool()) return array;
  if (kind.is_integer()) return array.is_bool() ? int64 : array;
  if (array.is_time()) throw Error("a floating number and " + array.name() + " do not mix: convert one with astype");
  if (kind.is_floating()) return array.is_bool() || array.is_integer() ? float64 : array;
  return array == float32 || array == complex64 ? complex64 : complex128;
}

Scalar::Scalar(Scalar value, Dtype dtype) : Scalar(value) {
  dtype_ = dtype;
  weak_ = false;
  // The kind of number that is kept follows the type.
  if (dtype.is_floating() || dtype.is_complex()) {
    real_ = value.real();
  } else {
    integer_ = value.integer();
    big_ = value.big_;
  }
}

double Scalar::real() const {
  if (dtype_.is_floating() || dtype_.is_complex()) return real_;
  return big_ ? static_cast<double>(static_cast<std::uint64_t>(integer_)) : static_cast<double>(integer_);
}

std::int64_t Scalar::integer() const {
  return dtype_.is_floating() || dtype_.is_complex() ? static_cast<std::int64_t>(real_) : integer_;
}

void Scalar::write(Dtype dtype, void* place) const {
  if (dtype_.is_complex()) {
    const std::complex<double> value(real_, imaginary_);
    arrays::kernels::cast_kernel(dtype.code(), TypeCode::Complex128)(place, &value, 1);
  } else if (dtype_.is_floating()) {
    arrays::kernels::cast_kernel(dtype.code(), TypeCode::Float64)(place, &real_, 1);
  } else {
    arrays::kernels::cast_kernel(dtype.code(), big_ ? TypeCode::UInt64 : TypeCode::Int64)(place, &integer_, 1);
  }
}

void Scalar::require_fits(Dtype dtype) const {
  if (!weak_ || !dtype_.is_integer() || !dtype.is_integer()) return;
  bool fits = true;
  if (dtype.is_unsigned()) {
    const std::uint64_t most = dtype.size() == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * dtype.size())) - 1;
    fits = big_ ? dtype.size() == 8 : integer_ >= 0 && static_cast<std::uint64_t>(integer_) <= most;
  } else if (dtype.size() < 8) {
    const std::int64_t most = (std::int64_t{1} << (8 * dtype.size() - 1)) - 1;
    fits = !big_ && integer_ <= most && integer_ >= -most - 1;
  } else {
    fits = !big_;
  }
  if (fits) return;
  throw Error("the number " + text() + " is out of the range of " + dtype.name() +
              ": convert the array with astype, or give Scalar(number, dtype)");
}

std::string Scalar::text() const {
  char text[80];
  if (dtype_.is_complex()) {
    std::snprintf(text, sizeof text, "%.17g%+.17gj", real_, imaginary_);
  } else if (dtype_.is_floating()) {
    std::snprintf(text, sizeof text, "%.17g", real_);
  } else if (dtype_.is_bool()) {
    return integer_ != 0 ? "True" : "False";
  } else if (big_) {
    std::snprintf(text, sizeof text, "%llu", static_cast<unsigned long long>(integer_));
  } else {
    std::snprintf(text, sizeof text, "%lld", static_cast<long long>(integer_));
  }
  return text;
}

}  // namespace weft
