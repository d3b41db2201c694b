#pragma once

#include <weft/bag.hpp>
#include <weft/fields.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace weft {

/// An element of an Avro file, as its schema has it: nothing, a truth, a whole number (int, long), a number (float,
/// double), a text (string, bytes, fixed, the name of an enum's symbol), a list, or names with values (record, map). Of
/// a union it is the value itself.
/// Owns: the values within.  Threading: a value.
struct AvroValue {
  using List = std::vector<AvroValue>;
  using Record = std::map<std::string, AvroValue>;
  std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Record> is;

  AvroValue() = default;
  template <class T>
  requires(!std::is_same_v<std::decay_t<T>, AvroValue>) AvroValue(T&& value) {
    using V = std::decay_t<T>;
    if constexpr (std::is_same_v<V, bool> || std::is_same_v<V, List> || std::is_same_v<V, Record> ||
                  std::is_same_v<V, std::monostate>) {
      is = std::forward<T>(value);
    } else if constexpr (std::is_integral_v<V>) {
      is = static_cast<std::int64_t>(value);
    } else if constexpr (std::is_floating_point_v<V>) {
      is = static_cast<double>(value);
    } else {
      static_assert(std::is_convertible_v<T, std::string>,
                    "weft: AvroValue: give a bool, a number, a text, an AvroValue::List or an AvroValue::Record");
      is = std::string(std::forward<T>(value));
    }
  }

  /// Returns a member of a record or a map; throws Error, naming those that there are, where there is none of the name.
  const AvroValue& operator[](const std::string& name) const;
  /// Returns the value as that; throws Error, saying what it is, where it is not. A whole number is a number too.
  std::int64_t whole() const;
  double number() const;
  const std::string& text() const;
  const List& list() const;
  const Record& record() const;
  bool is_null() const { return is.index() == 0; }

  friend bool operator==(const AvroValue& a, const AvroValue& b);
};

template <class Archive>
void weft_fields(Archive& archive, AvroValue& value) {
  archive(value.is);
}

/// Opens Avro object container files as a bag of their elements: paths, patterns such as "logs/*.avro", or addresses
/// (http://, https://, s3://). The codecs null and deflate are read. A partition reads `blocksize` bytes, up to the end
/// of the file's block that begins in them; with 0 each file is one. Whatever the bytes are, the result is right or an
/// error that names the file.
Bag<AvroValue> read_avro(const std::vector<std::string>& paths, const TextOptions& options = {},
                         const std::source_location& where = std::source_location::current());
Bag<AvroValue> read_avro(const std::string& path, const TextOptions& options = {},
                         const std::source_location& where = std::source_location::current());

struct AvroOptions {
  /// "null" or "deflate".
  std::string codec = "deflate";
  /// Of deflate, 1 to 12.
  int level = 6;
};

/// Writes each partition into a file of its own, "out-*.avro" with its number in the place of the *, and returns the
/// paths. `schema`: Avro's, in JSON. Files appear when they are complete, and equal elements give equal bytes. Throws
/// Error where the schema is none, or an element does not fit it, naming the field.
std::vector<std::string> to_avro(const Bag<AvroValue>& bag, const Client& client, const std::string& path,
                                 const std::string& schema, const AvroOptions& options = {},
                                 const std::source_location& where = std::source_location::current());

}  // namespace weft
