#pragma once

#include "io/files/cursor.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weft::frames::parquet {

/// How a field of a record is stored in Thrift's compact protocol.
enum class Wire : std::uint8_t { Stop, True, False, Byte, I16, I32, I64, Double, Binary, List, Set, Map, Struct };

/// Takes a record of Thrift's compact protocol from bytes, field by field. Throws FileError where they end too early or
/// are none. Fields that the caller does not want are passed by `skip`.
/// Owns: nothing; the bytes and the path must outlive it.  Threading: one thread.
class ThriftReader {
 public:
  struct Field {
    std::int16_t id = 0;
    Wire wire = Wire::Stop;
  };
  struct ListHead {
    std::uint64_t size = 0;
    Wire wire = Wire::Stop;
  };

  ThriftReader(const std::string& path, const std::byte* data, std::uint64_t bytes) : cursor_(path, data, bytes) {}

  std::uint64_t place() const { return cursor_.place(); }
  /// Calls `each(field)` for the fields of a record; what it does not take it must skip.
  template <class Each>
  void record(Each each) {
    enter();
    std::int16_t last = 0;
    for (Field field = next(last); field.wire != Wire::Stop; field = next(last)) each(field);
    --depth_;
  }
  /// Calls `each()` for every element of a list of records.
  template <class Each>
  void records(const Field& field, Each each) {
    const ListHead head = list(field, Wire::Struct);
    for (std::uint64_t i = 0; i < head.size; ++i) each();
  }
  std::int64_t whole(const Field& field);
  std::int32_t small(const Field& field);
  bool truth(const Field& field);
  std::string_view text(const Field& field);
  ListHead list(const Field& field, Wire of);
  /// Takes an element of a list of texts or of integers.
  std::string_view list_text();
  std::int64_t list_whole() { return zigzag(); }
  void skip(const Field& field) { skip(field.wire, false); }
  [[noreturn]] void damaged(const char* what) const;

 private:
  void enter();
  Field next(std::int16_t& last);
  void expect(const Field& field, Wire wire) const;
  void skip(Wire wire, bool in_list);
  ListHead list_head();
  std::uint64_t varint();
  std::int64_t zigzag();

  io::Cursor cursor_;
  int depth_ = 0;
};

/// Writes records of Thrift's compact protocol.
/// Owns: the bytes.  Threading: one thread.
class ThriftWriter {
 public:
  const std::string& bytes() const { return bytes_; }
  void begin() { last_.push_back(0); }
  void end();
  void whole(std::int16_t id, std::int64_t value) { integer(id, Wire::I64, value); }
  void small(std::int16_t id, std::int32_t value) { integer(id, Wire::I32, value); }
  void byte(std::int16_t id, std::int8_t value);
  void truth(std::int16_t id, bool value) { head(id, value ? Wire::True : Wire::False); }
  void text(std::int16_t id, std::string_view value);
  /// Begins a field that is a record; ended by `end`.
  void record(std::int16_t id);
  /// Begins a list, whose elements follow: records by begin and end, others by the two below.
  void list(std::int16_t id, Wire of, std::size_t size);
  void element(std::string_view value);
  void element(std::int32_t value);

 private:
  void head(std::int16_t id, Wire wire);
  void integer(std::int16_t id, Wire wire, std::int64_t value);
  void varint(std::uint64_t value);

  std::string bytes_;
  std::vector<std::int16_t> last_;  // number of the last field of each open record
};

}  // namespace weft::frames::parquet
