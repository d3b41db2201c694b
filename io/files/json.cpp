#include "io/files/json.hpp"

#include "core/diagnostics/write_file.hpp"
#include "io/files/open_file.hpp"

#include <cctype>
#include <cstdlib>

namespace weft::io {

/// Reads one value after the other.
/// Owns: nothing.  Threading: one thread.
class JsonReader {
 public:
  JsonReader(const std::string& text, const std::string& path) : text_(text), path_(path) {}

  Json whole() {
    Json value = read(0);
    skip();
    if (at_ != text_.size()) refuse();
    return value;
  }

 private:
  static constexpr int kDeepest = 64;

  [[noreturn]] void refuse() const { fail(path_, "is not JSON: something else stands at byte " + std::to_string(at_)); }
  void skip() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  char next() {
    skip();
    if (at_ >= text_.size()) refuse();
    return text_[at_];
  }
  bool take(char wanted) {
    if (next() != wanted) return false;
    ++at_;
    return true;
  }
  bool word(const char* wanted) {
    const std::string one(wanted);
    if (text_.compare(at_, one.size(), one) != 0) return false;
    at_ += one.size();
    return true;
  }

  Json read(int depth) {
    if (depth > kDeepest) refuse();
    Json value;
    const char first = next();
    if (first == '{') {
      ++at_;
      value.kind_ = Json::Object;
      if (take('}')) return value;
      do {
        if (next() != '"') refuse();
        std::string key = string();
        if (!take(':')) refuse();
        value.members_[std::move(key)] = read(depth + 1);
      } while (take(','));
      if (!take('}')) refuse();
    } else if (first == '[') {
      ++at_;
      value.kind_ = Json::List;
      if (take(']')) return value;
      do {
        value.list_.push_back(read(depth + 1));
      } while (take(','));
      if (!take(']')) refuse();
    } else if (first == '"') {
      value.kind_ = Json::Text;
      value.text_ = string();
    } else if (word("true")) {
      value.kind_ = Json::Bool;
      value.truth_ = true;
    } else if (word("false")) {
      value.kind_ = Json::Bool;
    } else if (word("NaN") || word("Infinity") || word("-Infinity")) {
      // Not JSON, but what Python writes.
      value.kind_ = Json::Text;
      value.text_ = text_[at_ - 1] == 'N' ? "NaN" : first == '-' ? "-Infinity" : "Infinity";
    } else if (!word("null")) {
      value.kind_ = Json::Number;
      char* end = nullptr;
      value.number_ = std::strtod(text_.c_str() + at_, &end);
      if (end == text_.c_str() + at_) refuse();
      value.text_ = std::string(text_.c_str() + at_, static_cast<const char*>(end));
      at_ = static_cast<std::size_t>(end - text_.c_str());
    }
    return value;
  }

  /// Four hexadecimal digits behind a u; `at_` is left on the last.
  std::uint32_t unit() {
    if (at_ + 4 >= text_.size()) refuse();
    std::uint32_t code = 0;
    for (int i = 0; i < 4; ++i) {
      const char digit = text_[++at_];
      if (std::isxdigit(static_cast<unsigned char>(digit)) == 0) refuse();
      code = code * 16 + static_cast<std::uint32_t>(digit <= '9' ? digit - '0' : (digit | 32) - 'a' + 10);
    }
    return code;
  }
  /// Characters beyond 16 bits are two units.
  std::uint32_t code_point() {
    const std::uint32_t first = unit();
    if (first < 0xd800 || first > 0xdfff) return first;
    if (first > 0xdbff || text_.compare(at_ + 1, 2, "\\u") != 0) return kNoCharacter;
    at_ += 2;
    const std::uint32_t second = unit();
    return second < 0xdc00 || second > 0xdfff ? kNoCharacter : 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
  }
  static constexpr std::uint32_t kNoCharacter = 0xfffd;

  std::string string() {
    std::string value;
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] != '\\') {
        value += text_[at_];
        continue;
      }
      if (++at_ >= text_.size()) refuse();
      switch (text_[at_]) {
        case 'n':
          value += '\n';
          break;
        case 't':
          value += '\t';
          break;
        case 'b':
          value += '\b';
          break;
        case 'f':
          value += '\f';
          break;
        case 'r':
          value += '\r';
          break;
        case 'u':
          append_utf8(value, code_point());
          break;
        default:
          value += text_[at_];
      }
    }
    if (at_ >= text_.size()) refuse();
    ++at_;
    return value;
  }

  const std::string& text_;
  const std::string& path_;
  std::size_t at_ = 0;
};

Json Json::parse(const std::string& text, const std::string& path) { return JsonReader(text, path).whole(); }

const Json& Json::operator[](const std::string& key) const {
  static const Json nothing;
  const auto found = members_.find(key);
  return found == members_.end() ? nothing : found->second;
}

std::string Json::dump() const {
  switch (kind_) {
    case Null:
      return "null";
    case Bool:
      return truth_ ? "true" : "false";
    case Number:
      return text_;
    case Text:
      return quoted_json(text_);
    case List: {
      std::string text;
      for (const Json& one : list_) text += (text.empty() ? "" : ", ") + one.dump();
      return "[" + text + "]";
    }
    case Object:
      break;
  }
  std::string text;
  for (const auto& [key, value] : members_) text += (text.empty() ? "" : ", ") + quoted_json(key) + ": " + value.dump();
  return "{" + text + "}";
}

std::string quoted_json(const std::string& text) { return "\"" + json_text(text) + "\""; }

void append_utf8(std::string& text, std::uint32_t code) {
  const auto more = [&](std::uint32_t bits) { text += static_cast<char>(0x80 | (bits & 0x3f)); };
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xc0 | code >> 6);
    more(code);
  } else if (code < 0x10000) {
    text += static_cast<char>(0xe0 | code >> 12);
    more(code >> 6);
    more(code);
  } else if (code < 0x110000) {
    text += static_cast<char>(0xf0 | code >> 18);
    more(code >> 12);
    more(code >> 6);
    more(code);
  } else {
    append_utf8(text, 0xfffd);
  }
}

}  // namespace weft::io
