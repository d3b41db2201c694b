// Where lines begin: behind the head of a file, and in the middle of it.
//
// A byte in the middle of a file may be within a quoted field, where an end of line ends no record. What is before it
// tells: the text is followed from an end of line up to 1 MiB before, once as if that were within quotes and once as if
// it were not. Quotes that are where none can be (an opening one behind a letter, a closing one before a letter) show
// one of the two to be wrong. Where no quote tells, that is right which gives records of the right number of fields;
// and where that does not tell either, the file is followed from its beginning.
#include "frames/files/csv_scan.hpp"
#include "frames/files/csv_source.hpp"
#include "frames/files/csv_values.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <cstring>

namespace weft::frames {
namespace {

constexpr std::size_t kHead = std::size_t{64} << 10;
constexpr std::size_t kLookBack = std::size_t{1} << 20;
constexpr std::size_t kLookOn = std::size_t{64} << 10;
constexpr std::size_t kNowhere = ~std::size_t{0};

std::size_t find(std::string_view text, char byte, std::size_t from) {
  if (from >= text.size()) return text.size();
  const void* const found = std::memchr(text.data() + from, byte, text.size() - from);
  return found == nullptr ? text.size() : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

bool in_comment(std::string_view text, std::size_t place, const CsvFormat& format) {
  if (format.comment == 0) return false;
  const std::size_t newline = text.substr(0, place).rfind('\n');
  return text[newline == std::string_view::npos ? 0 : newline + 1] == format.comment;
}

/// What follows from taking byte `begin` of a text, which is behind an end of line, for one within quotes or not.
struct Guess {
  bool wrong = false;
  bool saw_quotes = false;
  /// The first that begins outside of quotes at or behind the byte that was asked for.
  std::size_t record = kNowhere;
  /// The first of all.
  std::size_t first_record = kNowhere;
};

Guess follow(std::string_view text, std::size_t begin, bool inside, std::size_t wanted, const CsvFormat& format) {
  Guess guess;
  const char quote = format.quote;
  if (!inside) guess.first_record = begin;
  if (!inside && begin >= wanted) guess.record = begin;
  for (std::size_t at = begin; at < text.size();) {
    const std::size_t next = quote == 0 ? text.size() : find(text, quote, at);
    guess.saw_quotes = guess.saw_quotes || next != text.size();
    if (!inside) {
      if (guess.first_record == kNowhere) {
        const std::size_t newline = find(text, '\n', at);
        if (newline < next) guess.first_record = newline + 1;
      }
      if (guess.record == kNowhere && next + 1 >= wanted) {
        const std::size_t newline = find(text, '\n', std::max(at, wanted - 1));
        if (newline < next) guess.record = newline + 1;
      }
      if (next == text.size()) break;
      if (in_comment(text, next, format)) {
        at = find(text, '\n', next);
        continue;
      }
      const char before = next == 0 ? '\n' : text[next - 1];
      if (before != format.separator && before != '\n') guess.wrong = true;
      at = next + 1;
    } else {
      if (next + 1 >= text.size()) break;
      const char behind = text[next + 1];
      at = next + (behind == quote ? 2 : 1);
      if (behind == quote) continue;
      if (behind != format.separator && behind != '\n' && behind != '\r') guess.wrong = true;
    }
    if (guess.wrong) return guess;
    inside = !inside;
  }
  return guess;
}

/// Tells whether the lines from `begin` on have as many fields as there should be.
bool has_records(std::string_view text, std::size_t begin, const CsvFormat& format) {
  if (begin >= text.size()) return false;
  constexpr std::size_t kEnough = std::size_t{16} << 10;
  std::string some(text.substr(begin, kEnough));
  const std::size_t bytes = some.size();
  some.resize(bytes + CsvScanner::kPadding);
  CsvScanner scanner(format, format.names.size());
  scanner.scan(some.data(), bytes);
  return scanner.records() != 0 && !scanner.wrong().has_value();
}

/// Follows the text from its first record on.
std::uint64_t first_record_by_all(CsvText& text, const CsvFormat& format, std::uint64_t wanted, std::uint64_t data) {
  CsvWindow window(text, data);
  CsvScanner scanner(format, 0);
  for (;;) {
    window.more(kLookOn + window.size());
    scanner.scan(window.data(), window.size());
    const std::uint64_t behind = window.offset() + scanner.used();
    if (behind >= wanted) {
      std::uint64_t found = behind;
      scanner.each_line([&](std::size_t begin, std::size_t, const std::uint32_t*, std::size_t) {
        if (window.offset() + begin < wanted) return true;
        found = window.offset() + begin;
        return false;
      });
      return found;
    }
    window.drop(scanner.used());
    if (window.ended()) return window.end();
  }
}

}  // namespace

void refuse_open_quote(const std::string& path, std::uint64_t place) {
  throw Error("read_csv: " + path + ": line " + std::to_string(line_of(path, place)) +
              ": a quoted field that begins here has no end: is a quote missing, or is .quote another?");
}

CsvHead read_head(CsvWindow& window, const CsvFormat& format) {
  const auto more = [&window] {
    if (!window.ended()) window.more(std::max(kHead, window.size()));
    return !window.ended();
  };
  const auto view = [&window] { return std::string_view(window.data(), window.size()); };
  CsvHead head;
  bool going = more();
  std::size_t at = view().starts_with("\xef\xbb\xbf") ? 3 : 0;
  for (std::uint64_t line = 0; line < format.skip_rows;) {
    const std::size_t newline = find(view(), '\n', at);
    if (newline < window.size()) {
      at = newline + 1;
      ++line;
    } else if (going) {
      going = more();
    } else {
      break;
    }
  }
  head.data = window.offset() + std::min(at, window.size());
  if (!format.header) return head;
  CsvScanner scanner(format, 0);
  for (;;) {
    scanner.scan(window.data() + at, window.size() - at);
    bool found = false;
    const char* const text = window.data() + at;
    scanner.each_line([&](std::size_t begin, std::size_t end, const std::uint32_t* places, std::size_t count) {
      std::string room;
      for (std::size_t i = 0; i < count; ++i) {
        const char* const first = text + (i == 0 ? begin : places[i - 1] + std::size_t{1});
        const char* last = text + places[i];
        if (i + 1 == count && last != first && last[-1] == '\r') --last;
        head.names.emplace_back(unquoted(first, last, format.quote, room));
      }
      head.data = window.offset() + at + end + 1;
      found = true;
      return false;
    });
    if (found) return head;
    if (!going) break;
    going = more();
  }
  if (at + scanner.used() < window.size()) refuse_open_quote(window.path(), window.offset() + at + scanner.used());
  head.data = window.end();
  return head;
}

std::uint64_t first_record(CsvText& text, const CsvFormat& format, std::uint64_t wanted, std::uint64_t data) {
  if (wanted <= data) return data;
  const std::uint64_t from = wanted - std::min<std::uint64_t>(wanted - data, kLookBack);
  if (from != data) {
    CsvWindow window(text, from);
    window.more(static_cast<std::size_t>(wanted - from) + kLookOn);
    const std::string_view view(window.data(), window.size());
    const std::size_t begin = find(view, '\n', 0) + 1;
    const auto place = static_cast<std::size_t>(wanted - from);
    if (begin <= place) {
      const Guess outside = follow(view, begin, false, place, format);
      const Guess inside = follow(view, begin, true, place, format);
      const Guess* right = nullptr;
      if (outside.wrong != inside.wrong) {
        right = outside.wrong ? &inside : &outside;
      } else if (!outside.wrong) {
        const bool plain = !outside.saw_quotes && format.names.size() == 1;
        if (plain || has_records(view, outside.first_record, format))
          right = &outside;
        else if (has_records(view, inside.first_record, format))
          right = &inside;
      }
      if (right != nullptr && right->record != kNowhere) return from + right->record;
      // A long record: it is followed from one that is known.
      if (right != nullptr && right->first_record < place) data = from + right->first_record;
    }
  }
  return first_record_by_all(text, format, wanted, data);
}

}  // namespace weft::frames
