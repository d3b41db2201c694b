// Elements of Zarr arrays: their types' names, and values that stand for what was never written.
#include "io/zarr/description.hpp"

#include "io/files/open_file.hpp"

#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace weft::io::zarr {
namespace {

struct Named {
  const char* name;
  const char* protocol;
  ElementKind kind;
  std::uint32_t bytes;
};

constexpr Named kTypes[] = {
    {"bool", "|b1", ElementKind::Boolean, 1},      {"int8", "|i1", ElementKind::Integer, 1},
    {"int16", "<i2", ElementKind::Integer, 2},     {"int32", "<i4", ElementKind::Integer, 4},
    {"int64", "<i8", ElementKind::Integer, 8},     {"uint8", "|u1", ElementKind::Unsigned, 1},
    {"uint16", "<u2", ElementKind::Unsigned, 2},   {"uint32", "<u4", ElementKind::Unsigned, 4},
    {"uint64", "<u8", ElementKind::Unsigned, 8},   {"float16", "<f2", ElementKind::Float, 2},
    {"float32", "<f4", ElementKind::Float, 4},     {"float64", "<f8", ElementKind::Float, 8},
    {"complex64", "<c8", ElementKind::Complex, 8}, {"complex128", "<c16", ElementKind::Complex, 16},
};

/// The bits of a number of 16 bits next to a double.
std::uint16_t to_half(double value) {
  const std::uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  if (std::isnan(value)) return sign | 0x7e00;
  const double magnitude = std::fabs(value);
  if (magnitude >= 65520) return sign | 0x7c00;
  if (magnitude < 0x1p-14) return sign | static_cast<std::uint16_t>(std::nearbyint(magnitude * 0x1p24));
  int exponent = 0;
  const double fraction = std::frexp(magnitude, &exponent);
  // A fraction that rounds up to the next power of two carries into the exponent, as it should.
  const auto mantissa = static_cast<unsigned>(std::nearbyint(fraction * 2048)) - 1024;
  return static_cast<std::uint16_t>(sign | ((static_cast<unsigned>(exponent + 14) << 10) + mantissa));
}

void put_real(double value, std::uint32_t bytes, std::byte* out) {
  if (bytes == 8) std::memcpy(out, &value, 8);
  if (bytes == 4) {
    const auto narrow = static_cast<float>(value);
    std::memcpy(out, &narrow, 4);
  }
  if (bytes == 2) {
    const std::uint16_t narrow = to_half(value);
    std::memcpy(out, &narrow, 2);
  }
}

double real_of(const Json& value, const std::string& path) {
  if (value.is(Json::Number)) return value.number();
  if (value.is(Json::Text) && value.text() == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (value.is(Json::Text) && value.text() == "Infinity") return std::numeric_limits<double>::infinity();
  if (value.is(Json::Text) && value.text() == "-Infinity") return -std::numeric_limits<double>::infinity();
  fail(path, "the fill value " + value.dump() + " is not understood");
}

/// "0x7fc00000": the bits.
bool put_bits(const Json& value, std::uint32_t bytes, std::byte* out) {
  if (!value.is(Json::Text) || value.text().rfind("0x", 0) != 0) return false;
  const std::uint64_t bits = std::strtoull(value.text().c_str() + 2, nullptr, 16);
  std::memcpy(out, &bits, std::min<std::size_t>(bytes, 8));
  return true;
}

}  // namespace

ElementType element_of_name(const std::string& name) {
  for (const Named& one : kTypes) {
    if (name == one.name) return {one.kind, one.bytes, false, one.name};
  }
  if (name.rfind("datetime64[", 0) == 0 || name.rfind("timedelta64[", 0) == 0) {
    return {ElementKind::Integer, 8, false, name};
  }
  if (name == "string") return {ElementKind::VariableText, 0, false, name};
  return {ElementKind::Other, 0, false, name};
}

ElementType element_of_protocol(const std::string& name, bool& wide_text) {
  wide_text = false;
  if (name.size() < 2) return {ElementKind::Other, 0, false, name};
  const bool swapped = name[0] == '>';
  for (const Named& one : kTypes) {
    if (name.substr(1) == one.protocol + 1) return {one.kind, one.bytes, swapped && one.bytes > 1, one.name};
  }
  const std::size_t unit = name.find('[');
  if ((name[1] == 'M' || name[1] == 'm') && name[2] == '8') {
    const std::string unit_text = unit == std::string::npos ? "" : name.substr(unit);
    return {ElementKind::Integer, 8, swapped, (name[1] == 'M' ? "datetime64" : "timedelta64") + unit_text};
  }
  const long length = std::strtol(name.c_str() + 2, nullptr, 10);
  if ((name[1] == 'S' || name[1] == 'U') && length > 0 && length < (1 << 20)) {
    wide_text = name[1] == 'U';
    return {ElementKind::Text, static_cast<std::uint32_t>(wide_text ? 4 * length : length), wide_text && swapped,
            "string"};
  }
  if (name[1] == 'O') return {ElementKind::VariableText, 0, false, "string"};
  return {ElementKind::Other, 0, false, name};
}

std::string protocol_of(const ElementType& type) {
  for (const Named& one : kTypes) {
    if (type.name == one.name) return one.protocol;
  }
  const std::size_t unit = type.name.find('[');
  if (unit == std::string::npos) return {};
  return (type.name[0] == 'd' ? "<M8" : "<m8") + type.name.substr(unit);
}

std::vector<std::byte> fill_of(const Json& value, const ElementType& type, const std::string& path) {
  std::vector<std::byte> out(type.bytes);
  if (value.is(Json::Null) || !type.is_number()) return out;
  if (type.kind == ElementKind::Boolean) {
    out[0] = std::byte{value.is(Json::Bool) ? value.truth() : real_of(value, path) != 0};
  } else if (type.kind == ElementKind::Complex) {
    if (value.is(Json::List) && value.list().size() == 2) {
      put_real(real_of(value.list()[0], path), type.bytes / 2, out.data());
      put_real(real_of(value.list()[1], path), type.bytes / 2, out.data() + type.bytes / 2);
    } else {
      put_real(real_of(value, path), type.bytes / 2, out.data());
    }
  } else if (type.kind == ElementKind::Float) {
    if (!put_bits(value, type.bytes, out.data())) put_real(real_of(value, path), type.bytes, out.data());
  } else if (!put_bits(value, type.bytes, out.data())) {
    // "NaT" is the least number there is.
    const bool none = value.is(Json::Text) && value.text() == "NaT";
    if (!none && !value.is(Json::Number)) fail(path, "the fill value " + value.dump() + " is not understood");
    const std::uint64_t bits = none ? std::uint64_t{1} << 63
                               : type.kind == ElementKind::Unsigned
                                   ? std::strtoull(value.text().c_str(), nullptr, 10)
                                   : static_cast<std::uint64_t>(std::strtoll(value.text().c_str(), nullptr, 10));
    std::memcpy(out.data(), &bits, type.bytes);
  }
  return out;
}

std::vector<std::byte> from_base64(const std::string& text) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<std::byte> out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    const char* const found = c == '\0' ? nullptr : std::strchr(kDigits, c);
    if (found == nullptr) return {};
    bits = bits << 6 | static_cast<std::uint32_t>(found - kDigits);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<std::byte>(bits >> count));
    }
  }
  return out;
}

}  // namespace weft::io::zarr
