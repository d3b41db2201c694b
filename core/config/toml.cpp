#include "core/config/toml.hpp"

#include <algorithm>
#include <cstdint>

#include <weft/error.hpp>

namespace weft {

namespace {

bool is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3f));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

// Reads one line at a time; what this subset leaves out (arrays, inline tables, dates, strings over several lines) is
// named in its error, so that nobody wonders why a valid TOML file is refused.
class Reader {
 public:
  Reader(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  std::vector<TomlEntry> read() {
    if (text_.substr(0, 3) == "\xef\xbb\xbf") text_.remove_prefix(3);
    while (!text_.empty()) {
      next_line();
      skip_space();
      if (!at_end()) statement();
    }
    return std::move(entries_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw ConfigError(file_ + ":" + std::to_string(line_number_) + ": " + what);
  }

  void next_line() {
    const std::size_t end = text_.find('\n');
    line_ = text_.substr(0, end);
    text_.remove_prefix(end == std::string_view::npos ? text_.size() : end + 1);
    if (!line_.empty() && line_.back() == '\r') line_.remove_suffix(1);
    at_ = 0;
    ++line_number_;
  }

  char peek() const { return at_ < line_.size() ? line_[at_] : '\0'; }
  void skip_space() {
    while (peek() == ' ' || peek() == '\t') ++at_;
  }
  bool at_end() const { return at_ >= line_.size() || line_[at_] == '#'; }
  void expect_end() {
    skip_space();
    if (!at_end()) fail("unexpected '" + std::string(line_.substr(at_)) + "' after the value; write one entry a line");
  }

  void statement() {
    if (peek() == '[') {
      table_header();
      return;
    }
    TomlEntry entry;
    entry.line = line_number_;
    entry.table = table_;
    entry.key = key();
    skip_space();
    if (peek() == '.') fail("dotted keys are not read here; put '" + entry.key + "' into a [table] header");
    if (peek() != '=') fail("expected '=' after the key '" + entry.key + "'");
    ++at_;
    skip_space();
    entry.value = value(entry.key);
    expect_end();
    for (const TomlEntry& earlier : entries_) {
      if (earlier.table == entry.table && earlier.key == entry.key) {
        fail("the key '" + entry.key + "' already stands on line " + std::to_string(earlier.line));
      }
    }
    entries_.push_back(std::move(entry));
  }

  void table_header() {
    ++at_;
    if (peek() == '[') fail("arrays of tables ([[...]]) are not read here");
    skip_space();
    table_ = key();
    skip_space();
    if (peek() == '.') fail("nested tables are not read here");
    if (peek() != ']') fail("expected ']' after the table name '" + table_ + "'");
    ++at_;
    expect_end();
    if (std::find(tables_.begin(), tables_.end(), table_) != tables_.end()) {
      fail("the table [" + table_ + "] stands twice");
    }
    tables_.push_back(table_);
  }

  std::string key() {
    if (peek() == '"' || peek() == '\'') return string();
    const std::size_t begin = at_;
    while (is_bare(peek())) ++at_;
    if (at_ == begin) fail("expected a key such as threads = 4");
    return std::string(line_.substr(begin, at_ - begin));
  }

  std::string value(const std::string& key) {
    const char first = peek();
    if (first == '"' || first == '\'') return string();
    if (first == '[') fail("arrays are not read here; '" + key + "' takes one value");
    if (first == '{') fail("inline tables are not read here; '" + key + "' takes one value");
    const std::size_t begin = at_;
    while (at_ < line_.size() && line_[at_] != '#' && line_[at_] != ' ' && line_[at_] != '\t') ++at_;
    const std::string word(line_.substr(begin, at_ - begin));
    if (word.empty()) fail("the key '" + key + "' has no value");
    if (word == "true" || word == "false") return word;
    return number(word);
  }

  std::string number(const std::string& word) {
    std::string digits;
    std::size_t i = word[0] == '+' || word[0] == '-' ? 1 : 0;
    if (word[0] == '-') digits += '-';
    int dots = 0;
    int exponents = 0;
    for (; i < word.size(); ++i) {
      const char c = word[i];
      const char before = i > 0 ? word[i - 1] : '\0';
      const char after = i + 1 < word.size() ? word[i + 1] : '\0';
      if (c == '_' && is_digit(before) && is_digit(after)) continue;
      const bool dot = c == '.' && is_digit(before) && is_digit(after) && ++dots == 1 && exponents == 0;
      const bool exponent = (c == 'e' || c == 'E') && is_digit(before) && after != '\0' && ++exponents == 1;
      const bool sign = (c == '+' || c == '-') && (before == 'e' || before == 'E') && is_digit(after);
      if (!is_digit(c) && !dot && !exponent && !sign)
        fail("'" + word + "' is no value; a text stands in quotes: \"" + word + "\"");
      digits += c;
    }
    if (digits.empty() || digits == "-") fail("'" + word + "' is no number");
    return digits;
  }

  std::string string() {
    const char quote = line_[at_++];
    if (line_.substr(at_, 2) == std::string(2, quote)) fail("strings over several lines are not read here");
    std::string out;
    while (at_ < line_.size() && line_[at_] != quote) {
      if (quote == '"' && line_[at_] == '\\') {
        ++at_;
        escape(out);
      } else {
        out += line_[at_++];
      }
    }
    if (at_ >= line_.size()) fail(std::string("the string has no closing ") + quote);
    ++at_;
    return out;
  }

  void escape(std::string& out) {
    const char c = peek();
    ++at_;
    switch (c) {
      case 'b':
        out += '\b';
        return;
      case 't':
        out += '\t';
        return;
      case 'n':
        out += '\n';
        return;
      case 'f':
        out += '\f';
        return;
      case 'r':
        out += '\r';
        return;
      case '"':
        out += '"';
        return;
      case '\\':
        out += '\\';
        return;
      case 'u':
        append_utf8(out, hex(4));
        return;
      case 'U':
        append_utf8(out, hex(8));
        return;
      default:
        fail(std::string("unknown escape \\") + c + "; in '...' a backslash stands for itself");
    }
  }

  std::uint32_t hex(int digits) {
    std::uint32_t code = 0;
    for (int i = 0; i < digits; ++i, ++at_) {
      const char c = peek();
      const std::size_t digit =
          std::string_view("0123456789abcdef").find(c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c);
      if (digit == std::string_view::npos) fail("an escape needs " + std::to_string(digits) + " hexadecimal digits");
      code = code * 16 + static_cast<std::uint32_t>(digit);
    }
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) fail("an escape names no character of Unicode");
    return code;
  }

  std::string_view text_;
  const std::string& file_;
  std::string_view line_;
  std::size_t at_ = 0;
  int line_number_ = 0;
  std::string table_;
  std::vector<std::string> tables_;
  std::vector<TomlEntry> entries_;
};

}  // namespace

std::vector<TomlEntry> read_toml(std::string_view text, const std::string& file) { return Reader(text, file).read(); }

}  // namespace weft
