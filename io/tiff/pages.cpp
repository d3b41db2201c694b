// The descriptions of a TIFF file's pages.
#include "io/tiff/pages.hpp"

#include "io/files/cursor.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <map>
#include <set>

namespace weft::io::tiff {
namespace {

/// More pages, or pieces of all pages together, are no file that somebody wrote.
constexpr std::size_t kMostPages = 1 << 20;
constexpr std::int64_t kMostExtent = std::int64_t{1} << 31;
constexpr std::uint64_t kMostPieceBytes = std::uint64_t{1} << 32;

enum FieldType : std::uint16_t {
  kByte = 1,
  kAscii = 2,
  kShort = 3,
  kLong = 4,
  kRational = 5,
  kSignedByte = 6,
  kUndefined = 7,
  kSignedShort = 8,
  kSignedLong = 9,
  kFloat = 11,
  kDouble = 12,
  kLong8 = 16
};

unsigned bytes_of(std::uint16_t type) {
  switch (type) {
    case kByte:
    case kAscii:
    case kSignedByte:
    case kUndefined:
      return 1;
    case kShort:
    case kSignedShort:
      return 2;
    case kLong:
    case kSignedLong:
    case kFloat:
      return 4;
    case kRational:
    case kDouble:
    case kLong8:
    case 10:
    case 17:
    case 18:
      return 8;
    default:
      return 0;
  }
}

struct Field {
  std::uint16_t type = 0;
  std::uint64_t count = 0;
  std::vector<std::byte> data;
};

/// The fields of one page.
/// Owns: their bytes.  Threading: one thread.
class Fields {
 public:
  Fields(const std::string& path, bool big_endian) : path_(path), big_endian_(big_endian) {}

  void add(std::uint16_t tag, Field field) { fields_.emplace(tag, std::move(field)); }
  bool has(std::uint16_t tag) const { return fields_.count(tag) != 0; }

  std::vector<std::uint64_t> numbers(std::uint16_t tag) const {
    const auto found = fields_.find(tag);
    if (found == fields_.end()) return {};
    const Field& field = found->second;
    const unsigned bytes = bytes_of(field.type);
    if (field.type == kFloat || field.type == kDouble || field.type == kRational || field.type == kAscii) return {};
    Cursor cursor(path_, field.data.data(), field.data.size(), big_endian_);
    std::vector<std::uint64_t> out(field.count);
    for (std::uint64_t& one : out) one = cursor.number(bytes);
    return out;
  }
  std::uint64_t number(std::uint16_t tag, std::uint64_t otherwise) const {
    const std::vector<std::uint64_t> all = numbers(tag);
    return all.empty() ? otherwise : all[0];
  }
  std::vector<double> reals(std::uint16_t tag) const {
    const auto found = fields_.find(tag);
    if (found == fields_.end() || found->second.type != kDouble) return {};
    Cursor cursor(path_, found->second.data.data(), found->second.data.size(), big_endian_);
    std::vector<double> out(found->second.count);
    for (double& one : out) one = std::bit_cast<double>(cursor.u64());
    return out;
  }
  std::string text(std::uint16_t tag) const {
    const auto found = fields_.find(tag);
    if (found == fields_.end() || bytes_of(found->second.type) != 1) return {};
    const std::vector<std::byte>& data = found->second.data;
    std::string out(reinterpret_cast<const char*>(data.data()), data.size());
    while (!out.empty() && (out.back() == '\0' || out.back() == ' ')) out.pop_back();
    return out;
  }

 private:
  const std::string& path_;
  const bool big_endian_;
  std::map<std::uint16_t, Field> fields_;
};

/// Walks from page to page.
/// Owns: nothing.  Threading: one thread.
class Walk {
 public:
  explicit Walk(const OpenFile& file) : file_(file), pages_(file) {
    std::byte head[16] = {};
    file.read(0, head, std::min<std::uint64_t>(sizeof head, file.size()));
    big_endian_ = head[0] == std::byte{'M'};
    Cursor cursor(file.path(), head, std::min<std::uint64_t>(sizeof head, file.size()), big_endian_);
    cursor.skip(2);
    large_ = cursor.u16() == 43;
    if (large_) cursor.skip(4);
    next_ = large_ ? cursor.u64() : cursor.u32();
  }
  bool big_endian() const { return big_endian_; }
  bool at_end() const { return next_ == 0; }

  Fields take() {
    if (!seen_.insert(next_).second) file_.fail("its pages lead back to an earlier one: it is damaged");
    if (seen_.size() > kMostPages) file_.fail("has more pages than can be");
    const unsigned count_bytes = large_ ? 8 : 2, entry_bytes = large_ ? 20 : 12, place_bytes = large_ ? 8 : 4;
    Cursor head = at(next_, count_bytes);
    const std::uint64_t count = head.number(count_bytes);
    if (count > file_.size() / entry_bytes) file_.fail("a page has more fields than fit: it is damaged");
    Cursor cursor = at(next_ + count_bytes, count * entry_bytes + place_bytes);
    Fields fields(file_.path(), big_endian_);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint16_t tag = cursor.u16();
      Field field;
      field.type = cursor.u16();
      field.count = cursor.number(place_bytes);
      const std::byte* const here = cursor.take(place_bytes);
      const unsigned each = bytes_of(field.type);
      if (each == 0 || field.count > file_.size() / each) continue;
      const std::uint64_t bytes = field.count * each;
      // Places of pieces are most of a description: all of them together are no more than the file.
      if ((spent_ += bytes) > 4 * file_.size() + (1 << 20)) file_.fail("its pages describe more than the file holds");
      if (bytes <= place_bytes) {
        field.data.assign(here, here + bytes);
      } else {
        const std::uint64_t place = Cursor(file_.path(), here, place_bytes, big_endian_).number(place_bytes);
        field.data.resize(bytes);
        file_.read(place, field.data.data(), bytes);
      }
      fields.add(tag, std::move(field));
    }
    next_ = cursor.number(place_bytes);
    return fields;
  }

 private:
  Cursor at(std::uint64_t place, std::uint64_t bytes) {
    return {file_.path(), pages_.at(place, bytes), bytes, big_endian_};
  }

  const OpenFile& file_;
  PagedFile pages_;
  bool big_endian_ = false;
  bool large_ = false;
  std::uint64_t next_ = 0;
  std::uint64_t spent_ = 0;
  std::set<std::uint64_t> seen_;
};

ElementType type_of(std::uint64_t format, unsigned bits, std::string& obstacle) {
  const auto named = [&](ElementKind kind, const char* word) {
    return ElementType{kind, bits / 8, false, word + std::to_string(bits)};
  };
  const bool whole = bits == 8 || bits == 16 || bits == 32 || bits == 64;
  if (bits == 1 || bits == 2 || bits == 4) return {ElementKind::Unsigned, 1, false, "uint8"};
  if (whole && (format == 1 || format == 4)) return named(ElementKind::Unsigned, "uint");
  if (whole && format == 2) return named(ElementKind::Integer, "int");
  if (whole && bits > 8 && format == 3) return named(ElementKind::Float, "float");
  if (format == 6 && (bits == 64 || bits == 128)) return named(ElementKind::Complex, "complex");
  obstacle = "has samples of " + std::to_string(bits) + " bits, format " + std::to_string(format);
  return {ElementKind::Other, 0, false, "samples of " + std::to_string(bits) + " bits"};
}

std::string name_of_compression(std::uint16_t compression) {
  static const std::map<std::uint16_t, std::string> kNames = {
      {2, "CCITT"},         {3, "CCITT fax 3"}, {4, "CCITT fax 4"}, {6, "old JPEG"}, {7, "JPEG"},
      {34712, "JPEG 2000"}, {34887, "LERC"},    {34925, "LZMA"},    {50001, "WebP"}, {50002, "JPEG XL"}};
  const auto found = kNames.find(compression);
  return found != kNames.end() ? found->second : "method " + std::to_string(compression);
}

/// Where a page lies on its map, if it lies straight.
void read_map(const Fields& fields, bool centred, Page& page) {
  const std::vector<double> scale = fields.reals(kPixelScale), tie = fields.reals(kTiePoint),
                            matrix = fields.reals(kTransformation);
  // Places count from the corner of a pixel, or from its centre.
  const double half = centred ? 0 : 0.5;
  if (scale.size() >= 2 && tie.size() == 6) {
    page.x = {tie[3] + (half - tie[0]) * scale[0], scale[0]};
    page.y = {tie[4] - (half - tie[1]) * scale[1], -scale[1]};
  } else if (matrix.size() == 16 && matrix[1] == 0 && matrix[4] == 0) {
    page.x = {matrix[3] + half * matrix[0], matrix[0]};
    page.y = {matrix[7] + half * matrix[5], matrix[5]};
  }
  const auto usable = [](const std::optional<Page::Axis>& axis) {
    return axis && std::isfinite(axis->first) && std::isfinite(axis->step) && axis->step != 0;
  };
  if (!usable(page.x) || !usable(page.y)) page.x = page.y = {};
}

Attribute reals_attribute(const char* name, std::vector<double> values) {
  Attribute one;
  one.name = name;
  one.type = {ElementKind::Float, 8, false, "float64"};
  one.shape = {static_cast<std::int64_t>(values.size())};
  one.reals = std::move(values);
  return one;
}

Attribute text(const std::string& name, const std::string& value) {
  Attribute one;
  one.name = name;
  one.type = {ElementKind::VariableText, 0, false, "string"};
  one.texts = {value};
  return one;
}

/// A number of GDAL's list of items: `<Item name="SCALE" sample="0" role="scale">0.1</Item>`.
std::optional<double> item_of(const std::string& metadata, const std::string& role) {
  const std::string words = "role=\"" + role + "\">";
  const std::size_t found = metadata.find(words);
  if (found == std::string::npos) return {};
  const char* const begin = metadata.c_str() + found + words.size();
  char* end = nullptr;
  const double value = std::strtod(begin, &end);
  if (end == begin || !std::isfinite(value)) return {};
  return value;
}

void read_attributes(const Fields& fields, Page& page) {
  static constexpr std::pair<std::uint16_t, const char*> kTexts[] = {{kDescription, "ImageDescription"},
                                                                     {kSoftware, "Software"},
                                                                     {kDateTime, "DateTime"},
                                                                     {kGdalMetadata, "GDAL_METADATA"}};
  for (const auto& [tag, name] : kTexts) {
    const std::string value = fields.text(tag);
    if (!value.empty()) page.attributes.push_back(text(name, value));
  }
  for (const auto& [tag, name] :
       {std::pair{kPixelScale, "ModelPixelScale"}, std::pair{kTiePoint, "ModelTiepoint"},
        std::pair{kTransformation, "ModelTransformation"}, std::pair{kGeoDoubles, "GeoDoubleParams"}}) {
    std::vector<double> values = fields.reals(tag);
    if (!values.empty()) page.attributes.push_back(reals_attribute(name, std::move(values)));
  }
  const std::vector<std::uint64_t> keys = fields.numbers(kGeoKeys);
  const std::string texts = fields.text(kGeoTexts);
  if (!keys.empty()) {
    // As they are, for who writes them again; then one by one.
    Attribute directory;
    directory.name = "GeoKeyDirectory";
    directory.type = {ElementKind::Integer, 8, false, "int64"};
    directory.shape = {static_cast<std::int64_t>(keys.size())};
    directory.integers.assign(keys.begin(), keys.end());
    page.attributes.push_back(std::move(directory));
    if (!texts.empty()) page.attributes.push_back(text("GeoAsciiParams", texts));
    add_geokeys(keys, fields.reals(kGeoDoubles), texts, page.attributes);
  }
  const Attribute* const kind = find_attribute(page.attributes, "GTRasterTypeGeoKey");
  const bool centred = kind != nullptr && !kind->integers.empty() && kind->integers[0] == 2;
  read_map(fields, centred, page);
  const std::string metadata = fields.text(kGdalMetadata);
  for (const auto& [role, name] : {std::pair{"scale", "scale_factor"}, std::pair{"offset", "add_offset"}}) {
    const std::optional<double> value = item_of(metadata, role);
    if (value && page.samples == 1) page.attributes.push_back(reals_attribute(name, {*value}));
  }
  const std::string none = fields.text(kGdalNoData);
  char* end = nullptr;
  const double value = std::strtod(none.c_str(), &end);
  if (end != none.c_str()) page.no_data = value;
}

void read_pieces(const OpenFile& file, const Fields& fields, Page& page) {
  page.tiled = fields.has(kTilePlaces);
  const auto side = [&](std::uint16_t tag, std::int64_t most) {
    const std::uint64_t told = fields.number(tag, static_cast<std::uint64_t>(most));
    if (told == 0 || (page.tiled && told > static_cast<std::uint64_t>(kMostExtent)))
      file.fail("a page has pieces without extent: it is damaged");
    return static_cast<std::int64_t>(page.tiled ? told : std::min(told, static_cast<std::uint64_t>(most)));
  };
  page.piece_rows = side(page.tiled ? kTileRows : kRowsPerStrip, page.rows);
  page.piece_columns = page.tiled ? side(kTileColumns, page.columns) : page.columns;
  page.places = fields.numbers(page.tiled ? kTilePlaces : kStripPlaces);
  page.bytes = fields.numbers(page.tiled ? kTileBytes : kStripBytes);
  auto pieces = static_cast<std::uint64_t>(page.pieces_across()) * static_cast<std::uint64_t>(page.pieces_down());
  if (pieces > file.size()) file.fail("a page has more pieces than the file has bytes: it is damaged");
  if (page.planes) pieces *= static_cast<std::uint64_t>(page.samples);
  // Old writers leave the bytes of a single strip out.
  if (page.bytes.empty() && pieces == 1 && page.places.size() == 1 && page.compression == kNone)
    page.bytes = {page.row_bytes() * static_cast<std::uint64_t>(page.rows)};
  if (page.places.size() < pieces || page.bytes.size() < pieces) {
    file.fail("a page tells of " + std::to_string(std::min(page.places.size(), page.bytes.size())) + " pieces of its " +
              std::to_string(pieces) + ": it is damaged");
  }
  // There may be more than the page has, and not equally many.
  page.places.resize(pieces);
  page.bytes.resize(pieces);
  std::uint64_t piece = static_cast<std::uint64_t>(page.piece_samples()) * std::max(1u, page.type.bytes);
  if (__builtin_mul_overflow(piece, static_cast<std::uint64_t>(page.piece_columns), &piece) ||
      __builtin_mul_overflow(piece, static_cast<std::uint64_t>(page.piece_rows), &piece) ||
      (piece > kMostPieceBytes && !page.plain())) {
    page.obstacle = "has pieces of more than 4 GiB";
  }
}

Page page_of(const OpenFile& file, const Fields& fields, bool big_endian) {
  Page page;
  const std::uint64_t rows = fields.number(kRows, 0), columns = fields.number(kColumns, 0),
                      samples = fields.number(kSamples, 1);
  const auto most = static_cast<std::uint64_t>(kMostExtent);
  if (rows == 0 || columns == 0 || samples == 0 || rows > most || columns > most || samples > 65535)
    file.fail("a page has no extent, or an impossible one: it is damaged");
  page.rows = static_cast<std::int64_t>(rows);
  page.columns = static_cast<std::int64_t>(columns);
  page.samples = static_cast<std::int64_t>(samples);
  page.planes = fields.number(kPlanar, 1) == 2 && samples > 1;
  if (static_cast<double>(rows) * static_cast<double>(columns) * static_cast<double>(samples) > 0x1p57)
    file.fail("a page has an impossible extent: it is damaged");
  const std::vector<std::uint64_t> bits = fields.numbers(kBits), formats = fields.numbers(kSampleFormat);
  const auto differ = [](const std::vector<std::uint64_t>& all) {
    return std::adjacent_find(all.begin(), all.end(), std::not_equal_to<>()) != all.end();
  };
  const std::uint64_t told = bits.empty() ? 1 : bits[0];
  page.bits = told > 128 ? 127 : static_cast<unsigned>(told);
  page.type = type_of(formats.empty() ? 1 : formats[0], page.bits, page.obstacle);
  if (differ(bits) || differ(formats)) page.obstacle = "has bands of several types";
  page.swapped = big_endian != (std::endian::native == std::endian::big) && page.bits > 8;
  page.bits_reversed = fields.number(kFillOrder, 1) == 2;
  page.compression = static_cast<std::uint16_t>(fields.number(kCompression, kNone));
  page.predictor = static_cast<std::uint16_t>(fields.number(kPredictor, 1));
  const std::uint64_t kind = fields.number(kSubfileType, 0);
  page.reduced = (kind & 1) != 0;
  page.mask = (kind & 4) != 0;
  static constexpr std::uint16_t kKnown[] = {kNone, kLzw, kDeflate, kOldDeflate, kPackBits, kZstd};
  if (std::find(std::begin(kKnown), std::end(kKnown), page.compression) == std::end(kKnown)) {
    page.obstacle = "is packed by " + name_of_compression(page.compression);
  } else if (page.predictor > 3 || page.predictor == 0 || (page.predictor != 1 && page.bits < 8) ||
             (page.predictor == 3 && page.type.kind != ElementKind::Float) ||
             (page.predictor == 2 && page.type.kind == ElementKind::Complex)) {
    page.obstacle = "has differences of samples (predictor " + std::to_string(page.predictor) + ")";
  }
  // Old JPEG keeps its pixels elsewhere.
  if (fields.has(kTilePlaces) || fields.has(kStripPlaces)) {
    read_pieces(file, fields, page);
  } else {
    page.obstacle = page.obstacle.empty() ? "tells of no pieces" : page.obstacle;
    page.piece_rows = page.rows;
    page.piece_columns = page.columns;
  }
  read_attributes(fields, page);
  return page;
}

}  // namespace

bool Page::plain() const {
  if (compression != kNone || predictor != 1 || swapped || bits < 8 || bits_reversed || !obstacle.empty()) return false;
  // A single row of tiles lies as rows do only where a tile is as wide as the page.
  if (piece_columns != columns || (tiled && rows % piece_rows != 0)) return false;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::int64_t first = static_cast<std::int64_t>(i) % pieces_down() * piece_rows;
    const auto rows_here = static_cast<std::uint64_t>(std::min(piece_rows, rows - first));
    if (places[i] == 0 || bytes[i] < rows_here * row_bytes()) return false;
    if (i > 0 && places[i] != places[i - 1] + static_cast<std::uint64_t>(piece_rows) * row_bytes()) {
      // A plane begins behind the last, shorter strip of the one before it.
      return false;
    }
  }
  return true;
}

std::vector<Page> read_pages(const OpenFile& file) {
  Walk walk(file);
  std::vector<Page> pages;
  while (!walk.at_end()) {
    const Fields fields = walk.take();
    pages.push_back(page_of(file, fields, walk.big_endian()));
  }
  if (pages.empty()) file.fail("has no page");
  return pages;
}

}  // namespace weft::io::tiff
