#include "arrays/files/json.hpp"

#include <weft/error.hpp>

#include <cctype>
#include <cmath>
#include <cstdlib>

namespace weft::arrays::files {

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

  [[noreturn]] void refuse() const {
    throw Error(path_ + ": is not JSON: something else stands at byte " + std::to_string(at_));
  }
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
    } else if (word("NaN")) {
      // Not JSON, but what Python writes.
      value.kind_ = Json::Number;
      value.number_ = std::nan("");
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
        case 'u': {
          if (at_ + 4 >= text_.size()) refuse();
          const long code = std::strtol(text_.substr(at_ + 1, 4).c_str(), nullptr, 16);
          value += code < 128 ? static_cast<char>(code) : '?';
          at_ += 4;
          break;
        }
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

}  // namespace weft::arrays::files
