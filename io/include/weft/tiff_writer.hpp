#pragma once

#include <weft/storage.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace weft::io {

/// How pictures lie in a TIFF file. A plain struct, so that tasks can take it along.
struct TiffLayout {
  /// An element's type as `ElementType::name` has it: "uint16", "float32".
  std::string type;
  /// (rows, columns), or (pages, rows, columns); `bands` of each pixel lie behind.
  std::int64_t pages = 1;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t bands = 1;
  /// Whether the array has an axis of bands, be it of one.
  bool with_bands = false;
  /// Extents of a tile: multiples of 16.
  std::int64_t tile_rows = 256;
  std::int64_t tile_columns = 256;
  /// "none", "deflate" or "zstd".
  std::string codec = "deflate";
  /// -1: the codec's usual one.
  int level = -1;

  std::int64_t tiles_across() const { return (columns + tile_columns - 1) / tile_columns; }
  std::int64_t tiles_down() const { return (rows + tile_rows - 1) / tile_rows; }
  std::int64_t tiles() const { return pages * tiles_across() * tiles_down(); }
};

/// Throws FileError where such a file cannot be written; `path` is what it is to be named.
void check_tiff(const std::string& path, const TiffLayout& layout);

/// A tile as it is in the file.
struct TiffTile {
  /// Counted along rows of tiles, then down, then from page to page.
  std::int64_t number = 0;
  std::vector<std::byte> bytes;
};

/// Packs the tiles of a part of one page that begins at a tile's corner: by any thread of any process, many at once,
/// while one process has the file. `data`: `rows` x `columns` pixels in C order; what is missing of the last tiles is
/// filled with zeros.
std::vector<TiffTile> pack_tiff_tiles(const std::string& path, const TiffLayout& layout, std::int64_t page,
                                      std::int64_t first_row, std::int64_t first_column, std::int64_t rows,
                                      std::int64_t columns, const std::byte* data);

/// Writes a TIFF file, BigTIFF where it may become longer than 4 GiB. It appears under its name when it is complete,
/// or not at all.
/// Owns: the file beside.  Threading: one thread at a time.
class TiffWriter {
 public:
  /// Attributes of GeoTIFF's numbers (as open_stored names them), "ImageDescription", "Software", "GDAL_METADATA" and
  /// `_FillValue` are written; others are not. Throws FileError where `path` exists, unless `overwrite`, or where the
  /// folder cannot be written.
  TiffWriter(const std::string& path, const TiffLayout& layout, const std::vector<Attribute>& attributes,
             bool overwrite);
  ~TiffWriter();
  TiffWriter(const TiffWriter&) = delete;
  TiffWriter& operator=(const TiffWriter&) = delete;

  void write(const TiffTile& tile);
  /// Makes the file appear. Tiles that were not written read as zeros.
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::io
