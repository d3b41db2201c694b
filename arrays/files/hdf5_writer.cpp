// Arrays as variables of an HDF5 file (in NetCDF-4's form, which is HDF5): chunks are computed a few at a time and
// written by the process that has the client, as the library lets one write at a time.
#include <weft/stored_array.hpp>

#include "arrays/files/stored_arrays.hpp"

#include <weft/error.hpp>
#include <weft/ops/files.hpp>
#include <weft/storage_writer.hpp>

#include <algorithm>
#include <optional>
#include <set>

namespace weft {
namespace {

io::ElementType element_type(const arrays::Array& array, const std::string& name) {
  const Dtype dtype = array.dtype();
  io::ElementType type;
  type.bytes = static_cast<std::uint32_t>(dtype.size());
  type.name = dtype.name();
  if (dtype.is_complex()) {
    throw io::FileError("to_hdf5: " + name + " is " + dtype.name() +
                        ", which NetCDF-4 has no type for: write its real and imaginary part");
  }
  if (dtype.is_floating()) {
    type.kind = io::ElementKind::Float;
  } else if (dtype == bool_ || dtype.name().starts_with("uint")) {
    type.kind = io::ElementKind::Unsigned;
  } else {
    type.kind = io::ElementKind::Integer;
  }
  return type;
}

/// The chunks of the file are the array's, where these are all of one size.
std::vector<std::int64_t> stored_chunks(const arrays::Array& array) {
  std::vector<std::int64_t> stored;
  for (const std::vector<std::int64_t>& sizes : array.chunks()) {
    const std::int64_t largest = *std::max_element(sizes.begin(), sizes.end());
    if (largest == 0 || std::count(sizes.begin(), sizes.end() - 1, largest) + 1 != std::ssize(sizes)) return {};
    stored.push_back(largest);
  }
  // A stored chunk has 4 GiB at most, and is read as one.
  std::int64_t bytes = static_cast<std::int64_t>(array.itemsize());
  for (const std::int64_t extent : stored) bytes *= extent;
  return bytes > (std::int64_t{64} << 20) ? std::vector<std::int64_t>() : stored;
}

/// Chunks that are computed ahead of the one that is written.
constexpr std::size_t kAhead = 16;

void write_variable(const Client& client, io::NetcdfWriter& writer, const std::string& name,
                    const arrays::Array& array) {
  arrays::files::in_turn(
      array, kAhead, [&](const Region&, const Delayed<Buffer>& chunk) { return client.persist(chunk); },
      [&](const Region& region, const Buffer& values) {
        writer.write(name, region.start, region.extent, values.data());
      });
}

/// Writes a chunk as a file of its own; run by the worker that has it.
struct WritePart {
  std::int64_t operator()(const std::string& path, const std::string& name, const io::ElementType& type,
                          const io::ChunkPacking& packing, const std::vector<std::int64_t>& extent,
                          const Buffer& values) const {
    io::NewVariable variable;
    variable.name = name;
    variable.type = type;
    variable.chunk = packing.chunk;
    variable.deflate = packing.deflate;
    io::write_part(path, variable, extent, values.data());
    return 1;
  }
};

std::vector<io::VariablePart> write_parts(const Client& client, const io::PartsFolder& folder,
                                          const io::NewVariable& variable, const arrays::Array& array) {
  const auto write = delayed(WritePart{});
  std::vector<Delayed<std::int64_t>> tasks;
  std::vector<io::VariablePart> parts;
  for (const auto& [region, chunk] : arrays::detail::chunks_with_regions(array)) {
    const io::ChunkPacking packing{variable.chunk.empty() ? region.extent : variable.chunk, variable.type.bytes,
                                   variable.deflate, true};
    tasks.push_back(write(folder.path_of(variable.name, parts.size()), variable.name, variable.type, packing,
                          region.extent, chunk));
    parts.push_back({folder.name_of(variable.name, parts.size()), region.start, region.extent});
  }
  arrays::detail::wait_for(client, tasks);
  return parts;
}

}  // namespace

void to_hdf5(const Client& client, const std::string& path,
             const std::vector<std::pair<std::string, arrays::Array>>& variables, const WriteOptions& options) {
  io::NetcdfWriter writer(path, options.overwrite);
  std::optional<io::PartsFolder> folder;
  std::set<std::string> in_parts;
  for (const auto& [name, array] : variables) {
    io::NewVariable variable;
    variable.name = name;
    variable.type = element_type(array, name);
    variable.chunk = stored_chunks(array);
    variable.deflate = options.deflate;
    for (std::size_t axis = 0; axis < array.ndim(); ++axis) {
      variable.dimensions.push_back(name + "_" + std::to_string(axis));
      writer.dimension(variable.dimensions.back(), array.shape()[axis]);
    }
    if (options.parts && array.ndim() > 0 && array.size() > 0) {
      if (!folder) folder.emplace(path);
      writer.variable(variable, write_parts(client, *folder, variable, array));
      in_parts.insert(name);
    } else {
      writer.variable(variable);
    }
  }
  for (const auto& [name, array] : variables) {
    if (in_parts.count(name) == 0) write_variable(client, writer, name, array);
  }
  writer.finish(folder ? &*folder : nullptr);
}

void to_hdf5(const Client& client, const std::string& path, const std::string& name, const arrays::Array& array,
             const WriteOptions& options) {
  to_hdf5(client, path, {{name, array}}, options);
}

}  // namespace weft
