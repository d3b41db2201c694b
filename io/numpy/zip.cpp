#include "io/numpy/zip.hpp"

#include "io/files/cursor.hpp"
#include "io/files/open_file.hpp"

#include <algorithm>
#include <cstring>

namespace weft::io::zip {
namespace {

constexpr std::uint32_t kHeader = 0x04034b50, kEntry = 0x02014b50, kEnd = 0x06054b50, kEnd64 = 0x06064b50,
                        kLocator64 = 0x07064b50;
constexpr std::uint64_t kEndBytes = 22, kLocatorBytes = 20, kEnd64Bytes = 56, kHeaderBytes = 30;
/// In a field of four or two bytes: look in the extra field.
constexpr std::uint32_t kElsewhere = 0xffffffff;
constexpr std::uint16_t kElsewhere16 = 0xffff, kExtra64 = 1;
constexpr std::uint16_t kVersion64 = 45, kEncrypted = 1, kUtf8 = 1 << 11;
/// 1980-01-01: equal arrays give equal files.
constexpr std::uint32_t kDate = 0x00210000;

struct Directory {
  std::uint64_t entries = 0, place = 0, bytes = 0;
};

Directory find_directory(const OpenFile& file) {
  // A comment of up to 64 KiB may stand behind the end.
  const std::uint64_t bytes = std::min<std::uint64_t>(file.size(), kEndBytes + 0xffff);
  std::vector<std::byte> tail(bytes);
  file.read(file.size() - bytes, tail.data(), bytes);
  std::uint64_t at = bytes < kEndBytes ? 0 : bytes - kEndBytes + 1;
  static constexpr unsigned char kSignature[] = {'P', 'K', 5, 6};
  while (at > 0 && std::memcmp(tail.data() + at - 1, kSignature, 4) != 0) --at;
  if (at-- == 0) file.fail("has no directory of its members at its end: it is truncated or damaged");
  Cursor end(file.path(), tail.data() + at, bytes - at);
  end.skip(8);
  Directory found;
  end.skip(2);
  found.entries = end.u16();
  found.bytes = end.u32();
  found.place = end.u32();
  const bool large = found.entries == kElsewhere16 || found.bytes == kElsewhere || found.place == kElsewhere;
  const std::uint64_t place = file.size() - bytes + at;
  if (!large || place < kLocatorBytes) return found;
  std::byte locator[kLocatorBytes], end64[kEnd64Bytes];
  file.read(place - kLocatorBytes, locator, sizeof locator);
  Cursor where(file.path(), locator, sizeof locator);
  if (where.u32() != kLocator64) return found;
  where.skip(4);
  file.read(where.u64(), end64, sizeof end64);
  Cursor whole(file.path(), end64, sizeof end64);
  if (whole.u32() != kEnd64) file.fail("has a damaged directory of its members");
  whole.skip(28);
  found.entries = whole.u64();
  found.bytes = whole.u64();
  found.place = whole.u64();
  return found;
}

void read_extra64(Cursor extra, Member& member) {
  while (extra.left() >= 4) {
    const std::uint16_t id = extra.u16();
    const std::uint16_t bytes = extra.u16();
    if (id != kExtra64) {
      extra.skip(bytes);
      continue;
    }
    // Only those are there that did not fit, in this order.
    for (std::uint64_t* const field : {&member.bytes, &member.packed, &member.header}) {
      if (*field == kElsewhere) *field = extra.u64();
    }
    return;
  }
}

void put(std::string& out, std::uint64_t value, int bytes) {
  for (; bytes > 0; --bytes, value >>= 8) out += static_cast<char>(value & 0xff);
}

/// What headers and entries share, from the version to the lengths.
void put_common(std::string& out, const Member& member) {
  put(out, kVersion64, 2);
  put(out, kUtf8, 2);
  put(out, member.method, 2);
  put(out, kDate, 4);
  put(out, member.crc, 4);
  put(out, kElsewhere, 4);
  put(out, kElsewhere, 4);
  put(out, member.name.size(), 2);
}

}  // namespace

std::vector<Member> read_directory(const OpenFile& file) {
  const Directory directory = find_directory(file);
  constexpr std::uint64_t kEntryBytes = 46;
  if (directory.place > file.size() || directory.bytes > file.size() - directory.place ||
      directory.entries > directory.bytes / kEntryBytes) {
    file.fail("has a damaged directory of its members");
  }
  std::vector<std::byte> bytes(directory.bytes);
  file.read(directory.place, bytes.data(), bytes.size());
  Cursor cursor(file.path(), bytes.data(), bytes.size());
  std::vector<Member> members(directory.entries);
  for (Member& one : members) {
    if (cursor.u32() != kEntry) file.fail("has a damaged directory of its members");
    cursor.skip(4);
    one.encrypted = (cursor.u16() & kEncrypted) != 0;
    one.method = cursor.u16();
    cursor.skip(4);
    one.crc = cursor.u32();
    one.packed = cursor.u32();
    one.bytes = cursor.u32();
    const std::uint16_t name = cursor.u16(), extra = cursor.u16(), comment = cursor.u16();
    cursor.skip(8);
    one.header = cursor.u32();
    one.name = cursor.text(name);
    read_extra64(Cursor(file.path(), cursor.take(extra), extra), one);
    cursor.skip(comment);
  }
  return members;
}

std::uint64_t data_of(const OpenFile& file, const Member& member) {
  std::byte bytes[kHeaderBytes];
  file.read(member.header, bytes, sizeof bytes);
  Cursor cursor(file.path(), bytes, sizeof bytes);
  if (cursor.u32() != kHeader) file.fail("has no member '" + member.name + "' where its directory says: it is damaged");
  cursor.skip(22);
  const std::uint64_t name = cursor.u16(), extra = cursor.u16();
  const std::uint64_t place = member.header + kHeaderBytes + name + extra;
  if (place > file.size() || member.packed > file.size() - place) {
    file.fail("is truncated: its member '" + member.name + "' lies beyond its end");
  }
  return place;
}

std::string header_of(const Member& member) {
  std::string out;
  put(out, kHeader, 4);
  put_common(out, member);
  put(out, 20, 2);
  out += member.name;
  put(out, kExtra64, 2);
  put(out, 16, 2);
  put(out, member.bytes, 8);
  put(out, member.packed, 8);
  return out;
}

std::string directory_of(const std::vector<Member>& members, std::uint64_t place) {
  std::string out;
  for (const Member& one : members) {
    put(out, kEntry, 4);
    put(out, kVersion64, 2);
    put_common(out, one);
    put(out, 28, 2);
    put(out, 0, 10);
    put(out, kElsewhere, 4);
    out += one.name;
    put(out, kExtra64, 2);
    put(out, 24, 2);
    put(out, one.bytes, 8);
    put(out, one.packed, 8);
    put(out, one.header, 8);
  }
  const std::uint64_t bytes = out.size();
  put(out, kEnd64, 4);
  put(out, kEnd64Bytes - 12, 8);
  put(out, kVersion64, 2);
  put(out, kVersion64, 2);
  put(out, 0, 8);
  put(out, members.size(), 8);
  put(out, members.size(), 8);
  put(out, bytes, 8);
  put(out, place, 8);
  put(out, kLocator64, 4);
  put(out, 0, 4);
  put(out, place + bytes, 8);
  put(out, 1, 4);
  put(out, kEnd, 4);
  put(out, 0, 4);
  put(out, kElsewhere16, 2);
  put(out, kElsewhere16, 2);
  put(out, kElsewhere, 4);
  put(out, kElsewhere, 4);
  put(out, 0, 2);
  return out;
}

}  // namespace weft::io::zip
