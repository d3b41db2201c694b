// FITS: pictures, packed or not, and the columns of binary tables.
#include "io/codecs/filters.hpp"
#include "io/fits/header.hpp"
#include "io/fits/tiles.hpp"
#include "io/formats/chunk_box.hpp"
#include "io/formats/format.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <deque>

namespace weft::io {
namespace {

using fits::Column;
using fits::Header;
using fits::Packed;

constexpr std::size_t kMostUnits = 10'000;

/// Where a variable's numbers are.
struct Source {
  std::uint64_t place = 0;
  /// Bytes from a row of a table to the next; 0 of pictures.
  std::uint64_t row_bytes = 0;
  /// Of integers of which half of the range was taken away.
  bool sign_turned = false;
  /// Letters T and F.
  bool logical = false;
  const Packed* packed = nullptr;
};

/// Owns: the open file, and what its headers say.  Threading: constant; any thread.
class FitsFile final : public StoredFile {
 public:
  explicit FitsFile(OpenFile file) : file_(std::move(file)) {
    path_ = file_.path();
    format_ = "FITS";
    file_bytes_ = file_.size();
    changed_ns_ = file_.changed_ns();
    groups_.push_back({});
    std::uint64_t place = 0;
    for (std::size_t number = 0; place + fits::kBlock <= file_.size() && number < kMostUnits; ++number) {
      char kind[8] = {};
      file_.read(place, kind, sizeof kind);
      // Behind the last unit there may be anything.
      if (number > 0 && std::memcmp(kind, "XTENSION", 8) != 0) break;
      const Header header(file_, place);
      add_unit(header, number);
      place = header.end();
    }
    if (place > (file_.size() + fits::kBlock - 1) / fits::kBlock * fits::kBlock) {
      remarks_.push_back("the file ends before its last data do: it is truncated");
    }
  }

  void read(std::size_t variable, const std::vector<std::int64_t>& start, const std::vector<std::int64_t>& extent,
            std::byte* out, const std::vector<std::int64_t>& strides) const override {
    const Variable& one = variables_[variable];
    const Source& source = sources_[variable];
    check_box(*this, one, start, extent);
    if (std::count(extent.begin(), extent.end(), 0) > 0) return;
    if (one.type.kind == ElementKind::Other)
      file_.fail("'" + one.path + "' holds " + one.type.name + ", which weft does not read");
    if (source.packed != nullptr) {
      read_packed(one, *source.packed, {start, extent, out, strides});
    } else if (source.row_bytes != 0) {
      read_column(one, source, {start, extent, out, strides});
    } else {
      read_contiguous(file_, source.place, one.shape, one.type.bytes, start, extent, out, strides);
    }
    if (source.logical) return decide(out, extent, strides, 0);
    if (one.type.is_number() && source.packed == nullptr) swap_box(out, strides, extent, one.type);
    if (source.sign_turned) turn(out, extent, strides, one.type.bytes, 0);
  }

  std::vector<std::string> read_text(std::size_t variable) const override {
    const Variable& one = variables_[variable];
    if (one.type.kind != ElementKind::Text) file_.fail("'" + one.path + "' holds " + one.type.name + ", not text");
    std::vector<std::string> texts =
        texts_of(read_box(variable, std::vector<std::int64_t>(one.shape.size(), 0), one.shape), one.type.bytes, false);
    for (std::string& text : texts) {
      text.resize(std::min(text.size(), text.find('\0')));
      text.resize(std::min(text.size(), text.find_last_not_of(' ') + 1));
    }
    return texts;
  }

  std::uint64_t stored_bytes(std::size_t variable) const override {
    const Variable& one = variables_[variable];
    const Packed* const packed = sources_[variable].packed;
    if (packed != nullptr) return packed->end - packed->table;
    return static_cast<std::uint64_t>(one.elements()) * one.type.bytes;
  }

 private:
  /// A name that no variable and no group has yet.
  std::string free_name(const std::string& wanted) const {
    const auto taken = [&](const std::string& name) {
      return has(name) ||
             std::any_of(groups_.begin(), groups_.end(), [&](const Group& one) { return one.path == name; });
    };
    std::string name = wanted;
    std::replace(name.begin(), name.end(), '/', '_');
    const std::string plain = name;
    for (int number = 2; taken(name); ++number) name = plain + "_" + std::to_string(number);
    return name;
  }

  void add_unit(const Header& header, std::size_t number) {
    const std::string kind = number == 0 ? "IMAGE" : header.text("XTENSION");
    std::string name = header.text("EXTNAME");
    if (header.is_true("GROUPS")) {
      remarks_.emplace_back("random groups are left out");
    } else if (kind == "BINTABLE" && header.is_true("ZIMAGE")) {
      add_packed(header, name.empty() || name == "COMPRESSED_IMAGE" ? "image" : name);
    } else if (kind == "BINTABLE") {
      add_table(header, name.empty() ? "table" : name);
    } else if (kind == "IMAGE") {
      add_image(header, name.empty() ? "image" : name, number);
    } else {
      remarks_.push_back("'" + (name.empty() ? kind : name) + "' is of the kind " + kind + ": left out");
    }
  }

  /// Names the axes x, y, z and by numbers beyond; those of another picture end as it does.
  void name_axes(Variable& variable) {
    static constexpr const char* kAxes[] = {"x", "y", "z"};
    const std::string ending = variables_.empty() ? "" : "_" + variable.path;
    const std::size_t rank = variable.shape.size();
    for (std::size_t i = 0; i < rank; ++i) {
      const std::size_t axis = rank - 1 - i;
      variable.dimensions.push_back((axis < 3 ? kAxes[axis] : "axis_" + std::to_string(axis + 1)) + ending);
      groups_[0].dimensions.push_back({variable.dimensions.back(), variable.shape[i], false});
    }
  }

  /// CF's packing, from FITS's: scale, zero, and the integer that means no value.
  void add_scaling(const Header& header, const char* scale_name, const char* zero_name, const char* blank_name,
                   Variable& variable, Source& source) {
    const double scale = header.real(scale_name, 1), zero = header.real(zero_name, 0);
    const Card* const blank = header.find(blank_name);
    const auto add = [&](const char* name, double value) {
      Attribute& one = variable.attributes.emplace_back();
      one.name = name;
      one.type = {ElementKind::Float, 8, false, "float64"};
      one.reals = {value};
    };
    source.sign_turned = fits::turn_sign(variable.type, scale, zero);
    if (!source.sign_turned && scale != 1) add("scale_factor", scale);
    if (!source.sign_turned && zero != 0) add("add_offset", zero);
    if (blank != nullptr && blank->kind == Card::Kind::Integer && variable.type.kind != ElementKind::Float) {
      add("_FillValue", blank->real + (source.sign_turned ? zero : 0));
    }
  }

  void finish(Variable variable, Source source) {
    variable.fill.resize(variable.type.bytes);
    variables_.push_back(std::move(variable));
    sources_.push_back(source);
  }

  void add_image(const Header& header, const std::string& name, std::size_t number) {
    Variable variable;
    variable.shape = header.extents(file_, "NAXIS");
    variable.attributes = header.attributes();
    if (variable.shape.empty()) {
      // The first unit is often a header alone: what it says is said of the file.
      if (number == 0) groups_[0].attributes = variable.attributes;
      return;
    }
    variable.path = free_name(name);
    variable.type = fits::type_of_bits(header.integer("BITPIX", 0));
    Source source;
    source.place = header.data();
    name_axes(variable);
    add_scaling(header, "BSCALE", "BZERO", "BLANK", variable, source);
    finish(std::move(variable), source);
  }

  void add_packed(const Header& header, const std::string& name) {
    const Packed& packed = packed_.emplace_back(fits::packed_of(file_, header));
    if (packed.shape.empty()) return;
    Variable variable;
    variable.path = free_name(name);
    variable.shape = packed.shape;
    variable.chunk = packed.tile;
    variable.type = packed.type;
    variable.type.swapped = false;
    variable.filters = {packed.codec};
    variable.attributes = header.attributes();
    Source source;
    source.packed = &packed;
    name_axes(variable);
    add_scaling(header, "BSCALE", "BZERO", header.find("BLANK") != nullptr ? "BLANK" : "ZBLANK", variable, source);
    finish(std::move(variable), source);
  }

  void add_table(const Header& header, const std::string& name) {
    const std::int64_t rows = header.integer("NAXIS2", 0);
    Group group;
    group.path = free_name(name);
    group.attributes = header.attributes();
    group.dimensions.push_back({"row", rows, false});
    const std::vector<Column> columns = fits::columns_of(file_, header);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      add_column(header, group.path, columns[i], std::to_string(i + 1), rows);
    }
    groups_.push_back(std::move(group));
  }

  static ElementType type_of_column(const Column& column) {
    const bool swapped = std::endian::native == std::endian::little;
    switch (column.letter) {
      case 'L':
        return {ElementKind::Boolean, 1, false, "bool"};
      case 'B':
        return fits::type_of_bits(8);
      case 'I':
        return fits::type_of_bits(16);
      case 'J':
        return fits::type_of_bits(32);
      case 'K':
        return fits::type_of_bits(64);
      case 'E':
        return fits::type_of_bits(-32);
      case 'D':
        return fits::type_of_bits(-64);
      case 'C':
        return {ElementKind::Complex, 8, swapped, "complex64"};
      case 'M':
        return {ElementKind::Complex, 16, swapped, "complex128"};
      case 'X':
        return {ElementKind::Other, 1, false, "bits"};
      default:
        return {ElementKind::Other, 1, false, "lists of different lengths"};
    }
  }

  void add_column(const Header& header, const std::string& table, const Column& column, const std::string& number,
                  std::int64_t rows) {
    Variable variable;
    std::string name = column.name;
    std::replace(name.begin(), name.end(), '/', '_');
    variable.path = table + "/" + name;
    if (has(variable.path)) variable.path += "_" + number;
    variable.shape = {rows};
    variable.dimensions = {"row"};
    Source source;
    source.place = header.data() + column.place;
    source.row_bytes = static_cast<std::uint64_t>(header.integer("NAXIS1", 0));
    source.logical = column.letter == 'L';
    if (column.letter == 'A') {
      const auto bytes = static_cast<std::uint32_t>(std::min<std::int64_t>(column.count, 1 << 30));
      variable.type = {ElementKind::Text, bytes, false, "string" + std::to_string(bytes)};
      if (bytes == 0) variable.type = {ElementKind::Other, 1, false, "texts of no letters"};
    } else {
      variable.type = type_of_column(column);
      if (column.count != 1 && variable.type.kind != ElementKind::Other) {
        for (const std::int64_t extent : inner_shape(header.text("TDIM" + number), column.count)) {
          variable.dimensions.push_back(name + "_" + std::to_string(variable.shape.size()));
          variable.shape.push_back(extent);
        }
      }
    }
    const std::string unit = header.text("TUNIT" + number);
    if (!unit.empty()) {
      Attribute& one = variable.attributes.emplace_back();
      one.name = "units";
      one.type = {ElementKind::VariableText, 0, false, "string"};
      one.texts = {unit};
    }
    add_scaling(header, ("TSCAL" + number).c_str(), ("TZERO" + number).c_str(), ("TNULL" + number).c_str(), variable,
                source);
    finish(std::move(variable), source);
  }

  /// "(2,3)" of six elements is 3 x 2; anything else is one axis.
  static std::vector<std::int64_t> inner_shape(const std::string& dims, std::int64_t count) {
    std::vector<std::int64_t> out;
    std::int64_t product = 1;
    for (std::size_t at = 1; at < dims.size();) {
      const std::int64_t extent = std::strtoll(dims.c_str() + at, nullptr, 10);
      if (extent < 1 || __builtin_mul_overflow(product, extent, &product)) return {count};
      out.insert(out.begin(), extent);
      const std::size_t comma = dims.find(',', at);
      if (comma == std::string::npos) break;
      at = comma + 1;
    }
    return product == count && !out.empty() ? out : std::vector<std::int64_t>{count};
  }

  /// Cells of rows: as many rows at once as fit some memory.
  void read_column(const Variable& one, const Source& source, const OpenBox& box) const {
    constexpr std::uint64_t kPiece = 4 << 20;
    std::uint64_t cell = one.type.bytes;
    for (std::size_t axis = 1; axis < one.shape.size(); ++axis) cell *= static_cast<std::uint64_t>(one.shape[axis]);
    const auto begin = static_cast<std::uint64_t>(box.start[0]), count = static_cast<std::uint64_t>(box.extent[0]);
    const std::uint64_t last = static_cast<std::uint64_t>(one.shape[0] - 1);
    if (last > 0 && source.row_bytes > file_.size() / last + 1)
      file_.fail("ends within its table: it is truncated or damaged");
    const std::uint64_t at_once = std::max<std::uint64_t>(1, kPiece / std::max<std::uint64_t>(1, source.row_bytes));
    std::vector<std::int64_t> inner = packed_strides(one.shape, one.type.bytes);
    inner[0] = static_cast<std::int64_t>(source.row_bytes);
    std::int64_t skipped = 0;
    for (std::size_t axis = 1; axis < inner.size(); ++axis) skipped += box.start[axis] * inner[axis];
    std::vector<std::int64_t> extent = box.extent;
    for (std::uint64_t done = 0; done < count; done += at_once) {
      const std::uint64_t rows = std::min(at_once, count - done);
      const std::uint64_t bytes = (rows - 1) * source.row_bytes + cell;
      if (bytes > file_.size()) file_.fail("ends within its table: it is truncated or damaged");
      const std::span<std::byte> memory = stored_memory(bytes);
      file_.read(source.place + (begin + done) * source.row_bytes, memory.data(), memory.size());
      extent[0] = static_cast<std::int64_t>(rows);
      copy_box(box.out + static_cast<std::int64_t>(done) * box.strides[0], box.strides.data(), memory.data() + skipped,
               inner.data(), extent.data(), extent.size(), one.type.bytes);
    }
  }

  void read_packed(const Variable& one, const Packed& packed, const OpenBox& box) const {
    if (!packed.obstacle.empty()) file_.fail("'" + one.path + "' " + packed.obstacle);
    if (packed.codec[0] == 'G' || packed.gzipped != nullptr) {
      const std::string missing = missing_codec({Filter::kGzip, {}});
      if (!missing.empty()) file_.fail("'" + one.path + "' " + missing);
    }
    const std::size_t rank = one.shape.size();
    std::vector<std::int64_t> tile(rank);
    each_cell(packed.tile, box.start, box.extent, [&](const std::vector<std::int64_t>& at) {
      std::uint64_t number = 0, bytes = one.type.bytes;
      for (std::size_t axis = 0; axis < rank; ++axis) {
        const std::int64_t across = (one.shape[axis] - 1) / packed.tile[axis] + 1;
        number = number * static_cast<std::uint64_t>(across) + static_cast<std::uint64_t>(at[axis]);
        // Those at the end are as small as what is left.
        tile[axis] = std::min(packed.tile[axis], one.shape[axis] - at[axis] * packed.tile[axis]);
        bytes *= static_cast<std::uint64_t>(tile[axis]);
      }
      const std::vector<std::int64_t> tile_strides = packed_strides(tile, one.type.bytes);
      const ChunkPart part(at, packed.tile, tile_strides, box, one.type.bytes);
      part.put(bytes, [&](std::span<std::byte> decoded) { fits::read_tile(file_, packed, number, decoded); });
    });
  }

  /// Turns the highest bit of each integer.
  static void turn(std::byte* data, const std::vector<std::int64_t>& extent, const std::vector<std::int64_t>& strides,
                   std::uint32_t element, std::size_t axis) {
    if (axis == extent.size()) {
      data[std::endian::native == std::endian::little ? element - 1 : 0] ^= std::byte{0x80};
      return;
    }
    for (std::int64_t i = 0; i < extent[axis]; ++i) turn(data + i * strides[axis], extent, strides, element, axis + 1);
  }
  /// Makes letters true and false.
  static void decide(std::byte* data, const std::vector<std::int64_t>& extent, const std::vector<std::int64_t>& strides,
                     std::size_t axis) {
    if (axis == extent.size()) {
      *data = *data == std::byte{'T'} ? std::byte{1} : std::byte{0};
      return;
    }
    for (std::int64_t i = 0; i < extent[axis]; ++i) decide(data + i * strides[axis], extent, strides, axis + 1);
  }

  using Card = fits::Card;
  OpenFile file_;
  std::vector<Source> sources_;
  std::deque<Packed> packed_;
};

bool probe_fits(std::span<const std::byte> head) {
  return head.size() >= 10 && std::memcmp(head.data(), "SIMPLE  = ", 10) == 0;
}

std::shared_ptr<const StoredFile> open_fits(OpenFile file) { return std::make_shared<FitsFile>(std::move(file)); }

}  // namespace

const Format kFits{"FITS", probe_fits, nullptr, open_fits};

}  // namespace weft::io
