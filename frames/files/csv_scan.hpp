#pragma once

#include "frames/files/pieces.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>

namespace weft::frames {

/// The fields of one column in the records of a text: where each begins and ends.
struct FieldRange {
  const char* text = nullptr;
  /// The byte before field 0 of the first record, or -1; each `stride` numbers are a record.
  const std::uint32_t* before = nullptr;
  std::size_t stride = 0;
  std::size_t records = 0;
  bool last = false;  ///< of its record: a carriage return may stand behind it

  struct Field {
    const char* begin;
    const char* end;
  };
  Field operator[](std::size_t record) const {
    const std::uint32_t* const at = before + record * stride;
    const char* const begin = text + static_cast<std::uint32_t>(at[0] + 1);
    const char* end = text + at[1];
    if (last && end != begin && end[-1] == '\r') --end;
    return {begin, end};
  }
};

/// Finds where fields and records end in a piece of text, 64 bytes at a time.
///
/// A field is quoted where its first byte is the quote: separators and ends of lines in it are its own, and a quote in
/// it is written twice. A quote elsewhere is a byte as any other. Blank lines and comments are no records.
/// Owns: the places it found.  Threading: one thread.
class CsvScanner {
 public:
  /// Bytes that may be read behind a text.
  static constexpr std::size_t kPadding = 64;
  static constexpr std::size_t kMostBytes = std::numeric_limits<std::uint32_t>::max() - 2 * kPadding;

  /// `fields`: of each record.
  CsvScanner(const CsvFormat& format, std::size_t fields) : format_(format), fields_(fields) {}

  /// Looks at a text that begins with a line. What it found before is forgotten.
  void scan(const char* text, std::size_t bytes);

  /// Returns how many whole records there are; where one has a wrong number of fields, those before it.
  std::size_t records() const { return records_; }
  /// Returns the bytes up to behind the last whole line.
  std::size_t used() const { return used_; }
  /// Tells whether a quote was seen: fields may have to be read again without it.
  bool quotes() const { return quotes_; }
  /// Returns where a record begins.
  std::size_t record_begin(std::size_t record) const {
    return static_cast<std::uint32_t>(places_of_records_[record * stride_] + 1);
  }
  FieldRange column(std::size_t index) const {
    return {text_, places_of_records_ + index, stride_, records_, index + 1 == fields_};
  }

  struct WrongCount {
    std::size_t begin;
    std::size_t fields;
  };
  /// Returns the first record whose number of fields is wrong.
  const std::optional<WrongCount>& wrong() const { return wrong_; }

  /// Calls `use(begin, end, first place, places)` for each line that is a record, whatever its number of fields, until
  /// it returns false. Field i ends at place i; the last one at the end of the line.
  template <class Use>
  void each_line(const Use& use) const {
    std::size_t k = 0;
    std::size_t begin = 0;
    while (k < count_) {
      const std::size_t first = k;
      while (text_[places_[1 + k]] != '\n') ++k;
      const std::size_t end = places_[1 + k++];
      if (!is_skipped(begin, end) && !use(begin, end, places_.get() + 1 + first, k - first)) return;
      begin = end + 1;
    }
  }

 private:
  bool scan_by_words(std::size_t bytes);
  void scan_by_bytes(std::size_t bytes);
  bool all_alike() const;
  void rebuild();
  bool is_skipped(std::size_t begin, std::size_t end) const;
  bool is_comment(std::size_t begin) const { return format_.comment != 0 && text_[begin] == format_.comment; }

  const CsvFormat& format_;
  const std::size_t fields_;

  const char* text_ = nullptr;
  std::size_t records_ = 0;
  std::size_t stride_ = 0;
  std::size_t used_ = 0;
  bool quotes_ = false;
  std::optional<WrongCount> wrong_;
  // places_[0] is -1; places_[1 + i] is where field i of the text ends. Of whole lines only.
  std::unique_ptr<std::uint32_t[]> places_;
  std::size_t room_ = 0;
  std::size_t count_ = 0;
  std::size_t lines_ = 0;
  // Places where lines were left out: each record's own byte before it, and its fields' ends.
  std::unique_ptr<std::uint32_t[]> kept_;
  std::size_t kept_room_ = 0;
  // One of the two.
  const std::uint32_t* places_of_records_ = nullptr;
};

}  // namespace weft::frames
