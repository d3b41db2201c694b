// Arrays as Zarr stores, versions 2 and 3: a task writes each chunk, or each shard of them.
#include <weft/ops/files.hpp>

#include "arrays/expression/node.hpp"
#include "arrays/files/stored_arrays.hpp"
#include "arrays/ops/apply.hpp"

#include <weft/error.hpp>
#include <weft/ops/structure.hpp>
#include <weft/remote.hpp>
#include <weft/stored_array.hpp>
#include <weft/zarr_writer.hpp>

#include <algorithm>

namespace weft::arrays {
namespace files {
namespace {

struct WriteZarrObject {
  std::int64_t operator()(const std::string& folder, const io::ZarrLayout& layout, const ChunkRegion& region,
                          const Buffer& values) const {
    std::vector<std::int64_t> place(region.start.size());
    for (std::size_t axis = 0; axis < place.size(); ++axis) place[axis] = region.start[axis] / layout.object()[axis];
    io::write_zarr_object(folder, layout, place, region.extent, values.data());
    return 1;
  }
};

/// zstd, where this build has it.
std::string usual_codec() {
  const std::vector<std::string> codecs = io::known_codecs();
  return std::find(codecs.begin(), codecs.end(), "zstd") != codecs.end() ? "zstd" : "none";
}

}  // namespace
}  // namespace files

void save_zarr(const Client& client, const Array& array, const std::string& folder, const SaveOptions& options,
               const std::source_location& where) {
  io::ZarrLayout layout;
  layout.version = options.version;
  layout.type = array.dtype().name();
  layout.shape = array.shape().vector();
  layout.shard = options.shard;
  layout.codec = options.codec.empty() ? files::usual_codec() : options.codec;
  layout.level = options.level;
  for (const expression::AxisGrid& axis : array.node()->grid) {
    layout.chunk.push_back(std::max<std::int64_t>(1, axis.largest()));
  }
  try {
    io::check_zarr(folder, layout);
  } catch (const io::FileError& error) {
    throw io::FileError(ops::at_line("save_zarr", where) + error.what());
  }
  std::vector<AxisChunks> cut;
  for (const std::int64_t extent : layout.object()) cut.emplace_back(extent);
  const Array regular = array.ndim() == 0 ? array : rechunk(array, Chunks(cut), where);
  const auto write_store = [&](const std::string& part) {
    const auto write = delayed(files::WriteZarrObject{}, where);
    std::vector<Delayed<std::int64_t>> tasks;
    for (const auto& [region, chunk] : detail::chunks_with_regions(regular)) {
      tasks.push_back(write(part, layout, region, chunk));
    }
    detail::wait_for(client, tasks);
    io::write_zarr_description(part, layout);
  };
  // Stores on servers have no names that could be changed: the description, which comes last, makes it a store.
  if (io::is_remote(folder)) return write_store(folder);
  files::in_place_of(folder, [&](const std::string& part) {
    files::make_folder(part);
    write_store(part);
  });
}

namespace files {

Array load_stored(const std::string& path, const std::string& name, const LoadOptions& options,
                  const std::source_location& where) {
  const ArrayFile file(io::open_stored(path));
  const std::vector<io::Variable>& variables = file.stored().variables();
  if (name.empty() && variables.size() != 1) {
    std::string names;
    for (const io::Variable& one : variables) names += (names.empty() ? "" : ", ") + one.path;
    throw io::FileError("'" + path + "': is a group, not an array: name one of its arrays (" +
                        (names.empty() ? "it has none" : names) + ")");
  }
  const Array array =
      file.array(name.empty() ? variables[0].path : name, {.chunks = options.chunks, .decode = false}, where);
  // Reading is by whole stored chunks; what is cut otherwise is cut behind it.
  return options.chunks.given() ? rechunk(array, options.chunks, where) : array;
}

}  // namespace files

Array load_zarr(const std::string& folder, const LoadOptions& options, const std::source_location& where) {
  return files::load_stored(folder, {}, options, where);
}

}  // namespace weft::arrays
