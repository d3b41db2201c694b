// Arrays as pictures of a TIFF file: the workers that have chunks pack tiles, this process puts them into the file.
#include "arrays/files/stored_arrays.hpp"
#include "arrays/ops/apply.hpp"

#include <weft/error.hpp>
#include <weft/ops/structure.hpp>

#include <algorithm>

namespace weft::arrays {
namespace files {
namespace {

/// Tiles of this many together are one task.
constexpr std::int64_t kTilesAcross = 4;
constexpr std::size_t kAhead = 64;

struct PackTiles {
  std::vector<io::TiffTile> operator()(const std::string& path, const io::TiffLayout& layout, const ChunkRegion& region,
                                       const Buffer& chunk) const {
    return tiles_of(path, layout, region, chunk.data());
  }
};

}  // namespace

io::TiffLayout tiff_layout(const Shape& shape, bool with_bands) {
  const std::vector<std::int64_t> extents = shape.vector();
  const std::size_t inner = with_bands ? 3 : 2;
  io::TiffLayout layout;
  layout.with_bands = with_bands;
  layout.rows = extents[extents.size() - inner];
  layout.columns = extents[extents.size() - inner + 1];
  if (with_bands) layout.bands = extents.back();
  if (extents.size() > inner) layout.pages = extents[0];
  // A small picture is one tile.
  const auto side = [](std::int64_t extent) { return std::clamp<std::int64_t>((extent + 15) / 16 * 16, 16, 256); };
  layout.tile_rows = side(layout.rows);
  layout.tile_columns = side(layout.columns);
  return layout;
}

Array cut_for_tiff(const Array& array, const io::TiffLayout& layout) {
  std::vector<AxisChunks> cut = {AxisChunks(kTilesAcross * layout.tile_rows),
                                 AxisChunks(kTilesAcross * layout.tile_columns)};
  if (layout.with_bands) cut.emplace_back(AxisChunks::kWhole);
  if (array.ndim() > cut.size()) cut.insert(cut.begin(), AxisChunks(1));
  return rechunk(array, Chunks(cut));
}

std::vector<io::TiffTile> tiles_of(const std::string& path, const io::TiffLayout& layout, const ChunkRegion& region,
                                   const std::byte* elements) {
  const std::size_t first = region.start.size() - (layout.with_bands ? 3 : 2);
  return io::pack_tiff_tiles(path, layout, first == 0 ? 0 : region.start[0], region.start[first],
                             region.start[first + 1], region.extent[first], region.extent[first + 1], elements);
}

}  // namespace files

void save_tiff(const Client& client, const Array& array, const std::string& path, const SaveOptions& options,
               const std::source_location& where) {
  const std::size_t ndim = array.ndim();
  const std::int64_t last = ndim == 0 ? 0 : array.shape()[ndim - 1];
  const bool with_bands = ndim == 4 || (ndim == 3 && (last == 3 || last == 4));
  if (ndim < 2 || ndim > 4) {
    throw Error(ops::at_line("save_tiff", where) + path +
                ": pictures have rows and columns, with pages before and "
                "bands behind; this array has " +
                std::to_string(ndim) + " axes");
  }
  io::TiffLayout layout = files::tiff_layout(array.shape(), with_bands);
  const Array plain = array.dtype().is_bool() ? array.astype(uint8) : array;
  layout.type = plain.dtype().name();
  if (!options.codec.empty()) layout.codec = options.codec;
  layout.level = options.level;
  io::TiffWriter writer(path, layout, {}, true);
  const auto pack = delayed(files::PackTiles{}, where);
  files::in_turn(
      files::cut_for_tiff(plain, layout), files::kAhead,
      [&](const ChunkRegion& region, const Delayed<Buffer>& chunk) {
        return client.persist(pack(path, layout, region, chunk));
      },
      [&](const ChunkRegion&, const std::vector<io::TiffTile>& tiles) {
        for (const io::TiffTile& tile : tiles) writer.write(tile);
      });
  writer.finish();
}

Array load_tiff(const std::string& path, const LoadOptions& options, const std::source_location& where) {
  return files::load_stored(path, "image", options, where);
}

}  // namespace weft::arrays
