#include "io/grib/messages.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace weft::io::grib {
namespace {

/// Descriptions are small; a section of pl numbers or of vertical coordinates has a few thousand bytes.
constexpr std::uint64_t kMostHead = 16 << 20;
/// Files that begin with something else: a WMO heading has some dozens of bytes.
constexpr std::uint64_t kMostBetween = 1 << 20;

std::uint64_t number(const std::byte* from, unsigned bytes) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < bytes; ++i) value = value << 8 | static_cast<std::uint64_t>(from[i]);
  return value;
}

void put_number(std::byte* to, std::uint64_t value, unsigned bytes) {
  for (unsigned i = bytes; i-- > 0; value >>= 8) to[i] = static_cast<std::byte>(value);
}

/// The first bit is the sign.
int signed_number(const std::byte* from, unsigned bytes) {
  const std::uint64_t value = number(from, bytes);
  const std::uint64_t sign = std::uint64_t{1} << (8 * bytes - 1);
  return (value & sign) != 0 ? -static_cast<int>(value & (sign - 1)) : static_cast<int>(value);
}

/// A number of edition 1: sign, exponent of 16, fraction.
double ibm_number(const std::byte* from) {
  const std::uint64_t bits = number(from, 4);
  const double fraction = static_cast<double>(bits & 0xffffff) / 0x1p24;
  const double value = std::ldexp(fraction, 4 * (static_cast<int>(bits >> 24 & 127) - 64));
  return (bits >> 31) != 0 ? -value : value;
}

bool is_grib(const std::byte* from) { return std::memcmp(from, "GRIB", 4) == 0; }

/// Looks through one file.
/// Owns: the pages it read.  Threading: one thread.
class Finder {
 public:
  explicit Finder(const OpenFile& file) : file_(file), pages_(file) {}

  std::vector<Field> all() {
    std::uint64_t place = 0;
    while (next(place)) {
      const std::byte* const head = pages_.at(place, 8);
      const auto edition = static_cast<int>(head[7]);
      if (edition == 1) {
        place = edition_1(place);
      } else if (edition == 2) {
        place = edition_2(place);
      } else {
        file_.fail("has a GRIB message of edition " + std::to_string(edition) + ", which weft does not know");
      }
    }
    if (fields_.empty()) file_.fail("holds no GRIB message");
    return std::move(fields_);
  }

 private:
  [[noreturn]] void damaged(std::uint64_t place) const {
    file_.fail("its GRIB message at byte " + std::to_string(place) + " is damaged");
  }

  /// Moves on to the next message; false at the end of the file.
  bool next(std::uint64_t& place) {
    for (std::uint64_t looked = 0; place + 8 <= file_.size() && looked < kMostBetween; ++place, ++looked) {
      if (is_grib(pages_.at(place, 4))) return true;
    }
    return false;
  }

  void keep(std::vector<std::byte>& head, std::uint64_t place, std::uint64_t bytes) {
    if (bytes > kMostHead) damaged(place);
    const std::byte* const from = pages_.at(place, bytes);
    head.insert(head.end(), from, from + bytes);
  }

  std::uint64_t edition_1(std::uint64_t place) {
    Field field;
    field.edition = 1;
    keep(field.indicator, place, 8);
    std::uint64_t total = number(field.indicator.data() + 4, 3);
    std::uint64_t at = place + 8;
    const std::uint64_t product = number(pages_.at(at, 3), 3);
    if (product < 28) damaged(place);
    keep(field.head, at, product);
    const auto flags = static_cast<unsigned>(field.head[7]);
    field.decimal = signed_number(field.head.data() + 26, 2);
    at += product;
    if ((flags & 0x80) != 0) {
      const std::uint64_t grid = number(pages_.at(at, 3), 3);
      if (grid < 6) damaged(place);
      keep(field.head, at, grid);
      at += grid;
    }
    if ((flags & 0x40) != 0) {
      const std::uint64_t bytes = number(pages_.at(at, 3), 3);
      if (bytes < 6) damaged(place);
      // A bitmap that is known by a number only is ecCodes' business.
      if (number(pages_.at(at + 4, 2), 2) == 0) field.bitmap = {at + 6, bytes - 6};
      field.bitmap_section = {at, bytes};
      at += bytes;
    }
    const std::byte* const section = pages_.at(at, 11);
    std::uint64_t bytes = number(section, 3);
    // Messages of more than 8 MiB count in pieces of 120 bytes, and their section says how many of the last are not
    // theirs.
    if ((total & 0x800000) != 0 && bytes < 120) {
      total = (total & 0x7fffff) * 120 - bytes + 4;
      if (total + place < at + 4) damaged(place);
      bytes = place + total - 4 - at;
    }
    if (bytes < 11 || at + bytes + 4 > place + total) damaged(place);
    const auto packing = static_cast<unsigned>(section[3]);
    field.binary = signed_number(section + 4, 2);
    field.reference = ibm_number(section + 6);
    field.bits = static_cast<unsigned>(section[10]);
    field.data_section = {at, bytes};
    field.data = {at + 11, bytes - 11};
    const bool bitmap_known = field.bitmap_section.bytes == 0 || field.bitmap.bytes > 0;
    field.simple = (packing >> 4) == 0 && field.bits > 0 && field.bits <= 32 && bitmap_known;
    if (field.bits > 0)
      field.count = (field.data.bytes * 8 - std::min<std::uint64_t>(packing & 15, field.data.bytes * 8)) / field.bits;
    check_end(place, total);
    fields_.push_back(std::move(field));
    return place + total;
  }

  void check_end(std::uint64_t place, std::uint64_t total) {
    if (total < 12 || total > file_.size() - place) {
      file_.fail("is truncated: its GRIB message at byte " + std::to_string(place) + " has " + std::to_string(total) +
                 " bytes, and the file ends before");
    }
    if (std::memcmp(pages_.at(place + total - 4, 4), "7777", 4) != 0) damaged(place);
  }

  std::uint64_t edition_2(std::uint64_t place) {
    std::vector<std::byte> indicator;
    keep(indicator, place, 16);
    const std::uint64_t total = number(indicator.data() + 8, 8);
    check_end(place, total);
    const std::uint64_t end = place + total - 4;
    // The sections that hold now: a field is complete with its section 7, and the next may repeat from 2, 3 or 4 on.
    Piece sections[8];
    Piece last_bitmap;
    for (std::uint64_t at = place + 16; at < end;) {
      if (end - at < 5) damaged(place);
      const std::byte* const section = pages_.at(at, 5);
      const std::uint64_t bytes = number(section, 4);
      const auto which = static_cast<unsigned>(section[4]);
      if (bytes < 5 || bytes > end - at || which < 1 || which > 7) damaged(place);
      sections[which] = {at, bytes};
      if (which == 7) {
        Field field;
        field.indicator = indicator;
        for (unsigned k = 1; k <= 5; ++k) {
          if (sections[k].bytes == 0 && k == 2) continue;
          if (sections[k].bytes == 0) damaged(place);
          keep(field.head, sections[k].place, sections[k].bytes);
        }
        describe_values(field, sections, last_bitmap, place);
        fields_.push_back(std::move(field));
      }
      at += bytes;
    }
    if (sections[7].bytes == 0) damaged(place);
    return place + total;
  }

  void describe_values(Field& field, const Piece (&sections)[8], Piece& last_bitmap, std::uint64_t place) {
    if (sections[5].bytes < 11 || sections[6].bytes < 6) damaged(place);
    const std::byte* const packing = pages_.at(sections[5].place, sections[5].bytes);
    field.count = number(packing + 5, 4);
    const bool simple = number(packing + 9, 2) == 0 && sections[5].bytes >= 20;
    if (simple) {
      field.reference = std::bit_cast<float>(static_cast<std::uint32_t>(number(packing + 11, 4)));
      field.binary = signed_number(packing + 15, 2);
      field.decimal = signed_number(packing + 17, 2);
      field.bits = static_cast<unsigned>(packing[19]);
    }
    const auto kind = static_cast<unsigned>(*pages_.at(sections[6].place + 5, 1));
    if (kind == 0) last_bitmap = sections[6];
    if (kind == 0 || kind == 254) {
      if (last_bitmap.bytes == 0) damaged(place);
      field.bitmap_section = last_bitmap;
      field.bitmap = {last_bitmap.place + 6, last_bitmap.bytes - 6};
    } else if (kind != 255) {
      // One that is known by a number only.
      field.bitmap_section = sections[6];
    }
    field.data_section = sections[7];
    field.data = {sections[7].place + 5, sections[7].bytes - 5};
    const bool bitmap_known = field.bitmap_section.bytes == 0 || field.bitmap.bytes > 0;
    field.simple = simple && field.bits > 0 && field.bits <= 32 && bitmap_known;
  }

  const OpenFile& file_;
  PagedFile pages_;
  std::vector<Field> fields_;
};

void append(std::vector<std::byte>& to, const OpenFile& file, const Piece& piece) {
  const std::size_t before = to.size();
  to.resize(before + piece.bytes);
  file.read(piece.place, to.data() + before, piece.bytes);
}

}  // namespace

std::int64_t days_of(std::int64_t year, std::int64_t month, std::int64_t day) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t of_era = year - era * 400;
  const std::int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

namespace {

/// The time of parts that are told one by one; nothing where they are none of a calendar.
bool time_of(const std::int64_t (&parts)[6], std::int64_t& out) {
  const auto [year, month, day, hour, minute, second] = parts;
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59) return false;
  out = days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
  return true;
}

}  // namespace

Likeness likeness_of(const Field& field) {
  Likeness out;
  out.text.assign(reinterpret_cast<const char*>(field.head.data()), field.head.size());
  const auto byte = [&](std::size_t place) { return static_cast<std::int64_t>(field.head[place]); };
  const auto blank = [&](std::size_t place, std::size_t bytes) { out.text.replace(place, bytes, bytes, '\0'); };
  out.text += static_cast<char>(field.edition);
  if (field.edition == 1) {
    if (!time_of({(byte(24) - 1) * 100 + byte(12), byte(13), byte(14), byte(15), byte(16), 0}, out.time)) return {};
    blank(12, 5);
    return out;
  }
  // Edition 2: sections, each with its length and its number.
  bool dated = false;
  for (std::size_t at = 0; at + 5 <= field.head.size();) {
    const std::size_t bytes = number(field.head.data() + at, 4);
    const std::int64_t section = byte(at + 4);
    if (bytes < 5 || bytes > field.head.size() - at) return {};
    if (section == 1 && bytes >= 19) {
      dated = time_of({static_cast<std::int64_t>(number(field.head.data() + at + 12, 2)), byte(at + 14), byte(at + 15),
                       byte(at + 16), byte(at + 17), byte(at + 18)},
                      out.time);
      blank(at + 12, 7);
    } else if (section == 4 && bytes >= 9) {
      // Of a point in time. What is over an interval tells its end as a date, and how long it is follows from both.
      const std::uint64_t kind = number(field.head.data() + at + 7, 2);
      if (kind > 2 && kind != 40 && kind != 44 && kind != 48) return {};
    } else if (section == 5) {
      blank(at + 5, bytes - 5);
    }
    at += bytes;
  }
  return dated ? out : Likeness{};
}

std::vector<Field> find_fields(const OpenFile& file) { return Finder(file).all(); }

std::vector<std::byte> message_of(const OpenFile& file, const Field& field, bool values) {
  std::vector<std::byte> message = field.indicator;
  const std::size_t first = message.size();
  message.insert(message.end(), field.head.begin(), field.head.end());
  const bool bitmap = values && field.bitmap_section.bytes > 0;
  if (field.edition == 1) {
    // Octet 8 of the product says which sections follow.
    std::byte& flags = message[first + 7];
    flags = bitmap ? flags : flags & std::byte{0xbf};
  }
  if (bitmap) append(message, file, field.bitmap_section);
  if (field.edition == 2 && !bitmap) {
    const std::byte none[6] = {std::byte{0}, std::byte{0}, std::byte{0}, std::byte{6}, std::byte{6}, std::byte{255}};
    message.insert(message.end(), none, none + 6);
  }
  const std::size_t section = message.size();
  const unsigned head = field.edition == 1 ? 11 : 5;
  append(message, file, values ? field.data_section : Piece{field.data_section.place, head});
  if (field.edition == 2 && !values) put_number(message.data() + section, head, 4);
  if (field.edition == 1)
    put_number(message.data() + section, std::min<std::uint64_t>(message.size() - section, 0xffffff), 3);
  for (int i = 0; i < 4; ++i) message.push_back(std::byte{'7'});
  if (field.edition == 1) {
    put_number(message.data() + 4, std::min<std::uint64_t>(message.size(), 0x7fffff), 3);
  } else {
    put_number(message.data() + 8, message.size(), 8);
  }
  return message;
}

void unpack_simple(const OpenFile& file, const Field& field, std::uint64_t points, float* out) {
  thread_local std::vector<std::byte> packed, mask;
  // Eight bytes more, so that each number can be taken from a whole word.
  packed.assign(field.data.bytes + 8, std::byte{0});
  file.read(field.data.place, packed.data(), field.data.bytes);
  const std::uint64_t most = field.data.bytes * 8 / field.bits;
  const std::uint64_t stored = std::min(field.count, most);
  mask.clear();
  if (field.bitmap.bytes > 0) {
    if (field.bitmap.bytes < (points + 7) / 8) file.fail("has a bitmap that is shorter than its grid: it is damaged");
    mask.resize(field.bitmap.bytes);
    file.read(field.bitmap.place, mask.data(), mask.size());
  } else if (stored < points) {
    file.fail("has a field of " + std::to_string(stored) + " values for " + std::to_string(points) +
              " places: it is damaged");
  }
  const double step = std::ldexp(1.0, field.binary);
  // Step by step, as ecCodes has it: the last bit is the same.
  double scale = 1;
  for (int i = 0; i < field.decimal; ++i) scale /= 10;
  for (int i = 0; i > field.decimal; --i) scale *= 10;
  std::uint64_t bit = 0, taken = 0;
  for (std::uint64_t i = 0; i < points; ++i) {
    const bool there = mask.empty() || (static_cast<unsigned>(mask[i / 8]) >> (7 - i % 8) & 1) != 0;
    if (!there) {
      out[i] = std::numeric_limits<float>::quiet_NaN();
      continue;
    }
    if (taken++ == stored) file.fail("has a field with fewer values than its bitmap says: it is damaged");
    std::uint64_t word = 0;
    std::memcpy(&word, packed.data() + bit / 8, 8);
    word = __builtin_bswap64(word) << bit % 8 >> (64 - field.bits);
    bit += field.bits;
    out[i] = static_cast<float>((static_cast<double>(word) * step + field.reference) * scale);
  }
}

}  // namespace weft::io::grib
