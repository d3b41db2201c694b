#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace weft::io {

/// A value of a JSON text, as far as descriptions of files need it.
/// Owns: the values within.  Threading: a value.
class Json {
 public:
  enum Kind { Null, Bool, Number, Text, List, Object };

  /// Throws FileError, beginning with `path`, where the text is not JSON.
  static Json parse(const std::string& text, const std::string& path);

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  bool truth() const { return truth_; }
  double number() const { return number_; }
  /// Of a text; of a number, as it was written.
  const std::string& text() const { return text_; }
  const std::vector<Json>& list() const { return list_; }
  /// Returns a member, or a null where there is none.
  const Json& operator[](const std::string& key) const;
  bool has(const std::string& key) const { return members_.count(key) != 0; }
  const std::map<std::string, Json>& members() const { return members_; }
  /// The value written again, on one line.
  std::string dump() const;

 private:
  friend class JsonReader;
  Kind kind_ = Null;
  bool truth_ = false;
  double number_ = 0;
  std::string text_;
  std::vector<Json> list_;
  std::map<std::string, Json> members_;
};

/// The text in quotation marks, as JSON has it.
std::string quoted_json(const std::string& text);
/// Appends the bytes of a character.
void append_utf8(std::string& text, std::uint32_t code);

}  // namespace weft::io
