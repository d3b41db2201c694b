#pragma once

#include <weft/storage.hpp>

#include "io/files/open_file.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// TIFF and BigTIFF: pages, each a picture in strips or tiles, and what GeoTIFF says of where they lie.
namespace weft::io::tiff {

// Fields of a page, as the specification numbers them.
enum Tag : std::uint16_t {
  kSubfileType = 254,
  kColumns = 256,
  kRows = 257,
  kBits = 258,
  kCompression = 259,
  kPhotometric = 262,
  kFillOrder = 266,
  kDescription = 270,
  kStripPlaces = 273,
  kSamples = 277,
  kRowsPerStrip = 278,
  kStripBytes = 279,
  kPlanar = 284,
  kSoftware = 305,
  kDateTime = 306,
  kPredictor = 317,
  kTileColumns = 322,
  kTileRows = 323,
  kTilePlaces = 324,
  kTileBytes = 325,
  kExtraSamples = 338,
  kSampleFormat = 339,
  kPixelScale = 33550,
  kTiePoint = 33922,
  kTransformation = 34264,
  kGeoKeys = 34735,
  kGeoDoubles = 34736,
  kGeoTexts = 34737,
  kGdalMetadata = 42112,
  kGdalNoData = 42113,
};

enum Compression : std::uint16_t {
  kNone = 1,
  kLzw = 5,
  kDeflate = 8,
  kPackBits = 32773,
  kOldDeflate = 32946,
  kZstd = 50000
};

/// One picture of a file.
struct Page {
  std::int64_t rows = 0, columns = 0;
  /// Of each pixel; in planes of their own, or side by side.
  std::int64_t samples = 1;
  bool planes = false;
  unsigned bits = 8;
  /// What a sample becomes: samples of fewer than 8 bits are bytes. Never swapped: decoding does that.
  ElementType type;
  /// The file's order of bytes is not this machine's.
  bool swapped = false;
  bool bits_reversed = false;
  std::uint16_t compression = kNone;
  std::uint16_t predictor = 1;
  /// Strips are as wide as the page; the last one is not filled up. Tiles always are.
  bool tiled = false;
  std::int64_t piece_rows = 0, piece_columns = 0;
  std::vector<std::uint64_t> places, bytes;
  /// A smaller copy of another page, or a mask of one.
  bool reduced = false, mask = false;
  std::vector<Attribute> attributes;
  /// GDAL's number for no value.
  std::optional<double> no_data;
  /// Labels of columns and rows, where the page lies straight on a map: the first centre and the step.
  struct Axis {
    double first = 0, step = 0;
  };
  std::optional<Axis> x, y;
  /// Why its pixels cannot be read; empty where they can.
  std::string obstacle;

  std::int64_t pieces_across() const { return (columns + piece_columns - 1) / piece_columns; }
  std::int64_t pieces_down() const { return (rows + piece_rows - 1) / piece_rows; }
  /// Samples of one pixel in one piece.
  std::int64_t piece_samples() const { return planes ? 1 : samples; }
  /// Bytes of a row of a piece as it is packed.
  std::uint64_t row_bytes() const {
    return (static_cast<std::uint64_t>(piece_columns * piece_samples()) * bits + 7) / 8;
  }
  /// The pieces lie one behind the other as the rows do, and nothing was done to them.
  bool plain() const;
};

/// Reads the descriptions of all pages. Throws FileError where the file is none, or is damaged.
std::vector<Page> read_pages(const OpenFile& file);

/// Undoes what a piece of `rows` rows went through, and writes its samples in this machine's order of bytes. `out` has
/// room for them. Throws FileError naming `path`.
void decode_piece(const std::string& path, const Page& page, std::int64_t rows, std::span<std::byte> packed,
                  std::span<std::byte> out);
/// The opposite for whole bytes: packs rows of samples that lie side by side. `samples` is changed.
std::vector<std::byte> encode_piece(const std::string& path, const Page& page, std::int64_t rows, int level,
                                    std::span<std::byte> samples);

/// Names of GeoTIFF's keys: "ProjectedCSTypeGeoKey"; "GeoKey_4097" for others.
std::string name_of_geokey(std::uint16_t key);
/// Adds GeoTIFF's keys and numbers as attributes, and "crs": "EPSG:32633".
void add_geokeys(const std::vector<std::uint64_t>& directory, const std::vector<double>& doubles,
                 const std::string& texts, std::vector<Attribute>& attributes);

}  // namespace weft::io::tiff
