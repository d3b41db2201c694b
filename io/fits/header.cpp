#include "io/fits/header.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace weft::io::fits {
namespace {

constexpr std::uint64_t kMostBlocks = 4096;
constexpr std::int64_t kMostAxes = 32;

std::string without_blanks_behind(std::string text) {
  text.resize(std::min(text.size(), text.find_last_not_of(' ') + 1));
  return text;
}

/// Whether a card says how the data lie.
bool is_structure(const std::string& name) {
  static constexpr const char* kNames[] = {"SIMPLE", "XTENSION", "BITPIX", "EXTEND",  "PCOUNT",   "GCOUNT",
                                           "GROUPS", "BSCALE",   "BZERO",  "BLANK",   "CHECKSUM", "DATASUM",
                                           "THEAP",  "TFIELDS",  "ZIMAGE", "ZBITPIX", "ZCMPTYPE", "CONTINUE"};
  if (std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames)) return true;
  for (const char* const start : {"NAXIS", "TTYPE", "TFORM", "TDIM", "TSCAL", "TZERO", "TNULL", "TUNIT", "TDISP",
                                  "ZNAXIS", "ZTILE", "ZNAME", "ZVAL"}) {
    if (name.rfind(start, 0) == 0) return true;
  }
  return false;
}

/// Reads the value between the equals sign and a slash.
void read_value(Card& card, const std::string& field) {
  const std::size_t begin = field.find_first_not_of(' ');
  if (begin == std::string::npos || field[begin] == '/') return;
  if (field[begin] == '\'') {
    card.kind = Card::Kind::Text;
    for (std::size_t i = begin + 1; i < field.size(); ++i) {
      if (field[i] == '\'') {
        if (i + 1 >= field.size() || field[i + 1] != '\'') break;
        ++i;
      }
      card.text += field[i];
    }
    card.text = without_blanks_behind(card.text);
    return;
  }
  std::string word = field.substr(begin, field.find_first_of(" /", begin) - begin);
  if (word == "T" || word == "F") {
    card.kind = Card::Kind::Logical;
    card.integer = word == "T" ? 1 : 0;
    return;
  }
  const char* const first = word.c_str() + (word[0] == '+' ? 1 : 0);
  const char* const last = word.c_str() + word.size();
  const auto whole = std::from_chars(first, last, card.integer);
  if (whole.ec == std::errc() && whole.ptr == last) {
    card.kind = Card::Kind::Integer;
    card.real = static_cast<double>(card.integer);
    return;
  }
  std::replace(word.begin(), word.end(), 'D', 'E');
  char* end = nullptr;
  card.real = std::strtod(word.c_str(), &end);
  card.kind = *end == 0 && end != word.c_str() ? Card::Kind::Real : Card::Kind::Text;
  if (card.kind == Card::Kind::Text) card.text = word;
}

}  // namespace

Header::Header(const OpenFile& file, std::uint64_t place) {
  char block[kBlock];
  bool ended = false;
  data_ = place;
  for (std::uint64_t blocks = 0; !ended; ++blocks) {
    if (blocks == kMostBlocks) file.fail("has a header without an end: it is damaged");
    file.read(data_, block, sizeof block);
    data_ += kBlock;
    for (std::size_t at = 0; at < kBlock && !ended; at += kCard) {
      const std::string line(block + at, kCard);
      ended = without_blanks_behind(line) == "END";
      if (!ended) read_card(file, line);
    }
  }
  const std::int64_t bits = integer("BITPIX", 0);
  const std::int64_t axes = integer("NAXIS", -1);
  if (type_of_bits(bits).kind == ElementKind::Other || axes < 0 || axes > 999) {
    file.fail("has a header that says neither of what kind nor how many its numbers are: it is damaged");
  }
  std::uint64_t count = axes == 0 ? 0 : 1;
  const bool groups = is_true("GROUPS");
  bool fits = true;
  for (std::int64_t axis = 1; axis <= axes; ++axis) {
    const std::int64_t extent = integer("NAXIS" + std::to_string(axis), -1);
    if (axis == 1 && groups && extent == 0) continue;  // of random groups the first is not one
    fits = fits && extent >= 0 && !__builtin_mul_overflow(count, static_cast<std::uint64_t>(extent), &count);
  }
  const std::int64_t more = integer("PCOUNT", 0), times = integer("GCOUNT", 1);
  fits = fits && more >= 0 && times >= 0 && !__builtin_add_overflow(count, static_cast<std::uint64_t>(more), &count) &&
         !__builtin_mul_overflow(count, static_cast<std::uint64_t>(times), &count) &&
         !__builtin_mul_overflow(count, static_cast<std::uint64_t>(std::abs(bits) / 8), &data_bytes_) &&
         data_bytes_ < (std::uint64_t{1} << 62);
  if (!fits) file.fail("has a header with extents that no data have: it is damaged");
  end_ = data_ + (data_bytes_ + kBlock - 1) / kBlock * kBlock;
}

void Header::read_card(const OpenFile& file, const std::string& line) {
  for (const char c : line) {
    if (c < ' ' || c > '~') file.fail("has letters in its header that FITS has not: it is damaged");
  }
  Card card;
  card.name = without_blanks_behind(line.substr(0, 8));
  std::string field = line.substr(8);
  if (card.name == "CONTINUE" && !cards_.empty() && cards_.back().kind == Card::Kind::Text) {
    // A long text goes on where the last one ends with an ampersand.
    Card more;
    read_value(more, field);
    std::string& text = cards_.back().text;
    if (!text.empty() && text.back() == '&') text.pop_back();
    text += more.text;
    return;
  }
  if (card.name == "COMMENT" || card.name == "HISTORY" || card.name.empty()) {
    card.kind = Card::Kind::Text;
    card.text = without_blanks_behind(field);
    if (!card.name.empty()) cards_.push_back(std::move(card));
    return;
  }
  if (card.name == "HIERARCH") {
    const std::size_t equals = field.find('=');
    if (equals == std::string::npos) return;
    card.name = without_blanks_behind(field.substr(0, equals));
    card.name.erase(0, std::min(card.name.size(), card.name.find_first_not_of(' ')));
    field = field.substr(equals + 1);
  } else if (field[0] == '=') {
    field = field.substr(1);
  } else {
    return;
  }
  read_value(card, field);
  cards_.push_back(std::move(card));
}

const Card* Header::find(const std::string& name) const {
  for (const Card& one : cards_) {
    if (one.name == name) return &one;
  }
  return nullptr;
}

std::string Header::text(const std::string& name) const {
  const Card* const card = find(name);
  return card == nullptr ? "" : card->text;
}

std::int64_t Header::integer(const std::string& name, std::int64_t otherwise) const {
  const Card* const card = find(name);
  return card == nullptr || card->kind != Card::Kind::Integer ? otherwise : card->integer;
}

double Header::real(const std::string& name, double otherwise) const {
  const Card* const card = find(name);
  const bool number = card != nullptr && (card->kind == Card::Kind::Integer || card->kind == Card::Kind::Real);
  return number ? card->real : otherwise;
}

bool Header::is_true(const std::string& name) const {
  const Card* const card = find(name);
  return card != nullptr && card->kind == Card::Kind::Logical && card->integer == 1;
}

std::vector<std::int64_t> Header::extents(const OpenFile& file, const std::string& prefix) const {
  const std::int64_t axes = integer(prefix, 0);
  if (axes < 0 || axes > kMostAxes) file.fail("has an array of " + std::to_string(axes) + " axes");
  std::vector<std::int64_t> out;
  std::int64_t product = 1;
  for (std::int64_t axis = axes; axis >= 1; --axis) {
    out.push_back(integer(prefix + std::to_string(axis), -1));
    if (out.back() < 0 || __builtin_mul_overflow(product, std::max<std::int64_t>(1, out.back()), &product)) {
      file.fail("has extents that no array has: it is damaged");
    }
  }
  return out;
}

std::vector<Attribute> Header::attributes() const {
  std::vector<Attribute> out;
  for (const Card& card : cards_) {
    if (is_structure(card.name) || card.kind == Card::Kind::Nothing) continue;
    const auto same = std::find_if(out.begin(), out.end(), [&](const Attribute& one) { return one.name == card.name; });
    if (same != out.end()) {  // comments and the history have many lines
      if (card.kind == Card::Kind::Text && same->is_text()) same->texts[0] += "\n" + card.text;
      continue;
    }
    Attribute& one = out.emplace_back();
    one.name = card.name;
    if (card.kind == Card::Kind::Text) {
      one.type = {ElementKind::VariableText, 0, false, "string"};
      one.texts = {card.text};
    } else if (card.kind == Card::Kind::Real) {
      one.type = {ElementKind::Float, 8, false, "float64"};
      one.reals = {card.real};
    } else {
      one.type = {ElementKind::Integer, 8, false, "int64"};
      one.integers = {card.integer};
    }
  }
  return out;
}

ElementType type_of_bits(std::int64_t bits) {
  const bool swapped = std::endian::native == std::endian::little;
  switch (bits) {
    case 8:
      return {ElementKind::Unsigned, 1, false, "uint8"};
    case 16:
      return {ElementKind::Integer, 2, swapped, "int16"};
    case 32:
      return {ElementKind::Integer, 4, swapped, "int32"};
    case 64:
      return {ElementKind::Integer, 8, swapped, "int64"};
    case -32:
      return {ElementKind::Float, 4, swapped, "float32"};
    case -64:
      return {ElementKind::Float, 8, swapped, "float64"};
    default:
      return {};
  }
}

bool turn_sign(ElementType& type, double scale, double zero) {
  if (scale != 1 || type.kind == ElementKind::Float) return false;
  if (type.bytes == 1 && zero == -128) {
    type.kind = ElementKind::Integer;
    type.name = "int8";
    return true;
  }
  if (type.bytes == 1 || zero != std::ldexp(1.0, static_cast<int>(8 * type.bytes) - 1)) return false;
  type.kind = ElementKind::Unsigned;
  type.name = "u" + type.name;
  return true;
}

namespace {

/// A card of 80 letters, or several where a text is long.
std::string card_of(const std::string& name, const std::string& value) {
  std::string line = name;
  line.resize(8, ' ');
  line += "= " + (value[0] == '\'' ? value : std::string(value.size() < 20 ? 20 - value.size() : 0, ' ') + value);
  line.resize(kCard, ' ');
  return line;
}

std::string text_cards(const std::string& name, const std::string& text) {
  std::string quoted;
  for (const char c : text) {
    if (c == '\'') quoted += '\'';
    quoted += c >= ' ' && c <= '~' ? c : '?';
  }
  if (quoted.size() <= 68)
    return card_of(name, "'" + quoted + std::string(quoted.size() < 8 ? 8 - quoted.size() : 0, ' ') + "'");
  std::string out;
  for (std::size_t at = 0; at < quoted.size();) {
    std::size_t some = std::min<std::size_t>(67, quoted.size() - at);
    // Two quotation marks stay together.
    const std::string piece = quoted.substr(at, some);
    const std::size_t marks = piece.size() - (piece.find_last_not_of('\'') + 1);
    if (marks % 2 == 1 && at + some < quoted.size()) --some;
    const std::string shown = "'" + quoted.substr(at, some) + (at + some < quoted.size() ? "&'" : "'");
    if (at == 0) {
      out += card_of(name, shown);
    } else {
      std::string line = "CONTINUE  " + shown;
      line.resize(kCard, ' ');
      out += line;
    }
    at += some;
  }
  return out;
}

/// Comments, and lines of the history.
std::string remark_cards(const std::string& name, const std::string& text) {
  std::string out;
  std::size_t begin = 0;
  do {
    const std::size_t end = std::min({text.find('\n', begin), text.size(), begin + 72});
    std::string line = name;
    line.resize(8, ' ');
    for (std::size_t i = begin; i < end; ++i) line += text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    line.resize(kCard, ' ');
    out += line;
    begin = end < text.size() && text[end] == '\n' ? end + 1 : end;
  } while (begin < text.size());
  return out;
}

std::string upper_name(const std::string& name) {
  std::string out;
  for (const char c : name) out += static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return out;
}

bool fits_in_card(const std::string& name) {
  return !name.empty() && name.size() <= 8 &&
         name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == std::string::npos;
}

}  // namespace

std::string header_of(const std::string& path, const std::string& type, const std::vector<std::int64_t>& shape,
                      const std::vector<Attribute>& attributes) {
  struct Kind {
    const char *type, *bits, *zero;
  };
  static constexpr Kind kKinds[] = {{"uint8", "8", ""},
                                    {"bool", "8", ""},
                                    {"int8", "8", "-128"},
                                    {"int16", "16", ""},
                                    {"uint16", "16", "32768"},
                                    {"int32", "32", ""},
                                    {"uint32", "32", "2147483648"},
                                    {"int64", "64", ""},
                                    {"uint64", "64", "9223372036854775808"},
                                    {"float32", "-32", ""},
                                    {"float64", "-64", ""}};
  const auto* const kind =
      std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind& one) { return type == one.type; });
  if (kind == std::end(kKinds)) fail(path, "FITS has no type for " + type);
  std::string out =
      card_of("SIMPLE", "T") + card_of("BITPIX", kind->bits) + card_of("NAXIS", std::to_string(shape.size()));
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    out += card_of("NAXIS" + std::to_string(axis + 1), std::to_string(shape[shape.size() - 1 - axis]));
  }
  if (kind->zero[0] != 0) out += card_of("BSCALE", "1") + card_of("BZERO", kind->zero);
  for (const Attribute& one : attributes) {
    const std::string name = one.name == "units" ? "BUNIT" : upper_name(one.name);
    if (!fits_in_card(name) || is_structure(name) || (one.texts.empty() && one.numbers().size() != 1)) continue;
    if (name == "COMMENT" || name == "HISTORY") {
      out += remark_cards(name, one.text());
    } else if (one.is_text()) {
      out += text_cards(name, one.text());
    } else if (one.reals.empty()) {
      out += card_of(name, std::to_string(one.integers[0]));
    } else if (std::isfinite(one.reals[0])) {
      char text[40];
      std::snprintf(text, sizeof text, "%.17G", one.reals[0]);
      const std::string shown = text;
      out += card_of(name, shown.find_first_of(".E") == std::string::npos ? shown + ".0" : shown);
    }
  }
  std::string end = "END";
  end.resize(kCard, ' ');
  out += end;
  out.resize((out.size() + kBlock - 1) / kBlock * kBlock, ' ');
  return out;
}

}  // namespace weft::io::fits
