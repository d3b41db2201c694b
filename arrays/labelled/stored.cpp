// Arrays whose chunks are read from files.
#include "arrays/labelled/stored.hpp"

#include <weft/remote.hpp>
#include <weft/stored_array.hpp>

#include "arrays/expression/node.hpp"
#include "arrays/files/region_io.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace weft {
namespace labelled {
namespace {

using arrays::expression::AxisGrid;
using arrays::expression::Box;
using arrays::expression::ChunkWork;
using arrays::expression::Grid;
using arrays::expression::Need;

/// Reads a chunk of a variable. The file is opened by name where the task runs, once for each process.
struct ReadStored {
  static constexpr const char* kName = "read";
  static constexpr bool kAssembles = false;
  std::string path;
  std::string variable;
  /// What the file was when it was opened.
  std::uint64_t bytes = 0;
  std::int64_t changed_ns = 0;
  std::vector<double> missing;
  double scale = 1;
  double offset = 0;
  bool scaled = false;

  void needs(const Box&, std::vector<Need>&) const {}
  void run(const ChunkWork& work) const {
    const std::shared_ptr<const io::StoredFile> file = io::open_shared(path);
    if (file->file_bytes() != bytes || file->changed_ns() != changed_ns) {
      throw io::FileError("'" + io::shown_path(path) + "': changed after it was opened; open it again");
    }
    const std::size_t number = file->find(variable);
    const io::Variable& stored = file->variables()[number];
    const Packing packing{missing, scale, offset, scaled};
    const std::int64_t count = work.out.elements();
    const arrays::expression::Block& out = work.output;
    if (out.dtype.size() == stored.type.bytes && stored_dtype(stored.type) == out.dtype) {
      file->read(number, work.out.start, work.out.extent, out.data, out.strides);
      if (packing.any()) unpack(stored.type, packing, out.dtype, out.data, count, out.data);
      return;
    }
    thread_local std::vector<std::byte> packed;
    packed.resize(static_cast<std::size_t>(count) * stored.type.bytes);
    std::vector<std::int64_t> strides(work.out.extent.size());
    auto stride = static_cast<std::int64_t>(stored.type.bytes);
    for (std::size_t axis = strides.size(); axis-- > 0;) {
      strides[axis] = stride;
      stride *= work.out.extent[axis];
    }
    file->read(number, work.out.start, work.out.extent, packed.data(), strides);
    unpack(stored.type, packing, out.dtype, packed.data(), count, out.data);
  }
};

/// Chunks of at least this many bytes are worth a task; more are put together from several stored ones.
constexpr std::int64_t kLeastBytes = 1 << 20;
/// What a chunk of a variable that is stored as one piece takes.
constexpr std::int64_t kContiguousBytes = 8 << 20;

/// Returns the extents of weft's chunks: whole numbers of stored chunks.
std::vector<std::int64_t> chosen_extents(const io::Variable& variable) {
  const std::size_t rank = variable.shape.size();
  std::vector<std::int64_t> extents = variable.chunk;
  if (extents.size() != rank) extents.assign(rank, 1);
  const std::int64_t least = variable.chunk.empty() ? kContiguousBytes : kLeastBytes;
  std::int64_t bytes = variable.type.bytes;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    extents[axis] = std::max<std::int64_t>(1, std::min(extents[axis], variable.shape[axis]));
    bytes *= extents[axis];
  }
  // The last axis grows first: what lies side by side is read at once.
  for (std::size_t axis = rank; axis-- > 0 && bytes < least;) {
    const std::int64_t stored = extents[axis];
    const std::int64_t pieces = (variable.shape[axis] + stored - 1) / stored;
    const std::int64_t take =
        std::clamp<std::int64_t>(least / std::max<std::int64_t>(1, bytes), 1, std::max<std::int64_t>(1, pieces));
    extents[axis] = take >= pieces ? std::max<std::int64_t>(1, variable.shape[axis]) : stored * take;
    bytes = bytes / stored * extents[axis];
  }
  return extents;
}

Grid grid_of(const io::Variable& variable, const Chunks& chunks, std::size_t element_bytes) {
  const Shape shape(variable.shape);
  Grid chosen;
  const std::vector<std::int64_t> extents = chosen_extents(variable);
  for (std::size_t axis = 0; axis < extents.size(); ++axis) {
    chosen.push_back(AxisGrid::regular(variable.shape[axis], extents[axis]));
  }
  if (!chunks.given()) return chosen;
  Grid grid = arrays::expression::make_grid(shape, chunks, element_bytes);
  for (std::size_t axis = 0; axis < grid.size() && axis < variable.chunk.size(); ++axis) {
    const std::int64_t piece = grid[axis].largest();
    const std::int64_t stored = variable.chunk[axis];
    const bool regular = grid[axis] == AxisGrid::regular(variable.shape[axis], std::max<std::int64_t>(1, piece));
    if (regular && piece % stored != 0 && piece < variable.shape[axis]) {
      grid[axis] = AxisGrid::regular(variable.shape[axis], (piece + stored - 1) / stored * stored);
    }
  }
  return grid;
}

/// NetCDF's fill values of types that are wide enough for nobody to mean them.
std::optional<double> fill_by_default(const io::ElementType& type) {
  if (type.kind == io::ElementKind::Float && type.bytes >= 4) {
    return type.bytes == 4 ? static_cast<double>(9.9692099683868690e+36f) : 9.9692099683868690e+36;
  }
  return {};
}

}  // namespace

Packing packing_of(const io::Variable& variable) {
  Packing packing;
  const auto number = [&](const char* name) -> std::optional<double> {
    const io::Attribute* const found = io::find_attribute(variable.attributes, name);
    if (found == nullptr) return {};
    const std::vector<double> values = found->numbers();
    if (values.empty()) return {};
    return values[0];
  };
  if (!variable.type.is_number() || variable.type.kind == io::ElementKind::Complex ||
      variable.type.kind == io::ElementKind::Boolean) {
    return packing;
  }
  const std::optional<double> scale = number("scale_factor");
  const std::optional<double> offset = number("add_offset");
  packing.scale = scale.value_or(1);
  packing.offset = offset.value_or(0);
  packing.scaled = scale.has_value() || offset.has_value();
  const io::Attribute* const fill = io::find_attribute(variable.attributes, "_FillValue");
  for (const char* const name : {"_FillValue", "missing_value"}) {
    const io::Attribute* const found = io::find_attribute(variable.attributes, name);
    if (found == nullptr) continue;
    for (const double value : found->numbers()) {
      if (!std::isnan(value)) packing.missing.push_back(value);
    }
  }
  const std::optional<double> unwritten = fill_by_default(variable.type);
  if (fill == nullptr && unwritten && !variable.dimensions.empty()) packing.missing.push_back(*unwritten);
  return packing;
}

Dtype stored_dtype(const io::ElementType& type) {
  const std::size_t unit = type.name.find("64[");
  if (type.kind == io::ElementKind::Integer && unit != std::string::npos) {
    const std::string protocol = (type.name[0] == 'd' ? "<M8" : "<m8") + type.name.substr(unit + 2);
    return arrays::files::dtype_of_protocol(protocol, type.name);
  }
  const auto by_bytes = [&](TypeCode one, TypeCode two, TypeCode four, TypeCode eight) {
    return Dtype(type.bytes == 1 ? one : type.bytes == 2 ? two : type.bytes == 4 ? four : eight);
  };
  switch (type.kind) {
    case io::ElementKind::Integer:
      return by_bytes(TypeCode::Int8, TypeCode::Int16, TypeCode::Int32, TypeCode::Int64);
    case io::ElementKind::Unsigned:
      return by_bytes(TypeCode::UInt8, TypeCode::UInt16, TypeCode::UInt32, TypeCode::UInt64);
    case io::ElementKind::Boolean:
      return Dtype(TypeCode::Bool);
    case io::ElementKind::Float:
      return Dtype(type.bytes == 8 ? TypeCode::Float64 : TypeCode::Float32);
    case io::ElementKind::Complex:
      return Dtype(type.bytes == 16 ? TypeCode::Complex128 : TypeCode::Complex64);
    case io::ElementKind::Text:
    case io::ElementKind::VariableText:
    case io::ElementKind::Other:
      break;
  }
  throw Error("a variable of " + type.name + " holds no numbers");
}

Dtype unpacked_dtype(const io::Variable& variable, const Packing& packing) {
  const Dtype stored = stored_dtype(variable.type);
  if (!packing.any() || stored.is_floating()) return stored;
  // Halves hold 16 bits exactly; an offset needs more, unless the file says that single precision is meant.
  const auto single = [&](const char* name) {
    const io::Attribute* const found = io::find_attribute(variable.attributes, name);
    return found == nullptr || (found->type.kind == io::ElementKind::Float && found->type.bytes == 4);
  };
  const bool offset = io::find_attribute(variable.attributes, "add_offset") != nullptr;
  const bool narrow = stored.size() <= 2 && (!offset || (single("scale_factor") && single("add_offset")));
  return Dtype(narrow ? TypeCode::Float32 : TypeCode::Float64);
}

void unpack(const io::ElementType& stored, const Packing& packing, Dtype type, const std::byte* from,
            std::int64_t count, std::byte* out) {
  // Floats that are only masked stay as they are.
  const auto mask = [&]<class T>(T) {
    T* const values = reinterpret_cast<T*>(out);
    if (static_cast<const std::byte*>(out) != from) std::memcpy(out, from, static_cast<std::size_t>(count) * sizeof(T));
    for (const double one : packing.missing) {
      const T missing = static_cast<T>(one);
      for (std::int64_t i = 0; i < count; ++i) {
        values[i] = values[i] == missing ? std::numeric_limits<T>::quiet_NaN() : values[i];
      }
    }
    if (!packing.scaled) return;
    for (std::int64_t i = 0; i < count; ++i) {
      values[i] = static_cast<T>(static_cast<double>(values[i]) * packing.scale + packing.offset);
    }
  };
  if (stored_dtype(stored) == type && type.size() == stored.bytes) {
    return type.size() == 4 ? mask(float{}) : mask(double{});
  }
  constexpr std::int64_t kPiece = 512;
  double values[kPiece];
  for (std::int64_t begin = 0; begin < count; begin += kPiece) {
    const std::int64_t some = std::min(kPiece, count - begin);
    io::to_doubles(stored, from + begin * stored.bytes, some, values);
    for (std::int64_t i = 0; i < some; ++i) {
      double value = values[i] * packing.scale + packing.offset;
      for (const double missing : packing.missing) {
        if (values[i] == missing) value = std::numeric_limits<double>::quiet_NaN();
      }
      values[i] = value;
    }
    if (type.size() == 8) {
      std::memcpy(out + begin * 8, values, static_cast<std::size_t>(some) * 8);
    } else {
      for (std::int64_t i = 0; i < some; ++i) {
        const float value = static_cast<float>(values[i]);
        std::memcpy(out + (begin + i) * 4, &value, 4);
      }
    }
  }
}

}  // namespace labelled

arrays::Array ArrayFile::array(const std::string& name, const ReadOptions& options,
                               const std::source_location& where) const {
  const std::size_t number = file_->find(name);
  const io::Variable& variable = file_->variables()[number];
  if (!variable.type.is_number()) {
    throw io::FileError("'" + io::shown_path(file_->path()) + "': '" + name + "' holds " + variable.type.name +
                        ", not numbers");
  }
  const labelled::Packing packing = options.decode ? labelled::packing_of(variable) : labelled::Packing{};
  const Dtype type =
      packing.any() ? labelled::unpacked_dtype(variable, packing) : labelled::stored_dtype(variable.type);
  labelled::ReadStored read{file_->path(),   variable.path, file_->file_bytes(), file_->changed_ns(),
                            packing.missing, packing.scale, packing.offset,      packing.scaled};
  arrays::expression::Grid grid = labelled::grid_of(variable, options.chunks, type.size());
  return arrays::Array(arrays::expression::make_structural(arrays::expression::make_structure(std::move(read)), {},
                                                           type, std::move(grid), where));
}

std::vector<std::string> ArrayFile::names() const {
  std::vector<std::string> names;
  for (const io::Variable& one : file_->variables()) {
    if (one.type.is_number()) names.push_back(one.path);
  }
  return names;
}

ArrayFile open_file(const std::string& path) { return ArrayFile(io::open_shared(path)); }

arrays::Array from_hdf5(const std::string& path, const std::string& variable, const ReadOptions& options,
                        const std::source_location& where) {
  return open_file(path).array(variable, options, where);
}

arrays::Array from_netcdf(const std::string& path, const std::string& variable, const ReadOptions& options,
                          const std::source_location& where) {
  return open_file(path).array(variable, options, where);
}

arrays::Array from_zarr(const std::string& path, const std::string& variable, const ReadOptions& options,
                        const std::source_location& where) {
  return open_file(path).array(variable, options, where);
}

}  // namespace weft
