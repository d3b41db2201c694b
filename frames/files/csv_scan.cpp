#include "frames/files/csv_scan.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace weft::frames {
namespace {

/// A bit for each of 64 bytes.
struct Masks {
  std::uint64_t separators = 0;
  std::uint64_t newlines = 0;
  std::uint64_t quotes = 0;
};

#if defined(__SSE2__)

/// The bytes that are looked for.
struct Wanted {
  explicit Wanted(const CsvFormat& format)
      : separator(_mm_set1_epi8(format.separator)), newline(_mm_set1_epi8('\n')), quote(_mm_set1_epi8(format.quote)) {}
  Masks in(const char* text) const {
    Masks masks;
    for (int part = 0; part < 4; ++part) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text) + part);
      const auto where = [&](__m128i byte) {
        return static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, byte))))
               << 16 * part;
      };
      masks.separators |= where(separator);
      masks.newlines |= where(newline);
      masks.quotes |= where(quote);
    }
    return masks;
  }
  __m128i separator, newline, quote;
};

#else

struct Wanted {
  explicit Wanted(const CsvFormat& format) : separator(format.separator), quote(format.quote) {}
  Masks in(const char* text) const {
    Masks masks;
    for (int i = 0; i < 64; ++i) {
      masks.separators |= std::uint64_t{text[i] == separator} << i;
      masks.newlines |= std::uint64_t{text[i] == '\n'} << i;
      masks.quotes |= std::uint64_t{text[i] == quote} << i;
    }
    return masks;
  }
  char separator, quote;
};

#endif

/// Sets each bit to whether the bits up to it are odd in number.
std::uint64_t running_parity(std::uint64_t bits) {
  for (int shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
  return bits;
}

/// Writes the places of the bits; up to 7 more numbers behind them are touched.
std::uint32_t* write_places(std::uint64_t bits, std::uint32_t base, std::uint32_t* to) {
  const int count = std::popcount(bits);
  for (int written = 0; written < count; written += 8) {
    for (int i = 0; i < 8; ++i) {
      to[written + i] = base + static_cast<std::uint32_t>(std::countr_zero(bits));
      bits &= bits - 1;
    }
  }
  return to + count;
}

}  // namespace

void CsvScanner::scan(const char* text, std::size_t bytes) {
  if (bytes > kMostBytes) throw Error("read_csv: a record is longer than 4 GiB: is a quote missing?");
  text_ = text;
  count_ = lines_ = records_ = used_ = 0;
  quotes_ = false;
  wrong_.reset();
  if (room_ < bytes + 2 * kPadding) {
    room_ = bytes + 2 * kPadding;
    places_ = std::make_unique_for_overwrite<std::uint32_t[]>(room_);
  }
  places_[0] = static_cast<std::uint32_t>(-1);
  if (!scan_by_words(bytes)) scan_by_bytes(bytes);
  while (count_ != 0 && text_[places_[count_]] != '\n') --count_;
  used_ = count_ == 0 ? 0 : places_[count_] + std::size_t{1};
  if (all_alike()) {
    places_of_records_ = places_.get();
    stride_ = fields_;
    records_ = lines_;
  } else {
    rebuild();
  }
}

/// Returns false where quotes stand elsewhere than at the beginning of a field: whether they are odd in number says
/// nothing then.
bool CsvScanner::scan_by_words(std::size_t bytes) {
  const Wanted wanted(format_);
  const std::uint64_t quotes_count = format_.quote == 0 ? 0 : ~std::uint64_t{0};
  std::uint32_t* to = places_.get() + 1;
  std::uint64_t inside = 0;        // all ones where the bytes before end in a quoted field
  std::uint64_t field_begins = 1;  // whether the next byte is the first of a field
  for (std::size_t at = 0; at < bytes; at += 64) {
    Masks masks = wanted.in(text_ + at);
    masks.quotes &= quotes_count;
    if (bytes - at < 64) {
      const std::uint64_t valid = (std::uint64_t{1} << (bytes - at)) - 1;
      masks.separators &= valid;
      masks.newlines &= valid;
      masks.quotes &= valid;
    }
    std::uint64_t ends = masks.separators | masks.newlines;
    std::uint64_t closing = 0;
    if ((masks.quotes | inside) != 0) {
      quotes_ = true;
      const std::uint64_t quoted = running_parity(masks.quotes) ^ inside;
      const std::uint64_t opening = masks.quotes & quoted;
      closing = masks.quotes & ~quoted;
      ends &= ~quoted;
      // Behind a closing quote: the second of a pair that stands for one quote.
      if ((opening & ~((ends | closing) << 1 | field_begins)) != 0) return false;
      inside = static_cast<std::uint64_t>(static_cast<std::int64_t>(quoted) >> 63);
    }
    field_begins = (ends | closing) >> 63;
    lines_ += static_cast<std::size_t>(std::popcount(masks.newlines & ends));
    to = write_places(ends, static_cast<std::uint32_t>(at), to);
  }
  count_ = static_cast<std::size_t>(to - places_.get()) - 1;
  if (format_.comment == 0 || !quotes_) return true;
  // A comment's quotes are no quotes.
  for (const char* line = text_; line != nullptr && line < text_ + bytes;) {
    if (*line == format_.comment) return false;
    line = static_cast<const char*>(std::memchr(line, '\n', static_cast<std::size_t>(text_ + bytes - line)));
    if (line != nullptr) ++line;
  }
  return true;
}

void CsvScanner::scan_by_bytes(std::size_t bytes) {
  std::uint32_t* to = places_.get() + 1;
  const char quote = format_.quote, separator = format_.separator;
  lines_ = 0;
  std::size_t at = 0;
  bool line_begins = true;
  while (at < bytes) {
    if (line_begins && is_comment(at)) {
      const void* const end = std::memchr(text_ + at, '\n', bytes - at);
      if (end == nullptr) break;
      at = static_cast<std::size_t>(static_cast<const char*>(end) - text_);
    } else if (quote != 0 && text_[at] == quote) {
      quotes_ = true;
      for (++at; at < bytes; ++at) {
        if (text_[at] != quote) continue;
        if (at + 1 < bytes && text_[at + 1] == quote)
          ++at;
        else
          break;
      }
      ++at;
    }
    while (at < bytes && text_[at] != separator && text_[at] != '\n') ++at;
    if (at >= bytes) break;
    *to++ = static_cast<std::uint32_t>(at);
    line_begins = text_[at] == '\n';
    lines_ += line_begins ? 1 : 0;
    ++at;
  }
  count_ = static_cast<std::size_t>(to - places_.get()) - 1;
}

/// Tells whether all lines are records with as many fields as there should be.
bool CsvScanner::all_alike() const {
  // A blank line has one field.
  if (fields_ < 2 || count_ != lines_ * fields_) return false;
  const std::uint32_t* const at = places_.get();
  bool ends = true, comments = false;
  for (std::size_t line = 0; line < lines_; ++line) ends = ends && text_[at[(line + 1) * fields_]] == '\n';
  if (format_.comment != 0) {
    for (std::size_t line = 0; line < lines_; ++line)
      comments = comments || is_comment(static_cast<std::uint32_t>(at[line * fields_] + 1));
  }
  return ends && !comments;
}

void CsvScanner::rebuild() {
  stride_ = fields_ + 1;
  if (kept_room_ < lines_ * stride_) {
    kept_room_ = lines_ * stride_;
    kept_ = std::make_unique_for_overwrite<std::uint32_t[]>(kept_room_);
  }
  places_of_records_ = kept_.get();
  std::uint32_t* to = kept_.get();
  each_line([&](std::size_t begin, std::size_t, const std::uint32_t* places, std::size_t count) {
    if (count != fields_) {
      wrong_ = WrongCount{begin, count};
      return false;
    }
    *to++ = static_cast<std::uint32_t>(begin) - 1;
    to = std::copy_n(places, count, to);
    ++records_;
    return true;
  });
}

bool CsvScanner::is_skipped(std::size_t begin, std::size_t end) const {
  if (is_comment(begin)) return true;
  for (; begin < end; ++begin) {
    const char byte = text_[begin];
    if ((byte != ' ' && byte != '\t' && byte != '\r') || byte == format_.separator) return false;
  }
  return true;
}

}  // namespace weft::frames
