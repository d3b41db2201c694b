// Boxes of elements, in memory and in files; what all formats share.
#include "io/codecs/filters.hpp"
#include "io/files/json.hpp"
#include "io/files/open_file.hpp"
#include "io/formats/format.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace weft::io {

std::vector<std::int64_t> packed_strides(const std::vector<std::int64_t>& extent, std::size_t element_bytes) {
  std::vector<std::int64_t> strides(extent.size());
  auto stride = static_cast<std::int64_t>(element_bytes);
  for (std::size_t axis = extent.size(); axis-- > 0;) {
    strides[axis] = stride;
    stride *= extent[axis];
  }
  return strides;
}

void copy_box(std::byte* to, const std::int64_t* to_strides, const std::byte* from, const std::int64_t* from_strides,
              const std::int64_t* extent, std::size_t ndim, std::size_t element_bytes) {
  for (std::size_t axis = 0; axis < ndim; ++axis) {
    if (extent[axis] == 0) return;
  }
  // Trailing axes that lie without gaps in both are one run.
  std::size_t outer = ndim;
  auto run = static_cast<std::int64_t>(element_bytes);
  while (outer > 0 && (extent[outer - 1] == 1 || (to_strides[outer - 1] == run && from_strides[outer - 1] == run))) {
    run *= extent[--outer];
  }
  if (outer == 0) {
    std::memcpy(to, from, static_cast<std::size_t>(run));
    return;
  }
  if (outer == 1) {
    for (std::int64_t i = 0; i < extent[0]; ++i) {
      std::memcpy(to + i * to_strides[0], from + i * from_strides[0], static_cast<std::size_t>(run));
    }
    return;
  }
  for (std::int64_t i = 0; i < extent[0]; ++i) {
    copy_box(to + i * to_strides[0], to_strides + 1, from + i * from_strides[0], from_strides + 1, extent + 1, ndim - 1,
             element_bytes);
  }
}

void fill_box(std::byte* to, const std::int64_t* strides, const std::int64_t* extent, std::size_t ndim,
              const std::byte* element, std::size_t element_bytes) {
  if (ndim == 0) {
    std::memcpy(to, element, element_bytes);
    return;
  }
  for (std::int64_t i = 0; i < extent[0]; ++i) {
    fill_box(to + i * strides[0], strides + 1, extent + 1, ndim - 1, element, element_bytes);
  }
}

namespace {

/// Bytes from the first to behind the last element of a box, in an array of these strides.
std::int64_t span_of(const std::int64_t* strides, const std::int64_t* extent, std::size_t ndim,
                     std::int64_t element_bytes) {
  std::int64_t span = element_bytes;
  for (std::size_t axis = 0; axis < ndim; ++axis) span += (extent[axis] - 1) * strides[axis];
  return span;
}

/// Returns whether the elements of a box lie side by side in C order.
bool in_order(const std::int64_t* strides, const std::int64_t* extent, std::size_t ndim, std::int64_t element_bytes) {
  for (std::size_t axis = ndim; axis-- > 0;) {
    if (extent[axis] != 1 && strides[axis] != element_bytes) return false;
    element_bytes *= extent[axis];
  }
  return true;
}

void read_rows(const OpenFile& file, std::uint64_t place, const std::int64_t* file_strides, const std::int64_t* extent,
               std::size_t ndim, std::size_t element_bytes, std::byte* out, const std::int64_t* strides) {
  const auto one = static_cast<std::int64_t>(element_bytes);
  std::int64_t bytes = one;
  for (std::size_t axis = 0; axis < ndim; ++axis) bytes *= extent[axis];
  const std::int64_t span = span_of(file_strides, extent, ndim, one);
  if (span == bytes && in_order(strides, extent, ndim, one)) {
    file.read(place, out, static_cast<std::size_t>(bytes));
    return;
  }
  // Reading what lies between is cheaper than another call, as long as it is not too much.
  if (ndim == 0 || (span <= std::max<std::int64_t>(4 * bytes, 64 << 10) && span <= (16 << 20))) {
    thread_local std::vector<std::byte> scratch;
    scratch.resize(static_cast<std::size_t>(span));
    file.read(place, scratch.data(), scratch.size());
    copy_box(out, strides, scratch.data(), file_strides, extent, ndim, element_bytes);
    return;
  }
  for (std::int64_t i = 0; i < extent[0]; ++i) {
    read_rows(file, place + static_cast<std::uint64_t>(i * file_strides[0]), file_strides + 1, extent + 1, ndim - 1,
              element_bytes, out + i * strides[0], strides + 1);
  }
}

}  // namespace

void read_contiguous(const OpenFile& file, std::uint64_t place, const std::vector<std::int64_t>& shape,
                     std::size_t element_bytes, const std::vector<std::int64_t>& start,
                     const std::vector<std::int64_t>& extent, std::byte* out,
                     const std::vector<std::int64_t>& strides) {
  const std::vector<std::int64_t> file_strides = packed_strides(shape, element_bytes);
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (extent[axis] == 0) return;
    place += static_cast<std::uint64_t>(start[axis] * file_strides[axis]);
  }
  read_rows(file, place, file_strides.data(), extent.data(), shape.size(), element_bytes, out, strides.data());
}

void check_box(const StoredFile& file, const Variable& variable, const std::vector<std::int64_t>& start,
               const std::vector<std::int64_t>& extent) {
  bool fits = start.size() == variable.shape.size() && extent.size() == variable.shape.size();
  for (std::size_t axis = 0; fits && axis < start.size(); ++axis) {
    fits = start[axis] >= 0 && extent[axis] >= 0 && start[axis] <= variable.shape[axis] &&
           extent[axis] <= variable.shape[axis] - start[axis];
  }
  if (!fits) fail(file.path(), "a box that does not lie in '" + variable.path + "' was asked for");
}

void swap_box(std::byte* data, const std::vector<std::int64_t>& strides, const std::vector<std::int64_t>& extent,
              const ElementType& type) {
  if (!type.swapped) return;
  const bool complex = type.kind == ElementKind::Complex;
  const std::size_t element = complex ? type.bytes / 2 : type.bytes;
  const std::size_t parts = complex ? 2 : 1;
  const auto each = [&](const auto& self, std::byte* at, std::size_t axis) -> void {
    if (axis == extent.size()) {
      swap_bytes(at, parts, element);
    } else if (axis + 1 == extent.size() && strides[axis] == static_cast<std::int64_t>(type.bytes)) {
      swap_bytes(at, static_cast<std::size_t>(extent[axis]) * parts, element);
    } else {
      for (std::int64_t i = 0; i < extent[axis]; ++i) self(self, at + i * strides[axis], axis + 1);
    }
  };
  each(each, data, 0);
}

void swap_wide_text(std::byte* data, const std::vector<std::int64_t>& strides, const std::vector<std::int64_t>& extent,
                    std::uint32_t element_bytes) {
  // As an array of characters with one axis more.
  std::vector<std::int64_t> characters = extent, steps = strides;
  characters.push_back(element_bytes / 4);
  steps.push_back(4);
  swap_box(data, steps, characters, {ElementKind::Unsigned, 4, true, "uint32"});
}

std::vector<std::string> texts_of(const std::vector<std::byte>& bytes, std::uint32_t element_bytes, bool wide) {
  std::vector<std::string> texts;
  for (std::size_t at = 0; element_bytes > 0 && at + element_bytes <= bytes.size(); at += element_bytes) {
    std::string& text = texts.emplace_back();
    if (!wide) {
      text.assign(reinterpret_cast<const char*>(bytes.data()) + at, element_bytes);
      text.resize(std::min(text.size(), text.find_last_not_of('\0') + 1));
      continue;
    }
    for (std::size_t i = 0; i + 4 <= element_bytes; i += 4) {
      std::uint32_t code = 0;
      std::memcpy(&code, bytes.data() + at + i, 4);
      if (code == 0) break;
      append_utf8(text, code);
    }
  }
  return texts;
}

std::vector<double> Attribute::numbers() const {
  if (!reals.empty()) return reals;
  return {integers.begin(), integers.end()};
}

const Attribute* find_attribute(const std::vector<Attribute>& attributes, const std::string& name) {
  for (const Attribute& one : attributes) {
    if (one.name == name) return &one;
  }
  return nullptr;
}

std::int64_t Variable::elements() const {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) {
    if (__builtin_mul_overflow(count, extent, &count)) return std::numeric_limits<std::int64_t>::max();
  }
  return count;
}

bool StoredFile::has(const std::string& path) const {
  return std::any_of(variables_.begin(), variables_.end(), [&](const Variable& one) { return one.path == path; });
}

std::size_t StoredFile::find(const std::string& path) const {
  const std::string wanted = !path.empty() && path[0] == '/' ? path.substr(1) : path;
  for (std::size_t i = 0; i < variables_.size(); ++i) {
    if (variables_[i].path == wanted) return i;
  }
  // A link that leads nowhere says where it should lead.
  for (const std::string& remark : remarks_) {
    const bool beginning =
        remark.starts_with("/") && wanted.starts_with(remark.substr(1, remark.find(" leads to ") - 1));
    if (beginning && remark.find(" leads to ") != std::string::npos) fail(path_, remark);
  }
  std::string names;
  for (std::size_t i = 0; i < variables_.size() && i < 20; ++i) names += (i == 0 ? "" : ", ") + variables_[i].path;
  if (variables_.size() > 20) names += ", ...";
  fail(path_, "has no variable '" + path + "'; it has " + (names.empty() ? "none" : names));
}

std::vector<std::byte> StoredFile::read_box(std::size_t variable, const std::vector<std::int64_t>& start,
                                            const std::vector<std::int64_t>& extent) const {
  const Variable& one = variables_[variable];
  check_box(*this, one, start, extent);
  auto bytes = static_cast<std::int64_t>(one.type.bytes);
  for (const std::int64_t e : extent) {
    if (__builtin_mul_overflow(bytes, e, &bytes)) fail(path_, "'" + one.path + "' does not fit the memory");
  }
  std::vector<std::byte> out;
  try {
    out.resize(static_cast<std::size_t>(bytes));
  } catch (const std::exception&) {
    fail(path_, "'" + one.path + "' takes " + std::to_string(bytes) + " bytes, which do not fit the memory");
  }
  read(variable, start, extent, out.data(), packed_strides(extent, one.type.bytes));
  return out;
}

std::vector<double> StoredFile::read_numbers(std::size_t variable) const {
  const Variable& one = variables_[variable];
  if (!one.type.is_number() || one.type.kind == ElementKind::Complex) {
    fail(path_, "'" + one.path + "' holds " + one.type.name + ", not numbers");
  }
  const std::vector<std::byte> bytes = read_box(variable, std::vector<std::int64_t>(one.shape.size(), 0), one.shape);
  std::vector<double> out(one.type.bytes == 0 ? 0 : bytes.size() / one.type.bytes);
  to_doubles(one.type, bytes.data(), static_cast<std::int64_t>(out.size()), out.data());
  return out;
}

namespace {

/// The bits of a number of 16 bits as a double.
double half_to_double(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int mantissa = bits & 1023;
  double value = 0;
  if (exponent == 0) {
    value = mantissa * 0x1p-24;
  } else if (exponent == 31) {
    value = mantissa == 0 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  } else {
    value = (1024 + mantissa) * 0x1p-25;
    for (int i = 0; i < exponent; ++i) value *= 2;
  }
  return (bits & 0x8000) != 0 ? -value : value;
}

}  // namespace

void to_doubles(const ElementType& type, const std::byte* from, std::int64_t count, double* out) {
  const auto each = [&]<class T>(T) {
    for (std::int64_t i = 0; i < count; ++i) {
      T value;
      std::memcpy(&value, from + i * static_cast<std::int64_t>(sizeof(T)), sizeof(T));
      out[i] = static_cast<double>(value);
    }
  };
  if (type.kind == ElementKind::Float) {
    if (type.bytes == 8) return each(double{});
    if (type.bytes == 4) return each(float{});
    for (std::int64_t i = 0; i < count; ++i) {
      std::uint16_t bits;
      std::memcpy(&bits, from + 2 * i, 2);
      out[i] = half_to_double(bits);
    }
  } else if (type.kind == ElementKind::Integer) {
    if (type.bytes == 8) return each(std::int64_t{});
    if (type.bytes == 4) return each(std::int32_t{});
    if (type.bytes == 2) return each(std::int16_t{});
    each(std::int8_t{});
  } else {
    if (type.bytes == 8) return each(std::uint64_t{});
    if (type.bytes == 4) return each(std::uint32_t{});
    if (type.bytes == 2) return each(std::uint16_t{});
    each(std::uint8_t{});
  }
}

}  // namespace weft::io
