// Classic NetCDF: CDF-1, CDF-2 (64-bit offsets) and CDF-5 (64-bit data). A header, variables of fixed size one after
// the other, then the records: a slice of each variable that has the record dimension, again and again.
#include "io/files/cursor.hpp"
#include "io/files/open_file.hpp"
#include "io/formats/format.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace weft::io {
namespace {

struct Place {
  std::uint64_t begin = 0;
  bool record = false;
  std::uint64_t slice_bytes = 0;
};

ElementType type_of(std::uint32_t code, Cursor& cursor) {
  const bool little = std::endian::native == std::endian::little;
  const auto number = [&](ElementKind kind, std::uint32_t bytes, const char* name) {
    return ElementType{kind, bytes, little && bytes > 1, name};
  };
  switch (code) {
    case 1:
      return number(ElementKind::Integer, 1, "int8");
    case 2:
      return number(ElementKind::Text, 1, "char");
    case 3:
      return number(ElementKind::Integer, 2, "int16");
    case 4:
      return number(ElementKind::Integer, 4, "int32");
    case 5:
      return number(ElementKind::Float, 4, "float32");
    case 6:
      return number(ElementKind::Float, 8, "float64");
    case 7:
      return number(ElementKind::Unsigned, 1, "uint8");
    case 8:
      return number(ElementKind::Unsigned, 2, "uint16");
    case 9:
      return number(ElementKind::Unsigned, 4, "uint32");
    case 10:
      return number(ElementKind::Integer, 8, "int64");
    case 11:
      return number(ElementKind::Unsigned, 8, "uint64");
    default:
      cursor.fail("has values of an unknown type: the file is damaged");
  }
}

/// NetCDF's own fill values, which stand where a file names no other.
std::vector<std::byte> default_fill(const ElementType& type) {
  const auto bytes_of = [](auto value) {
    std::vector<std::byte> bytes(sizeof value);
    std::memcpy(bytes.data(), &value, sizeof value);
    return bytes;
  };
  if (type.kind == ElementKind::Float) {
    return type.bytes == 4 ? bytes_of(9.9692099683868690e+36f) : bytes_of(9.9692099683868690e+36);
  }
  if (type.kind == ElementKind::Text) return {std::byte{0}};
  const bool is_signed = type.kind == ElementKind::Integer;
  if (type.bytes == 1) return is_signed ? bytes_of(std::int8_t{-127}) : bytes_of(std::uint8_t{255});
  if (type.bytes == 2) return is_signed ? bytes_of(std::int16_t{-32767}) : bytes_of(std::uint16_t{65535});
  if (type.bytes == 4) return is_signed ? bytes_of(std::int32_t{-2147483647}) : bytes_of(std::uint32_t{4294967295u});
  return is_signed ? bytes_of(std::int64_t{-9223372036854775806}) : bytes_of(std::uint64_t{18446744073709551614u});
}

class ClassicFile final : public StoredFile {
 public:
  explicit ClassicFile(OpenFile file) : file_(std::move(file)) {
    path_ = file_.path();
    format_ = kNetcdfClassic.name;
    file_bytes_ = file_.size();
    changed_ns_ = file_.changed_ns();
    // The header's length is not told: more of the file is taken until it is complete.
    for (std::uint64_t bytes = std::min<std::uint64_t>(file_.size(), 64 << 10);;
         bytes = std::min(file_.size(), 16 * bytes)) {
      std::vector<std::byte> head(bytes);
      file_.read(0, head.data(), head.size());
      try {
        parse(Cursor(path_, head.data(), bytes, true));
        break;
      } catch (const FileError&) {
        if (bytes == file_.size()) throw;
      }
    }
    check_size();
  }

  void read(std::size_t variable, const std::vector<std::int64_t>& start, const std::vector<std::int64_t>& extent,
            std::byte* out, const std::vector<std::int64_t>& strides) const override {
    const Variable& one = variables_[variable];
    check_box(*this, one, start, extent);
    const Place& place = places_[variable];
    if (!place.record) {
      read_contiguous(file_, place.begin, one.shape, one.type.bytes, start, extent, out, strides);
    } else {
      const std::vector<std::int64_t> shape(one.shape.begin() + 1, one.shape.end());
      const std::vector<std::int64_t> inner_start(start.begin() + 1, start.end());
      const std::vector<std::int64_t> inner(extent.begin() + 1, extent.end());
      const std::vector<std::int64_t> inner_strides(strides.begin() + 1, strides.end());
      for (std::int64_t i = 0; i < extent[0]; ++i) {
        const std::uint64_t at = place.begin + static_cast<std::uint64_t>(start[0] + i) * record_bytes_;
        read_contiguous(file_, at, shape, one.type.bytes, inner_start, inner, out + i * strides[0], inner_strides);
      }
    }
    swap_box(out, strides, extent, one.type);
  }

  std::vector<std::string> read_text(std::size_t variable) const override {
    const Variable& one = variables_[variable];
    if (one.type.kind != ElementKind::Text) file_.fail("'" + one.path + "' holds " + one.type.name + ", not text");
    const std::vector<std::byte> bytes = read_box(variable, std::vector<std::int64_t>(one.shape.size(), 0), one.shape);
    // The last axis counts the letters.
    const std::size_t letters = one.shape.empty() ? 1 : static_cast<std::size_t>(one.shape.back());
    std::vector<std::string> texts;
    for (std::size_t at = 0; letters > 0 && at < bytes.size(); at += letters) {
      std::string text(reinterpret_cast<const char*>(bytes.data()) + at, letters);
      text.erase(std::min(text.find('\0'), text.size()));
      while (!text.empty() && text.back() == ' ') text.pop_back();
      texts.push_back(std::move(text));
    }
    return texts;
  }

  std::uint64_t stored_bytes(std::size_t variable) const override {
    return static_cast<std::uint64_t>(variables_[variable].elements()) * variables_[variable].type.bytes;
  }

 private:
  std::uint64_t count(Cursor& cursor) const { return version_ == 5 ? cursor.u64() : cursor.u32(); }

  std::string name(Cursor& cursor) const {
    std::string text = cursor.text(count(cursor));
    cursor.align(4);
    return text;
  }

  /// Takes the tag and the length of a list; an absent one has neither.
  std::uint64_t list(Cursor& cursor, std::uint32_t tag) const {
    const std::uint32_t found = cursor.u32();
    const std::uint64_t length = count(cursor);
    if (found != tag && (found != 0 || length != 0)) cursor.fail("a list of its header is damaged");
    if (length > cursor.left()) cursor.fail("a list of its header is longer than the header");
    return length;
  }

  std::vector<Attribute> attributes(Cursor& cursor) const {
    std::vector<Attribute> found(list(cursor, 12));
    for (Attribute& one : found) {
      one.name = name(cursor);
      one.type = type_of(cursor.u32(), cursor);
      const std::uint64_t values = count(cursor);
      if (values > cursor.left()) cursor.fail("an attribute is longer than the header");
      const std::byte* const data = cursor.take(values * one.type.bytes);
      cursor.align(4);
      if (one.type.kind == ElementKind::Text) {
        std::string text(reinterpret_cast<const char*>(data), values);
        while (!text.empty() && text.back() == '\0') text.pop_back();
        one.texts.push_back(std::move(text));
        continue;
      }
      one.shape = {static_cast<std::int64_t>(values)};
      std::vector<std::byte> bytes(data, data + values * one.type.bytes);
      swap_box(bytes.data(), {one.type.bytes}, one.shape, one.type);
      std::vector<double> numbers(values);
      to_doubles(one.type, bytes.data(), static_cast<std::int64_t>(values), numbers.data());
      if (one.type.kind == ElementKind::Float || one.type.bytes == 8) one.reals = numbers;
      if (one.type.kind != ElementKind::Float) one.integers.resize(values);
      for (std::size_t i = 0; i < one.integers.size(); ++i) {
        if (one.type.bytes == 8) {
          std::memcpy(&one.integers[i], bytes.data() + 8 * i, 8);
        } else {
          one.integers[i] = static_cast<std::int64_t>(numbers[i]);
        }
      }
    }
    return found;
  }

  void parse(Cursor cursor) {
    variables_.clear();
    groups_.clear();
    places_.clear();
    cursor.skip(3);
    version_ = cursor.u8();
    const std::uint64_t records = count(cursor);
    // All bits set: the writer was streaming, and the file's length tells.
    const bool streaming = records == (version_ == 5 ? ~std::uint64_t{0} : 0xffffffffu);
    Group root;
    root.dimensions.resize(list(cursor, 10));
    std::size_t record_dimension = root.dimensions.size();
    for (std::size_t i = 0; i < root.dimensions.size(); ++i) {
      Dimension& one = root.dimensions[i];
      one.name = name(cursor);
      const std::uint64_t extent = count(cursor);
      if (extent > std::uint64_t{1} << 62) cursor.fail("a dimension is too long: the file is damaged");
      one.extent = static_cast<std::int64_t>(extent);
      one.unlimited = extent == 0;
      if (extent == 0) record_dimension = i;
    }
    root.attributes = attributes(cursor);
    const std::uint64_t variables = list(cursor, 11);
    for (std::uint64_t i = 0; i < variables; ++i) variable(cursor, root, record_dimension);
    finish_records(root, record_dimension, records, streaming);
    groups_.push_back(std::move(root));
  }

  void variable(Cursor& cursor, const Group& root, std::size_t record_dimension) {
    Variable one;
    Place place;
    one.path = name(cursor);
    const std::uint64_t rank = count(cursor);
    if (rank > 1024) cursor.fail("'" + one.path + "' has more than 1024 axes: the file is damaged");
    for (std::uint64_t axis = 0; axis < rank; ++axis) {
      const std::uint64_t id = count(cursor);
      if (id >= root.dimensions.size()) cursor.fail("'" + one.path + "' names a dimension that is not there");
      one.dimensions.push_back(root.dimensions[id].name);
      one.shape.push_back(root.dimensions[id].extent);
      if (id == record_dimension && axis == 0) place.record = true;
      if (id == record_dimension && axis > 0) cursor.fail("'" + one.path + "' has the record dimension in the middle");
    }
    one.attributes = attributes(cursor);
    one.type = type_of(cursor.u32(), cursor);
    count(cursor);
    place.begin = version_ == 1 ? cursor.u32() : cursor.u64();
    std::int64_t slice = one.type.bytes;
    for (std::size_t axis = place.record ? 1 : 0; axis < one.shape.size(); ++axis) {
      if (__builtin_mul_overflow(slice, one.shape[axis], &slice)) cursor.fail("'" + one.path + "' is too large");
    }
    place.slice_bytes = static_cast<std::uint64_t>(slice);
    one.fill = default_fill(one.type);
    if (place.record) {
      one.chunk.assign(one.shape.begin(), one.shape.end());
      one.chunk[0] = 1;
    }
    variables_.push_back(std::move(one));
    places_.push_back(place);
  }

  void finish_records(Group& root, std::size_t record_dimension, std::uint64_t records, bool streaming) {
    record_bytes_ = 0;
    std::size_t members = 0;
    std::uint64_t begin = file_.size();
    for (const Place& place : places_) {
      if (!place.record) continue;
      ++members;
      begin = std::min(begin, place.begin);
      if (__builtin_add_overflow(record_bytes_, (place.slice_bytes + 3) / 4 * 4, &record_bytes_))
        file_.fail("its records are too large");
    }
    // A lone record variable is not padded.
    for (const Place& place : places_) {
      if (place.record && members == 1) record_bytes_ = place.slice_bytes;
    }
    if (streaming) records = record_bytes_ == 0 ? 0 : (file_.size() - begin) / record_bytes_;
    if (records > std::uint64_t{1} << 62) file_.fail("has an impossible number of records: it is damaged");
    if (record_dimension < root.dimensions.size()) {
      root.dimensions[record_dimension].extent = static_cast<std::int64_t>(records);
    }
    for (std::size_t i = 0; i < variables_.size(); ++i) {
      if (places_[i].record) variables_[i].shape[0] = static_cast<std::int64_t>(records);
    }
  }

  /// A file that ends too early is told when it is opened, not in the middle of a run.
  void check_size() const {
    for (std::size_t i = 0; i < variables_.size(); ++i) {
      const Place& place = places_[i];
      const auto records = place.record ? static_cast<std::uint64_t>(variables_[i].shape[0]) : 1;
      if (records == 0 || place.slice_bytes == 0) continue;
      std::uint64_t end = place.begin;
      std::uint64_t before = 0;
      if (__builtin_mul_overflow(records - 1, record_bytes_, &before) || __builtin_add_overflow(end, before, &end) ||
          __builtin_add_overflow(end, place.slice_bytes, &end) || end > file_.size()) {
        file_.fail("is truncated: '" + variables_[i].path + "' lies beyond its " + std::to_string(file_.size()) +
                   " bytes");
      }
    }
  }

  OpenFile file_;
  std::vector<Place> places_;
  unsigned version_ = 1;
  std::uint64_t record_bytes_ = 0;
};

bool probe_classic(std::span<const std::byte> head) {
  if (head.size() < 4 || std::memcmp(head.data(), "CDF", 3) != 0) return false;
  const auto version = static_cast<unsigned>(head[3]);
  return version == 1 || version == 2 || version == 5;
}

std::shared_ptr<const StoredFile> open_classic(OpenFile file) { return std::make_shared<ClassicFile>(std::move(file)); }

}  // namespace

const Format kNetcdfClassic{"NetCDF classic", probe_classic, nullptr, open_classic};

}  // namespace weft::io
