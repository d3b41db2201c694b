#include "mpi_launch/command/data/values.hpp"

#include "arrays/labelled/stored.hpp"

#include <cstring>

namespace weft::command::data {
namespace {

Dtype meant_type(const io::Variable& variable, bool raw) {
  const labelled::Packing packing = labelled::packing_of(variable);
  return raw || !packing.any() ? labelled::stored_dtype(variable.type) : labelled::unpacked_dtype(variable, packing);
}

}  // namespace

Values::Values(const io::StoredFile& file, std::size_t variable, bool raw)
    : file_(file), variable_(variable), raw_(raw), dtype_(meant_type(file.variables()[variable], raw)) {}

std::vector<std::byte> Values::read(const std::vector<std::int64_t>& start,
                                    const std::vector<std::int64_t>& extent) const {
  std::vector<std::byte> stored = file_.read_box(variable_, start, extent);
  const io::Variable& one = file_.variables()[variable_];
  const labelled::Packing packing = raw_ ? labelled::Packing{} : labelled::packing_of(one);
  const bool same = dtype_.size() == one.type.bytes && labelled::stored_dtype(one.type) == dtype_;
  if (same && !packing.any()) return stored;
  const auto count = static_cast<std::int64_t>(stored.size() / one.type.bytes);
  std::vector<std::byte> out(static_cast<std::size_t>(count) * dtype_.size());
  labelled::unpack(one.type, packing, dtype_, stored.data(), count, out.data());
  return out;
}

std::vector<double> Values::read_doubles(const std::vector<std::int64_t>& start,
                                         const std::vector<std::int64_t>& extent) const {
  const std::vector<std::byte> bytes = read(start, extent);
  io::ElementType type;
  type.bytes = static_cast<std::uint32_t>(dtype_.size());
  type.kind = dtype_.is_floating()                      ? io::ElementKind::Float
              : dtype_.is_unsigned() || type.bytes == 0 ? io::ElementKind::Unsigned
                                                        : io::ElementKind::Integer;
  if (dtype_.is_complex()) {  // pairs
    type.kind = io::ElementKind::Float;
    type.bytes /= 2;
  }
  std::vector<double> out(bytes.size() / type.bytes);
  io::to_doubles(type, bytes.data(), static_cast<std::int64_t>(out.size()), out.data());
  return out;
}

std::string place_text(const io::Variable& variable, const std::vector<std::int64_t>& place) {
  std::string out;
  for (std::size_t axis = 0; axis < place.size(); ++axis) {
    out += axis == 0 ? "" : ", ";
    if (variable.dimensions.size() == place.size()) out += variable.dimensions[axis] + "=";
    out += std::to_string(place[axis]);
  }
  return "[" + out + "]";
}

}  // namespace weft::command::data
