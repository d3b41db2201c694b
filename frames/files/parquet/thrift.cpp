#include "frames/files/parquet/thrift.hpp"

#include <limits>

namespace weft::frames::parquet {
namespace {

// Parquet's own records are five deep; damaged ones might be as deep as they are long.
constexpr int kMostDepth = 32;

std::uint64_t zigzagged(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

}  // namespace

void ThriftReader::damaged(const char* what) const { cursor_.fail(std::string(what) + ": the file is damaged"); }

void ThriftReader::enter() {
  if (++depth_ > kMostDepth) damaged("its description nests too deep");
}

std::uint64_t ThriftReader::varint() {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const std::uint8_t byte = cursor_.u8();
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  damaged("a number in its description has no end");
}

std::int64_t ThriftReader::zigzag() {
  const std::uint64_t value = varint();
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

ThriftReader::Field ThriftReader::next(std::int16_t& last) {
  const std::uint8_t byte = cursor_.u8();
  Field field;
  field.wire = static_cast<Wire>(byte & 0x0f);
  if (field.wire == Wire::Stop) return field;
  if (field.wire > Wire::Struct) damaged("a field of its description has a type that is none");
  const std::int64_t id = (byte >> 4) != 0 ? last + (byte >> 4) : zigzag();
  if (id < 0 || id > std::numeric_limits<std::int16_t>::max())
    damaged("a field of its description has a number that is none");
  field.id = last = static_cast<std::int16_t>(id);
  return field;
}

void ThriftReader::expect(const Field& field, Wire wire) const {
  if (field.wire != wire) damaged("a field of its description has another type than Parquet says");
}

std::int64_t ThriftReader::whole(const Field& field) {
  if (field.wire == Wire::Byte) return static_cast<std::int8_t>(cursor_.u8());
  if (field.wire != Wire::I16 && field.wire != Wire::I32) expect(field, Wire::I64);
  return zigzag();
}

std::int32_t ThriftReader::small(const Field& field) {
  const std::int64_t value = whole(field);
  if (value < std::numeric_limits<std::int32_t>::min() || value > std::numeric_limits<std::int32_t>::max())
    damaged("a number in its description is too large");
  return static_cast<std::int32_t>(value);
}

bool ThriftReader::truth(const Field& field) {
  if (field.wire != Wire::False) expect(field, Wire::True);
  return field.wire == Wire::True;
}

std::string_view ThriftReader::list_text() {
  const std::uint64_t size = varint();
  return {reinterpret_cast<const char*>(cursor_.take(size)), static_cast<std::size_t>(size)};
}

std::string_view ThriftReader::text(const Field& field) {
  expect(field, Wire::Binary);
  return list_text();
}

ThriftReader::ListHead ThriftReader::list_head() {
  const std::uint8_t byte = cursor_.u8();
  ListHead head;
  head.wire = static_cast<Wire>(byte & 0x0f);
  head.size = byte >> 4;
  if (head.size == 15) head.size = varint();
  // Every element takes a byte at least.
  if (head.size > cursor_.left()) damaged("a list in its description is longer than the description");
  return head;
}

ThriftReader::ListHead ThriftReader::list(const Field& field, Wire of) {
  expect(field, Wire::List);
  const ListHead head = list_head();
  if (head.wire != of && head.size != 0) damaged("a list in its description has another type than Parquet says");
  return head;
}

void ThriftReader::skip(Wire wire, bool in_list) {
  switch (wire) {
    case Wire::True:
    case Wire::False:
      if (in_list) cursor_.skip(1);
      return;
    case Wire::Byte:
      return cursor_.skip(1);
    case Wire::I16:
    case Wire::I32:
    case Wire::I64:
      varint();
      return;
    case Wire::Double:
      return cursor_.skip(8);
    case Wire::Binary:
      list_text();
      return;
    case Wire::List:
    case Wire::Set: {
      const ListHead head = list_head();
      enter();
      for (std::uint64_t i = 0; i < head.size; ++i) skip(head.wire, true);
      --depth_;
      return;
    }
    case Wire::Map: {
      const std::uint64_t size = varint();
      if (size == 0) return;
      const std::uint8_t kinds = cursor_.u8();
      if (size > cursor_.left()) damaged("a map in its description is longer than the description");
      enter();
      for (std::uint64_t i = 0; i < size; ++i) {
        skip(static_cast<Wire>(kinds >> 4), true);
        skip(static_cast<Wire>(kinds & 0x0f), true);
      }
      --depth_;
      return;
    }
    case Wire::Struct:
      return record([this](const Field& field) { skip(field); });
    case Wire::Stop:
      break;
  }
  damaged("a field of its description has a type that is none");
}

void ThriftWriter::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>(value | 0x80));
  bytes_.push_back(static_cast<char>(value));
}

void ThriftWriter::head(std::int16_t id, Wire wire) {
  const int step = id - last_.back();
  last_.back() = id;
  if (step > 0 && step < 16) {
    bytes_.push_back(static_cast<char>(step << 4 | static_cast<int>(wire)));
  } else {
    bytes_.push_back(static_cast<char>(wire));
    varint(zigzagged(id));
  }
}

void ThriftWriter::end() {
  bytes_.push_back(0);
  last_.pop_back();
}

void ThriftWriter::integer(std::int16_t id, Wire wire, std::int64_t value) {
  head(id, wire);
  varint(zigzagged(value));
}

void ThriftWriter::byte(std::int16_t id, std::int8_t value) {
  head(id, Wire::Byte);
  bytes_.push_back(static_cast<char>(value));
}

void ThriftWriter::text(std::int16_t id, std::string_view value) {
  head(id, Wire::Binary);
  element(value);
}

void ThriftWriter::element(std::string_view value) {
  varint(value.size());
  bytes_ += value;
}

void ThriftWriter::element(std::int32_t value) { varint(zigzagged(value)); }

void ThriftWriter::record(std::int16_t id) {
  head(id, Wire::Struct);
  begin();
}

void ThriftWriter::list(std::int16_t id, Wire of, std::size_t size) {
  head(id, Wire::List);
  if (size < 15) {
    bytes_.push_back(static_cast<char>(size << 4 | static_cast<std::size_t>(of)));
  } else {
    bytes_.push_back(static_cast<char>(0xf0 | static_cast<int>(of)));
    varint(size);
  }
}

}  // namespace weft::frames::parquet
