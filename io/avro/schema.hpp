#pragma once

#include <weft/avro.hpp>

#include "io/files/json.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace weft::io::avro {

enum class Kind : std::uint8_t {
  Null,
  Boolean,
  Int,
  Long,
  Float,
  Double,
  Bytes,
  String,
  Record,
  Enum,
  Array,
  Map,
  Union,
  Fixed
};

/// A schema: types by number, which name each other; the first is that of an element.
/// Owns: itself.  Threading: a value; read by any thread.
class Schema {
 public:
  struct Type {
    Kind kind = Kind::Null;
    std::string name;                  // of records, enums and fixed
    std::vector<std::string> names;    // of a record's fields, an enum's symbols
    std::vector<std::uint32_t> parts;  // types of fields, of a union's branches, of items
    std::uint64_t bytes = 0;           // of fixed
  };

  /// Throws FileError, beginning with `path`, where the text is no schema.
  Schema(const std::string& text, const std::string& path);

  /// Takes a value off the front of the bytes; throws FileError where they end, or make no sense.
  AvroValue read(std::span<const std::byte>& from) const;
  /// Appends a value; throws Error, naming the field, where it does not fit.
  void write(const AvroValue& value, std::vector<std::byte>& out) const;

 private:
  class Parser;
  /// How far inside a value lies, and how many values more are believed.
  struct Depth {
    unsigned now = 0;
    std::uint64_t* left = nullptr;
    Depth inside() const { return {now + 1, left}; }
  };
  AvroValue read(const Type& type, std::span<const std::byte>& from, Depth depth) const;
  void write(const Type& type, const AvroValue& value, std::vector<std::byte>& out, const std::string& place,
             unsigned depth) const;
  bool fits(const Type& type, const AvroValue& value) const;
  const Type& part(const Type& type, std::size_t i) const { return types_[type.parts[i]]; }
  [[noreturn]] void damaged(const std::string& what) const;

  const std::string path_;
  std::vector<Type> types_;
};

/// What a value is, for people: "a text".
const char* kind_of(const AvroValue& value);

/// Avro's whole numbers: zigzag, seven bits a byte. Throws FileError where the bytes end or there are too many.
std::int64_t take_long(std::span<const std::byte>& from, const std::string& path);
void put_long(std::vector<std::byte>& out, std::int64_t value);

}  // namespace weft::io::avro
