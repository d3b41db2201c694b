// Packed pictures: where their tiles are, and what becomes of their bytes.
#include "io/fits/tiles.hpp"

#include "io/codecs/filters.hpp"
#include "io/formats/chunk_box.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace weft::io::fits {
namespace {

constexpr std::uint64_t kMostTileBytes = std::uint64_t{1} << 31;
constexpr std::size_t kDithers = 10'000;
/// What CFITSIO writes for no value, where a header names no other.
constexpr std::int64_t kBlank = -2147483647;

/// Numbers from 0 to 1 that CFITSIO adds before it rounds: the minimal standard generator, begun at 1.
const std::vector<float>& dithers() {
  static const std::vector<float> all = [] {
    std::vector<float> out(kDithers);
    std::uint64_t seed = 1;
    for (float& one : out) {
      seed = seed * 16807 % 2147483647;
      one = static_cast<float>(static_cast<double>(seed) / 2147483647.0);
    }
    return out;
  }();
  return all;
}

/// Where a list of the table's cell lies behind the table.
struct List {
  std::uint64_t count = 0, place = 0;
};

std::uint64_t big_endian(const std::byte* from, unsigned bytes) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < bytes; ++i) value = value << 8 | static_cast<std::uint64_t>(from[i]);
  return value;
}

List list_in(const Column& column, const std::byte* row) {
  const unsigned word = column.letter == 'Q' ? 8 : 4;
  return {big_endian(row + column.place, word), big_endian(row + column.place + word, word)};
}

double number_in(const Column& column, const std::byte* row) {
  const std::byte* const at = row + column.place;
  switch (column.letter) {
    case 'E':
      return std::bit_cast<float>(static_cast<std::uint32_t>(big_endian(at, 4)));
    case 'D':
      return std::bit_cast<double>(big_endian(at, 8));
    case 'J':
      return static_cast<std::int32_t>(big_endian(at, 4));
    default:
      return 0;
  }
}

unsigned bytes_of_letter(char letter) {
  switch (letter) {
    case 'L':
    case 'B':
    case 'A':
    case 'X':
      return 1;
    case 'I':
      return 2;
    case 'J':
    case 'E':
      return 4;
    case 'K':
    case 'D':
    case 'C':
    case 'P':
      return 8;
    case 'M':
    case 'Q':
      return 16;
    default:
      return 0;
  }
}

std::span<std::byte> read_list(const OpenFile& file, const Packed& packed, const Column& column, const List& list) {
  const std::uint64_t bytes = list.count * std::max(1u, bytes_of_letter(column.list));
  if (list.count > kMostTileBytes || list.place > packed.end - packed.heap ||
      bytes > packed.end - packed.heap - list.place) {
    file.fail("has a tile that lies outside of its heap: it is damaged");
  }
  const std::span<std::byte> memory = stored_memory(bytes);
  file.read(packed.heap + list.place, memory.data(), memory.size());
  return memory;
}

/// Undoes gzip, and GZIP_2's order of bytes; what comes out has the high byte first.
void gunzip(const OpenFile& file, std::span<std::byte> stored, bool shuffled, std::uint32_t element,
            std::span<std::byte> out) {
  if (out.size() / 70000 > stored.size() + 16) file.fail("has a tile that is far too small: it is damaged");
  const std::vector<Filter> steps = {{Filter::kGzip, {}}};
  if (!shuffled) return undo_filters(file.path(), steps, 0, stored, out);
  std::vector<std::byte> turned(out.size());
  undo_filters(file.path(), steps, 0, stored, turned);
  unshuffle(turned.data(), turned.size(), element, out.data());
}

/// The integers that are packed, from bytes with the high one first.
void widen(std::span<const std::byte> from, std::uint32_t element, std::span<std::int64_t> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::uint64_t value = big_endian(from.data() + i * element, element);
    const bool negative = element > 1 && (value >> (8 * element - 1)) != 0;
    if (negative && element < 8) value |= ~((std::uint64_t{1} << (8 * element)) - 1);
    out[i] = static_cast<std::int64_t>(value);
  }
}

void put_integers(std::span<const std::int64_t> values, const ElementType& type, std::span<std::byte> out) {
  for (std::size_t i = 0; i < values.size(); ++i) std::memcpy(out.data() + i * type.bytes, &values[i], type.bytes);
}

/// Floats from what they were rounded to.
void put_floats(const Packed& packed, std::uint64_t number, std::span<const std::int64_t> values, double scale,
                double zero, std::int64_t blank, std::span<std::byte> out) {
  constexpr std::int64_t kZero = -2147483646;
  const std::vector<float>& random = dithers();
  std::size_t row = 0, next = 0;
  if (packed.dithered) {
    row = static_cast<std::size_t>((number + static_cast<std::uint64_t>(packed.first_dither - 1)) % kDithers);
    next = static_cast<std::size_t>(random[row] * 500);
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    double value = 0;
    if (values[i] == blank) {
      value = std::numeric_limits<double>::quiet_NaN();
    } else if (packed.keeps_zeros && values[i] == kZero) {
      value = 0;
    } else if (packed.dithered) {
      value = (static_cast<double>(values[i]) - static_cast<double>(random[next]) + 0.5) * scale + zero;
    } else {
      value = static_cast<double>(values[i]) * scale + zero;
    }
    if (packed.dithered && ++next == kDithers) {
      row = (row + 1) % kDithers;
      next = static_cast<std::size_t>(random[row] * 500);
    }
    if (packed.type.bytes == 8) {
      std::memcpy(out.data() + 8 * i, &value, 8);
    } else {
      const auto single = static_cast<float>(value);
      std::memcpy(out.data() + 4 * i, &single, 4);
    }
  }
}

}  // namespace

std::vector<Column> columns_of(const OpenFile& file, const Header& header) {
  const std::int64_t fields = header.integer("TFIELDS", 0);
  const std::int64_t row_bytes = header.integer("NAXIS1", 0);
  if (fields < 0 || fields > 999) file.fail("has a table of " + std::to_string(fields) + " columns: it is damaged");
  std::vector<Column> columns;
  std::uint64_t place = 0;
  for (std::int64_t field = 1; field <= fields; ++field) {
    const std::string number = std::to_string(field);
    Column& column = columns.emplace_back();
    column.name = header.text("TTYPE" + number);
    if (column.name.empty()) column.name = "column_" + number;
    const std::string form = header.text("TFORM" + number);
    const std::size_t letter = form.find_first_not_of("0123456789");
    if (letter == std::string::npos || letter > 15)
      file.fail("has a column of a type that there is not: it is damaged");
    column.letter = form[letter];
    column.count = letter == 0 ? 1 : std::strtoll(form.c_str(), nullptr, 10);
    if ((column.letter == 'P' || column.letter == 'Q') && letter + 1 < form.size()) column.list = form[letter + 1];
    const std::uint64_t one = bytes_of_letter(column.letter);
    const auto count = static_cast<std::uint64_t>(column.count);
    if (one == 0) file.fail("has a column of a type that there is not: it is damaged");
    column.bytes = column.letter == 'X' ? count / 8 + (count % 8 != 0) : count * one;
    column.place = place;
    place += column.bytes;
    if (count > (std::uint64_t{1} << 40) || place > static_cast<std::uint64_t>(row_bytes)) {
      file.fail("has columns that are wider than its rows: it is damaged");
    }
  }
  return columns;
}

Packed packed_of(const OpenFile& file, const Header& header) {
  Packed packed;
  packed.shape = header.extents(file, "ZNAXIS");
  packed.type = type_of_bits(header.integer("ZBITPIX", 0));
  packed.codec = header.text("ZCMPTYPE");
  const std::int64_t axes = std::ssize(packed.shape);
  std::uint64_t tiles = axes == 0 ? 0 : 1, elements = 1;
  for (std::int64_t i = 0; i < axes; ++i) {
    // The first axis of FITS is the last here.
    const std::int64_t extent = packed.shape[static_cast<std::size_t>(i)];
    const std::int64_t tile = header.integer("ZTILE" + std::to_string(axes - i), i + 1 == axes ? extent : 1);
    if (tile < 1 || extent < 1) file.fail("has tiles that no picture has: it is damaged");
    packed.tile.push_back(std::min(tile, extent));
    const std::int64_t across = (extent - 1) / packed.tile.back() + 1;
    if (__builtin_mul_overflow(tiles, static_cast<std::uint64_t>(across), &tiles) ||
        __builtin_mul_overflow(elements, static_cast<std::uint64_t>(packed.tile.back()), &elements)) {
      file.fail("has tiles that no picture has: it is damaged");
    }
  }
  if (packed.type.kind == ElementKind::Other || elements > kMostTileBytes / 8) {
    file.fail("has a packed picture of numbers that there are not: it is damaged");
  }
  packed.columns = columns_of(file, header);
  const auto column = [&](const char* name) -> const Column* {
    for (const Column& one : packed.columns) {
      if (one.name == name && one.count > 0) return &one;
    }
    return nullptr;
  };
  const auto list = [&](const char* name) -> const Column* {
    const Column* const one = column(name);
    return one != nullptr && one->list != 0 ? one : nullptr;
  };
  packed.data = list("COMPRESSED_DATA");
  packed.gzipped = list("GZIP_COMPRESSED_DATA");
  packed.plain = list("UNCOMPRESSED_DATA");
  packed.scales = column("ZSCALE");
  packed.zeros = column("ZZERO");
  packed.blanks = column("ZBLANK");
  packed.rows = static_cast<std::uint64_t>(std::max<std::int64_t>(0, header.integer("NAXIS2", 0)));
  packed.row_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(0, header.integer("NAXIS1", 0)));
  packed.table = header.data();
  packed.end = header.data() + header.data_bytes();
  const std::uint64_t behind = static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, header.integer("THEAP", static_cast<std::int64_t>(packed.rows * packed.row_bytes))));
  if (behind > header.data_bytes()) file.fail("has a heap that begins behind its end: it is damaged");
  packed.heap = packed.table + behind;
  if (packed.rows < tiles) file.fail("has fewer rows than its picture has tiles: it is damaged");
  packed.scaled =
      packed.type.kind == ElementKind::Float && (packed.scales != nullptr || header.find("ZSCALE") != nullptr);
  packed.scale = header.real("ZSCALE", 1);
  packed.zero = header.real("ZZERO", 0);
  const char* const blank = header.find("ZBLANK") != nullptr ? "ZBLANK" : "BLANK";
  packed.blank = header.integer(blank, kBlank);
  const std::string rounding = header.text("ZQUANTIZ");
  packed.dithered = packed.scaled && rounding.rfind("SUBTRACTIVE_DITHER", 0) == 0;
  packed.keeps_zeros = rounding == "SUBTRACTIVE_DITHER_2";
  packed.first_dither = std::clamp<std::int64_t>(header.integer("ZDITHER0", 1), 1, kDithers);
  packed.stored_bits = packed.scaled ? 32 : header.integer("ZBITPIX", 32);
  for (int i = 1; i < 10; ++i) {
    const std::string name = header.text("ZNAME" + std::to_string(i));
    const std::int64_t value = header.integer("ZVAL" + std::to_string(i), 0);
    if (name == "BLOCKSIZE")
      packed.rice_block = static_cast<std::uint32_t>(std::clamp<std::int64_t>(value, 1, 1 << 20));
    if (name == "BYTEPIX") packed.rice_bytes = static_cast<std::uint32_t>(std::clamp<std::int64_t>(value, 0, 8));
  }
  static constexpr const char* kKnown[] = {"RICE_1", "RICE_ONE", "GZIP_1", "GZIP_2", "NOCOMPRESS"};
  if (std::find(std::begin(kKnown), std::end(kKnown), packed.codec) == std::end(kKnown)) {
    packed.obstacle = "is packed by " + (packed.codec.empty() ? "nothing that it names" : packed.codec) +
                      ", which weft does not read; funpack unpacks it";
  } else if (packed.codec[0] == 'R' && packed.rice_bytes != 1 && packed.rice_bytes != 2 && packed.rice_bytes != 4) {
    packed.obstacle = "is packed by RICE_1 of numbers of " + std::to_string(packed.rice_bytes) + " bytes";
  } else if (packed.data == nullptr && packed.gzipped == nullptr && packed.plain == nullptr) {
    packed.obstacle = "has no column of packed data: it is damaged";
  }
  return packed;
}

void read_tile(const OpenFile& file, const Packed& packed, std::uint64_t number, std::span<std::byte> out) {
  std::vector<std::byte> row(packed.row_bytes);
  file.read(packed.table + number * packed.row_bytes, row.data(), row.size());
  const std::size_t count = out.size() / packed.type.bytes;
  const auto turn = [&] {
    if (packed.type.swapped) swap_bytes(out.data(), count, packed.type.bytes);
  };
  const List main = packed.data != nullptr ? list_in(*packed.data, row.data()) : List{};
  if (main.count == 0) {
    // What could not be made integers was packed as it is, or not at all.
    const List gzipped = packed.gzipped != nullptr ? list_in(*packed.gzipped, row.data()) : List{};
    if (gzipped.count > 0) {
      gunzip(file, read_list(file, packed, *packed.gzipped, gzipped), false, packed.type.bytes, out);
      return turn();
    }
    const List plain = packed.plain != nullptr ? list_in(*packed.plain, row.data()) : List{};
    if (plain.count == 0) file.fail("has a tile without data: it is damaged");
    const std::span<std::byte> bytes = read_list(file, packed, *packed.plain, plain);
    if (bytes.size() != out.size()) file.fail("has a tile of another size: it is damaged");
    std::memcpy(out.data(), bytes.data(), bytes.size());
    return turn();
  }
  const std::span<std::byte> stored = read_list(file, packed, *packed.data, main);
  const bool floats = packed.type.kind == ElementKind::Float;
  const std::uint32_t element = packed.scaled ? 4 : static_cast<std::uint32_t>(std::abs(packed.stored_bits) / 8);
  if (packed.codec[0] == 'R' && floats && !packed.scaled)
    file.fail("has floats that are packed as integers: it is damaged");
  if (!packed.scaled && packed.codec[0] != 'R') {
    if (packed.codec == "NOCOMPRESS") {
      if (stored.size() != out.size()) file.fail("has a tile of another size: it is damaged");
      std::memcpy(out.data(), stored.data(), out.size());
    } else {
      gunzip(file, stored, packed.codec == "GZIP_2", packed.type.bytes, out);
    }
    return turn();
  }
  // Rice packs some hundred equal numbers into a byte or two at best.
  if (count / 4096 > stored.size() + 16) file.fail("has a tile that is far too small: it is damaged");
  thread_local std::vector<std::int64_t> values;
  values.resize(count);
  if (packed.codec[0] == 'R') {
    unpack_rice(file.path(), stored, packed.rice_block, packed.rice_bytes, values);
  } else {
    std::vector<std::byte> bytes(count * element);
    if (packed.codec == "NOCOMPRESS") {
      if (stored.size() != bytes.size()) file.fail("has a tile of another size: it is damaged");
      std::memcpy(bytes.data(), stored.data(), bytes.size());
    } else {
      gunzip(file, stored, packed.codec == "GZIP_2", element, bytes);
    }
    widen(bytes, element, values);
  }
  if (!floats) return put_integers(values, packed.type, out);
  const double scale = packed.scales != nullptr ? number_in(*packed.scales, row.data()) : packed.scale;
  const double zero = packed.zeros != nullptr ? number_in(*packed.zeros, row.data()) : packed.zero;
  const std::int64_t blank =
      packed.blanks != nullptr ? static_cast<std::int64_t>(number_in(*packed.blanks, row.data())) : packed.blank;
  put_floats(packed, number, values, scale, zero, blank, out);
}

}  // namespace weft::io::fits
