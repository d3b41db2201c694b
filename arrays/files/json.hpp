#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace weft::arrays::files {

/// A value of a JSON text, as far as descriptions of arrays need it.
/// Owns: the values within.  Threading: a value.
class Json {
 public:
  enum Kind { Null, Bool, Number, Text, List, Object };

  /// Throws Error, beginning with `path`, where the text is not JSON.
  static Json parse(const std::string& text, const std::string& path);

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  bool truth() const { return truth_; }
  double number() const { return number_; }
  const std::string& text() const { return text_; }
  const std::vector<Json>& list() const { return list_; }
  /// Returns a member, or a null where there is none.
  const Json& operator[](const std::string& key) const;
  bool has(const std::string& key) const { return members_.count(key) != 0; }

 private:
  friend class JsonReader;
  Kind kind_ = Null;
  bool truth_ = false;
  double number_ = 0;
  std::string text_;
  std::vector<Json> list_;
  std::map<std::string, Json> members_;
};

}  // namespace weft::arrays::files
