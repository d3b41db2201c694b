#include "mpi_launch/command/data/output.hpp"

#include "arrays/labelled/attributes.hpp"
#include "arrays/labelled/stored.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace weft::command::data {
namespace {

/// NetCDF's own fill value of floats.
constexpr double kFill = 9.9692099683868690e+36;

template <class T>
void put(const std::vector<double>& values, std::byte* to) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const T value = static_cast<T>(values[i]);
    std::memcpy(to + i * sizeof(T), &value, sizeof(T));
  }
}

/// Numbers as a type of the file.
std::vector<std::byte> numbers_as(const io::ElementType& type, const std::vector<double>& values) {
  std::vector<std::byte> out(values.size() * type.bytes);
  if (type.kind == io::ElementKind::Float) {
    type.bytes == 4 ? put<float>(values, out.data()) : put<double>(values, out.data());
  } else if (type.kind == io::ElementKind::Integer) {
    type.bytes == 1   ? put<std::int8_t>(values, out.data())
    : type.bytes == 2 ? put<std::int16_t>(values, out.data())
    : type.bytes == 4 ? put<std::int32_t>(values, out.data())
                      : put<std::int64_t>(values, out.data());
  } else {
    type.bytes == 1   ? put<std::uint8_t>(values, out.data())
    : type.bytes == 2 ? put<std::uint16_t>(values, out.data())
    : type.bytes == 4 ? put<std::uint32_t>(values, out.data())
                      : put<std::uint64_t>(values, out.data());
  }
  return out;
}

template <class T>
void fill_missing(std::byte* values, std::int64_t count, double fill) {
  T* const all = reinterpret_cast<T*>(values);
  for (std::int64_t i = 0; i < count; ++i) all[i] = std::isnan(all[i]) ? static_cast<T>(fill) : all[i];
}

/// The type that labels are written in: that of the file where they still fit it.
io::ElementType label_type(const Coordinate& labels, const io::Variable* like) {
  const bool whole = std::all_of(labels.numbers().begin(), labels.numbers().end(),
                                 [](double value) { return value == std::floor(value) && std::abs(value) < 2e9; });
  if (like != nullptr && like->type.is_number()) {
    const io::ElementType& type = like->type;
    const bool single = type.kind == io::ElementKind::Float && type.bytes == 4 &&
                        std::all_of(labels.numbers().begin(), labels.numbers().end(), [](double value) {
                          return static_cast<double>(static_cast<float>(value)) == value;
                        });
    const bool narrow = type.kind == io::ElementKind::Float ? type.bytes == 8 || single : whole && type.bytes >= 4;
    if (narrow && type.kind <= io::ElementKind::Float && type.kind != io::ElementKind::Boolean) {
      return {type.kind, type.bytes, false, type.name};
    }
  }
  if (like == nullptr && whole) return {io::ElementKind::Integer, 4, false, "int32"};
  return {io::ElementKind::Float, 8, false, "float64"};
}

}  // namespace

Encoding encoding_like(const io::Variable& variable) {
  const labelled::Packing packing = labelled::packing_of(variable);
  Encoding out;
  out.type = variable.type;
  out.type.swapped = false;
  if (out.type.kind == io::ElementKind::Boolean) out.type.kind = io::ElementKind::Unsigned;
  if (out.type.kind == io::ElementKind::Float && out.type.bytes == 2)
    out.type = {io::ElementKind::Float, 4, false, "float32"};
  out.scale = packing.scale;
  out.offset = packing.offset;
  out.packed = packing.scaled;
  for (const char* const name : {"_FillValue", "missing_value"}) {
    const io::Attribute* const found = io::find_attribute(variable.attributes, name);
    if (found != nullptr && !found->numbers().empty() && !out.fill) out.fill = found->numbers()[0];
  }
  if (!out.fill && out.type.kind == io::ElementKind::Float) out.fill = kFill;
  return out;
}

Encoding plain_encoding(Dtype type, const io::Variable* like) {
  Encoding out;
  out.type.bytes = static_cast<std::uint32_t>(type.size());
  out.type.name = type.name();
  out.type.kind = type.is_floating()                    ? io::ElementKind::Float
                  : type == bool_ || type.is_unsigned() ? io::ElementKind::Unsigned
                                                        : io::ElementKind::Integer;
  if (!type.is_floating()) return out;
  out.fill = type.size() == 4 ? static_cast<double>(static_cast<float>(kFill)) : kFill;
  if (like == nullptr || like->type.kind != io::ElementKind::Float || like->type.bytes != type.size()) return out;
  const io::Attribute* const found = io::find_attribute(like->attributes, "_FillValue");
  if (found != nullptr && !found->numbers().empty()) out.fill = found->numbers()[0];
  return out;
}

std::vector<std::byte> encode_values(const NDArray& values, const Encoding& encoding) {
  const NDArray side_by_side = values.as_contiguous();
  const std::int64_t count = side_by_side.size();
  const Dtype dtype = side_by_side.dtype();
  std::vector<std::byte> bytes(side_by_side.data(), side_by_side.data() + side_by_side.nbytes());
  const bool float_like = encoding.type.kind == io::ElementKind::Float;
  if (!encoding.packed && float_like == dtype.is_floating() && encoding.type.bytes == dtype.size()) {
    if (float_like && encoding.fill && !std::isnan(*encoding.fill)) {
      dtype.size() == 4 ? fill_missing<float>(bytes.data(), count, *encoding.fill)
                        : fill_missing<double>(bytes.data(), count, *encoding.fill);
    }
    return bytes;
  }
  std::vector<double> numbers(static_cast<std::size_t>(count));
  const io::ElementType from{dtype.is_floating()   ? io::ElementKind::Float
                             : dtype.is_unsigned() ? io::ElementKind::Unsigned
                                                   : io::ElementKind::Integer,
                             static_cast<std::uint32_t>(dtype.size()), false, dtype.name()};
  io::to_doubles(from, bytes.data(), count, numbers.data());
  for (double& value : numbers) {
    if (std::isnan(value)) {
      value = encoding.fill.value_or(0);
    } else {
      value = (value - encoding.offset) / encoding.scale;
      if (!float_like) value = std::nearbyint(value);
    }
  }
  return numbers_as(encoding.type, numbers);
}

void declare_labels(io::NetcdfWriter& writer, const Coordinate& labels, const io::Variable* like, bool keep_bounds) {
  io::NewVariable variable;
  variable.name = labels.name();
  variable.dimensions = {labels.name()};
  variable.deflate = 0;
  variable.type = labels.texts().empty() ? label_type(labels, like)
                                         : io::ElementType{io::ElementKind::VariableText, 0, false, "string"};
  for (const io::Attribute& one : labels.attributes()) {
    if (one.name == "_FillValue" || one.name == "climatology" || (one.name == "bounds" && !keep_bounds)) continue;
    variable.attributes.push_back(one);
  }
  writer.variable(variable);
}

void write_labels(io::NetcdfWriter& writer, const Coordinate& labels, const io::Variable* like) {
  if (!labels.texts().empty()) return writer.write_text(labels.name(), labels.texts());
  const std::vector<std::byte> bytes = numbers_as(label_type(labels, like), labels.numbers());
  writer.write(labels.name(), {0}, {static_cast<std::int64_t>(labels.size())}, bytes.data());
}

std::vector<io::Attribute> with_history(std::vector<io::Attribute> attributes, const std::string& line) {
  std::time_t now = std::time(nullptr);
  if (const char* const fixed = std::getenv("SOURCE_DATE_EPOCH"))
    now = static_cast<std::time_t>(std::strtoll(fixed, nullptr, 10));
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char when[40];
  std::strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
  const io::Attribute* const before = io::find_attribute(attributes, "history");
  const std::string said = before == nullptr || before->text().empty() ? "" : "\n" + before->text();
  labelled::set_text(attributes, "history", std::string(when) + ": " + line + said);
  // What weft's and other libraries say of themselves is not the data's.
  std::erase_if(attributes, [](const io::Attribute& one) { return one.name == "_NCProperties"; });
  return attributes;
}

}  // namespace weft::command::data
