// Writing TIFF: workers pack tiles, one process puts them one behind the other and says at the end where they are.
#include <weft/tiff_writer.hpp>

#include "io/files/name_beside.hpp"
#include "io/files/size_limit.hpp"
#include "io/formats/format.hpp"
#include "io/tiff/pages.hpp"
#include "io/zarr/description.hpp"

#include <weft/journal.hpp>

#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace weft::io {
namespace {

using tiff::Page;

constexpr std::uint64_t kHeadBytes = 16;

/// The layout as a page that codecs understand.
Page page_of(const TiffLayout& layout) {
  Page page;
  page.rows = layout.rows;
  page.columns = layout.columns;
  page.samples = layout.bands;
  page.tiled = true;
  page.piece_rows = layout.tile_rows;
  page.piece_columns = layout.tile_columns;
  page.type = zarr::element_of_name(layout.type);
  page.bits = 8 * page.type.bytes;
  page.compression = layout.codec == "none" ? tiff::kNone : layout.codec == "zstd" ? tiff::kZstd : tiff::kDeflate;
  if (page.compression != tiff::kNone)
    page.predictor = page.type.kind == ElementKind::Float ? 3 : page.type.kind == ElementKind::Complex ? 1 : 2;
  return page;
}

std::uint64_t tile_bytes(const TiffLayout& layout, const Page& page) {
  return page.row_bytes() * static_cast<std::uint64_t>(layout.tile_rows);
}

/// The fields of a page, in the order of their tags.
/// Owns: their bytes.  Threading: one thread.
class Fields {
 public:
  explicit Fields(bool large) : large_(large) {}

  void add_short(std::uint16_t tag, std::uint16_t value, std::uint64_t count = 1) {
    std::string data;
    for (std::uint64_t i = 0; i < count; ++i) put(data, value, 2);
    fields_.push_back({tag, 3, count, std::move(data)});
  }
  void add_shorts(std::uint16_t tag, const std::vector<std::int64_t>& values) {
    std::string data;
    for (const std::int64_t value : values) put(data, static_cast<std::uint64_t>(value), 2);
    fields_.push_back({tag, 3, values.size(), std::move(data)});
  }
  void add_long(std::uint16_t tag, std::int64_t value) {
    std::string data;
    put(data, static_cast<std::uint64_t>(value), 4);
    fields_.push_back({tag, 4, 1, std::move(data)});
  }
  /// Places and sizes: as long as places are in this file.
  void add_places(std::uint16_t tag, const std::uint64_t* values, std::uint64_t count) {
    std::string data;
    for (std::uint64_t i = 0; i < count; ++i) put(data, values[i], large_ ? 8 : 4);
    fields_.push_back({tag, static_cast<std::uint16_t>(large_ ? 16 : 4), count, std::move(data)});
  }
  void add_doubles(std::uint16_t tag, const std::vector<double>& values) {
    std::string data;
    for (const double value : values) put(data, std::bit_cast<std::uint64_t>(value), 8);
    fields_.push_back({tag, 12, values.size(), std::move(data)});
  }
  void add_text(std::uint16_t tag, std::string text) {
    text += '\0';
    fields_.push_back({tag, 2, text.size(), std::move(text)});
  }

  /// The bytes of the page's description, which begins at `place`; `last`: no other follows.
  std::string bytes_at(std::uint64_t place, bool last) {
    std::stable_sort(fields_.begin(), fields_.end(), [](const auto& a, const auto& b) { return a.tag < b.tag; });
    const int word = large_ ? 8 : 4;
    const std::uint64_t head = static_cast<std::uint64_t>(large_ ? 8 : 2) +
                               fields_.size() * static_cast<std::uint64_t>(large_ ? 20 : 12) +
                               static_cast<std::uint64_t>(word);
    std::string front, behind;
    put(front, fields_.size(), large_ ? 8 : 2);
    for (const Field& field : fields_) {
      put(front, field.tag, 2);
      put(front, field.type, 2);
      put(front, field.count, word);
      if (field.data.size() <= static_cast<std::size_t>(word)) {
        front += field.data;
        front.append(static_cast<std::size_t>(word) - field.data.size(), '\0');
      } else {
        put(front, place + head + behind.size(), word);
        behind += field.data;
        behind.append(behind.size() % 2, '\0');
      }
    }
    const std::uint64_t whole = head + behind.size();
    const std::uint64_t padding = whole % 2;
    put(front, last ? 0 : place + whole + padding, word);
    return front + behind + std::string(padding, '\0');
  }

 private:
  struct Field {
    std::uint16_t tag, type;
    std::uint64_t count;
    std::string data;
  };
  static void put(std::string& out, std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> 8 * i);
  }
  const bool large_;
  std::vector<Field> fields_;
};

void add_attributes(const std::vector<Attribute>& attributes, Fields& fields) {
  const auto text = [&](const char* name, std::uint16_t tag) {
    const Attribute* const found = find_attribute(attributes, name);
    if (found != nullptr && !found->text().empty()) fields.add_text(tag, found->text());
  };
  const auto doubles = [&](const char* name, std::uint16_t tag) {
    const Attribute* const found = find_attribute(attributes, name);
    if (found != nullptr && !found->numbers().empty()) fields.add_doubles(tag, found->numbers());
  };
  text("ImageDescription", tiff::kDescription);
  text("Software", tiff::kSoftware);
  text("GDAL_METADATA", tiff::kGdalMetadata);
  doubles("ModelPixelScale", tiff::kPixelScale);
  doubles("ModelTiepoint", tiff::kTiePoint);
  doubles("ModelTransformation", tiff::kTransformation);
  doubles("GeoDoubleParams", tiff::kGeoDoubles);
  text("GeoAsciiParams", tiff::kGeoTexts);
  const Attribute* const keys = find_attribute(attributes, "GeoKeyDirectory");
  if (keys != nullptr && !keys->integers.empty()) fields.add_shorts(tiff::kGeoKeys, keys->integers);
  const Attribute* const fill = find_attribute(attributes, "_FillValue");
  if (fill != nullptr && fill->numbers().size() == 1) {
    char words[40];
    std::snprintf(words, sizeof words, "%.17g", fill->numbers()[0]);
    fields.add_text(tiff::kGdalNoData, words);
  }
}

}  // namespace

void check_tiff(const std::string& path, const TiffLayout& layout) {
  if (std::endian::native != std::endian::little) fail(path, "weft writes TIFF on little-endian machines only");
  const Page page = page_of(layout);
  const bool named = page.type.kind == ElementKind::Integer || page.type.kind == ElementKind::Unsigned ||
                     page.type.kind == ElementKind::Float || page.type.kind == ElementKind::Complex;
  if (!named || layout.type.find('[') != std::string::npos)
    fail(path, "pictures of " + layout.type + " cannot be written to TIFF: convert them to numbers first");
  if (layout.pages < 1 || layout.rows < 1 || layout.columns < 1 || layout.bands < 1 || layout.bands > 65535 ||
      layout.rows > 0x7fffffff || layout.columns > 0x7fffffff) {
    fail(path, "a TIFF file holds pictures of at least one pixel and fewer than 2^31 rows and columns");
  }
  if (layout.tile_rows < 16 || layout.tile_columns < 16 || layout.tile_rows % 16 != 0 || layout.tile_columns % 16 != 0)
    fail(path, "tiles of TIFF have multiples of 16 rows and columns");
  if (layout.codec != "none" && layout.codec != "deflate" && layout.codec != "zstd")
    fail(path, "the codec '" + layout.codec + "' is none of TIFF's that weft writes: none, deflate, zstd");
  const Filter filter{layout.codec == "zstd" ? Filter::kZstd : Filter::kDeflate, {}};
  if (layout.codec != "none" && !missing_codec(filter).empty()) fail(path, "what is written " + missing_codec(filter));
}

std::vector<TiffTile> pack_tiff_tiles(const std::string& path, const TiffLayout& layout, std::int64_t page_number,
                                      std::int64_t first_row, std::int64_t first_column, std::int64_t rows,
                                      std::int64_t columns, const std::byte* data) {
  const Page page = page_of(layout);
  const std::size_t pixel = page.type.bytes * static_cast<std::size_t>(layout.bands);
  std::vector<TiffTile> tiles;
  std::vector<std::byte> whole(tile_bytes(layout, page));
  for (std::int64_t row = 0; row < rows; row += layout.tile_rows) {
    for (std::int64_t column = 0; column < columns; column += layout.tile_columns) {
      const std::int64_t high = std::min(layout.tile_rows, rows - row);
      const std::int64_t wide = std::min(layout.tile_columns, columns - column);
      std::fill(whole.begin(), whole.end(), std::byte{0});
      for (std::int64_t i = 0; i < high; ++i) {
        std::memcpy(whole.data() + static_cast<std::size_t>(i * layout.tile_columns) * pixel,
                    data + static_cast<std::size_t>((row + i) * columns + column) * pixel,
                    static_cast<std::size_t>(wide) * pixel);
      }
      const std::int64_t down = (first_row + row) / layout.tile_rows,
                         across = (first_column + column) / layout.tile_columns;
      tiles.push_back({(page_number * layout.tiles_down() + down) * layout.tiles_across() + across,
                       tiff::encode_piece(path, page, layout.tile_rows, layout.level, whole)});
    }
  }
  return tiles;
}

struct TiffWriter::State {
  std::string path, beside;
  TiffLayout layout;
  std::vector<Attribute> attributes;
  int descriptor = -1;
  bool large = false;
  std::uint64_t end = kHeadBytes;
  std::vector<std::uint64_t> places, bytes;

  void put(std::uint64_t place, const void* from, std::size_t count) {
    this_task::has_effect();
    const char* at = static_cast<const char*>(from);
    if (!within_size_limit(place + count)) fail(path, std::string("cannot be written: ") + std::strerror(errno));
    while (count > 0) {
      const ssize_t some = ::pwrite(descriptor, at, count, static_cast<off_t>(place));
      if (some < 0 && errno == EINTR) continue;
      if (some < 0) fail(path, std::string("cannot be written: ") + std::strerror(errno));
      at += some;
      place += static_cast<std::uint64_t>(some);
      count -= static_cast<std::size_t>(some);
    }
  }

  Fields fields_of(std::int64_t number) const {
    const Page page = page_of(layout);
    const auto bands = static_cast<std::uint64_t>(layout.bands);
    const auto tiles = static_cast<std::uint64_t>(layout.tiles_across() * layout.tiles_down());
    const std::uint64_t first = static_cast<std::uint64_t>(number) * tiles;
    const bool colours =
        (layout.bands == 3 || layout.bands == 4) && page.bits <= 16 && page.type.kind == ElementKind::Unsigned;
    Fields fields(large);
    fields.add_long(tiff::kSubfileType, layout.pages > 1 ? 2 : 0);
    fields.add_long(tiff::kColumns, layout.columns);
    fields.add_long(tiff::kRows, layout.rows);
    fields.add_short(tiff::kBits, static_cast<std::uint16_t>(page.bits), bands);
    fields.add_short(tiff::kCompression, page.compression);
    fields.add_short(tiff::kPhotometric, colours ? 2 : 1);
    fields.add_short(tiff::kSamples, static_cast<std::uint16_t>(bands));
    fields.add_short(tiff::kPlanar, 1);
    if (page.predictor != 1) fields.add_short(tiff::kPredictor, page.predictor);
    fields.add_long(tiff::kTileColumns, layout.tile_columns);
    fields.add_long(tiff::kTileRows, layout.tile_rows);
    fields.add_places(tiff::kTilePlaces, places.data() + first, tiles);
    fields.add_places(tiff::kTileBytes, bytes.data() + first, tiles);
    const std::uint64_t extra = bands - (colours ? 3 : 1);
    if (extra > 0) fields.add_short(tiff::kExtraSamples, colours ? 2 : 0, extra);
    const std::uint16_t format = page.type.kind == ElementKind::Float     ? 3
                                 : page.type.kind == ElementKind::Complex ? 6
                                 : page.type.kind == ElementKind::Integer ? 2
                                                                          : 1;
    fields.add_short(tiff::kSampleFormat, format, bands);
    add_attributes(attributes, fields);
    return fields;
  }
};

TiffWriter::TiffWriter(const std::string& path, const TiffLayout& layout, const std::vector<Attribute>& attributes,
                       bool overwrite)
    : state_(std::make_unique<State>()) {
  check_tiff(path, layout);
  if (!overwrite && ::access(path.c_str(), F_OK) == 0) fail(path, "exists already; --overwrite replaces it");
  State& state = *state_;
  state.path = path;
  state.layout = layout;
  state.attributes = attributes;
  const auto tiles = static_cast<std::uint64_t>(layout.tiles());
  // Packing makes tiles longer at most by a little; places of tiles and descriptions come behind.
  const double most =
      static_cast<double>(tiles) * (1.01 * static_cast<double>(tile_bytes(layout, page_of(layout))) + 64);
  state.large = most + 4096.0 * static_cast<double>(layout.pages) > 4.0e9;
  state.places.assign(tiles, 0);
  state.bytes.assign(tiles, 0);
  state.beside = name_beside(path);
  state.descriptor = ::open(state.beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (state.descriptor < 0) {
    const int error = errno;
    state.beside.clear();
    fail(path, std::string("cannot be written: ") + std::strerror(error));
  }
}

TiffWriter::~TiffWriter() {
  if (state_->descriptor >= 0) ::close(state_->descriptor);
  if (!state_->beside.empty()) ::unlink(state_->beside.c_str());
}

void TiffWriter::write(const TiffTile& tile) {
  State& state = *state_;
  const auto number = static_cast<std::size_t>(tile.number);
  if (number >= state.places.size()) fail(state.path, "has no tile " + std::to_string(tile.number));
  // Pieces begin at even places.
  state.end += state.end % 2;
  state.put(state.end, tile.bytes.data(), tile.bytes.size());
  state.places[number] = state.end;
  state.bytes[number] = tile.bytes.size();
  state.end += tile.bytes.size();
}

void TiffWriter::finish() {
  State& state = *state_;
  state.end += state.end % 2;
  std::string head = state.large ? std::string("II+\0\x08\0\0\0", 8) : std::string("II*\0", 4);
  for (int i = 0; i < (state.large ? 8 : 4); ++i) head += static_cast<char>(state.end >> 8 * i);
  for (std::int64_t page = 0; page < state.layout.pages; ++page) {
    const std::string description = state.fields_of(page).bytes_at(state.end, page + 1 == state.layout.pages);
    state.put(state.end, description.data(), description.size());
    state.end += description.size();
  }
  if (!state.large && state.end > 0xffffffffu) fail(state.path, "became longer than a TIFF file can be");
  state.put(0, head.data(), head.size());
  const int descriptor = std::exchange(state.descriptor, -1);
  if (::close(descriptor) != 0) fail(state.path, std::string("cannot be written: ") + std::strerror(errno));
  if (::rename(state.beside.c_str(), state.path.c_str()) != 0)
    fail(state.path, std::string("cannot be put in place: ") + std::strerror(errno));
  state.beside.clear();
}

}  // namespace weft::io
