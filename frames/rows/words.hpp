#pragma once

#include <weft/table.hpp>

#include "frames/rows/groups.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace weft::frames {

/// One word a row that stands for the row's keys: equal where they are equal and, where that was asked for, smaller
/// where they come first.
struct Words {
  Words() = default;
  explicit Words(std::size_t count) : of(std::make_unique_for_overwrite<std::uint64_t[]>(count)), rows(count) {}

  std::unique_ptr<std::uint64_t[]> of;
  std::size_t rows = 0;
  std::uint64_t range = 1;  ///< all words are below it; 0: any words
};

/// How values become words.
struct WordOrder {
  bool ordered = false;  ///< words compare as values do
  bool descending = false;
  bool missing_first = false;
};

/// Returns the words of one column; missing values have one of their own.
Words words_of(const Column& column, WordOrder order);
/// Returns the words of several columns, the first of which decides first. `orders`: one for each, or none at all.
Words words_of(const Table& table, std::span<const std::string> keys, std::span<const WordOrder> orders);
/// Returns the rows by ascending words, equal ones in their order.
std::vector<std::uint32_t> rows_by_words(const Words& words);
/// Returns a byte a row, 1 where one of the keys is missing; nothing where none is.
std::vector<std::uint8_t> rows_missing(const Table& table, std::span<const std::string> keys);

/// The strings of a column without a call for each.
struct Texts {
  explicit Texts(const Column& column)
      : ends(column.data<std::int64_t>()),
        bytes(reinterpret_cast<const char*>(column.bytes().data())),
        total(static_cast<std::int64_t>(column.bytes().size())) {}

  std::int64_t begin_of(std::size_t row) const { return row == 0 ? 0 : ends[row - 1]; }
  std::string_view operator[](std::size_t row) const {
    const std::int64_t begin = begin_of(row);
    return {bytes + begin, static_cast<std::size_t>(ends[row] - begin)};
  }
  /// Returns up to seven bytes, the first on top, and the length: it compares as the string does.
  std::uint64_t packed(std::size_t row) const {
    const std::int64_t begin = begin_of(row);
    const auto length = static_cast<unsigned>(ends[row] - begin);
    if (length == 0) return 0;
    std::uint64_t word = 0;
    if (begin + 8 <= total) {
      std::memcpy(&word, bytes + begin, 8);
    } else {
      std::memcpy(&word, bytes + begin, length);
    }
    word = __builtin_bswap64(word);
    return (word & ~(~std::uint64_t{0} >> (8 * length))) | length;
  }

  const std::int64_t* ends;
  const char* bytes;
  std::int64_t total;
};
inline constexpr std::size_t kPackedBytes = 7;
/// Returns the bytes of the longest string.
std::size_t longest_text(const Column& column);
/// Numbers the strings of a column (missing ones as the empty string, as they are stored).
Groups number_texts(const Column& column);
/// Returns the place of each string among all of them in order; equal ones have one place.
std::vector<std::uint32_t> places_of_texts(const Column& column, std::span<const std::uint32_t> rows);

/// Returns a word that compares as the number does; -0.0 is 0.0.
inline std::uint64_t ordered_word(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value + 0.0);
  return (bits >> 63) != 0 ? ~bits : bits | (std::uint64_t{1} << 63);
}
inline std::uint64_t ordered_word(std::int64_t value) {
  return static_cast<std::uint64_t>(value) ^ (std::uint64_t{1} << 63);
}

/// Calls `use(word_of, is_missing)`, both functions of a row, for what the column's elements are: the words of values
/// that are not missing compare as these do (of strings and categories: where `ordered`).
template <class Use>
auto with_values(const Column& column, bool ordered, Use use) {
  const std::uint8_t* const marks = column.marks();
  const auto with = [&](auto word_of, auto is_nothing) {
    if (marks == nullptr) return use(word_of, is_nothing);
    return use(word_of, [marks, is_nothing](std::size_t i) { return marks[i] == 0 || is_nothing(i); });
  };
  const auto never = [](std::size_t) { return false; };
  const auto real = [&](const auto* data) {
    return with([data](std::size_t i) { return ordered_word(double{data[i]}); },
                [data](std::size_t i) { return std::isnan(data[i]); });
  };
  switch (column.type()) {
    case ColumnType::Bool: {
      const auto* const data = column.data<std::uint8_t>();
      return with([data](std::size_t i) { return std::uint64_t{data[i] != 0}; }, never);
    }
    case ColumnType::Int32: {
      const auto* const data = column.data<std::int32_t>();
      return with([data](std::size_t i) { return ordered_word(std::int64_t{data[i]}); }, never);
    }
    case ColumnType::Int64:
    case ColumnType::Timestamp: {
      const auto* const data = column.data<std::int64_t>();
      return with([data](std::size_t i) { return ordered_word(data[i]); }, never);
    }
    case ColumnType::Float32:
      return real(column.data<float>());
    case ColumnType::Float64:
      return real(column.data<double>());
    case ColumnType::Category: {
      const auto* const codes = column.data<std::int32_t>();
      std::vector<std::uint32_t> places;
      if (ordered) places = places_of_texts(column.category_list(), {});
      const std::uint32_t* const place = ordered ? places.data() : nullptr;
      return with(
          [codes, place](std::size_t i) {
            return place == nullptr ? std::uint64_t(static_cast<std::uint32_t>(codes[i]))
                                    : std::uint64_t{place[codes[i]]};
          },
          [codes](std::size_t i) { return codes[i] < 0; });
    }
    case ColumnType::String:
      break;
  }
  const Texts texts(column);
  if (longest_text(column) <= kPackedBytes) return with([texts](std::size_t i) { return texts.packed(i); }, never);
  const Groups groups = number_texts(column);
  std::vector<std::uint32_t> places;
  if (ordered) places = places_of_texts(column, groups.first_row);
  const std::uint32_t* const place = ordered ? places.data() : nullptr;
  const std::uint32_t* const number = groups.group_of.data();
  return with([=](std::size_t i) { return std::uint64_t{place == nullptr ? number[i] : place[number[i]]}; }, never);
}

/// The least and the greatest word of values that are there.
struct WordSpan {
  std::uint64_t least = ~std::uint64_t{0}, most = 0;
  bool some = false;     ///< there are values
  bool missing = false;  ///< and missing ones
};

template <class WordOf, class IsMissing>
WordSpan span_of(std::size_t rows, WordOf word_of, IsMissing is_missing) {
  WordSpan span;
  for (std::size_t i = 0; i < rows; ++i) {
    if (is_missing(i)) {
      span.missing = true;
      continue;
    }
    const std::uint64_t word = word_of(i);
    span.least = word < span.least ? word : span.least;
    span.most = word > span.most ? word : span.most;
  }
  span.some = span.least <= span.most;
  if (!span.some) span.least = span.most = 0;
  return span;
}

}  // namespace weft::frames
