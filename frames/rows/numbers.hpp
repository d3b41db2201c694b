#pragma once

#include "frames/rows/groups.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace weft::frames {

/// Numbers words below a small range by a table of them all.
class DirectNumbers {
 public:
  explicit DirectNumbers(std::uint64_t range) : number_of_(range, Groups::kNoGroup) {}

  /// Returns the word's number; a word not seen before gets the next.
  std::uint32_t number(std::uint64_t word) {
    std::uint32_t& number = number_of_[word];
    if (number == Groups::kNoGroup) number = count_++;
    return number;
  }
  /// Returns the word's number, or kNoGroup.
  std::uint32_t find(std::uint64_t word) const { return number_of_[word]; }
  std::uint32_t count() const { return count_; }

 private:
  std::vector<std::uint32_t> number_of_;
  std::uint32_t count_ = 0;
};

/// Numbers any words: a table that is probed one slot after the other, at most half full.
class HashedNumbers {
 public:
  explicit HashedNumbers(std::size_t expected) { resize(std::bit_ceil(std::max<std::size_t>(2 * expected, 1024))); }

  std::uint32_t number(std::uint64_t word) {
    for (std::size_t at = slot_of(word);; at = (at + 1) & mask_) {
      Slot& slot = slots_[at];
      if (slot.number == Groups::kNoGroup) {
        slot = {word, count_++};
        if (2 * std::size_t{count_} > slots_.size()) resize(2 * slots_.size());
        return count_ - 1;
      }
      if (slot.word == word) return slot.number;
    }
  }
  std::uint32_t find(std::uint64_t word) const {
    for (std::size_t at = slot_of(word);; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.word == word || slot.number == Groups::kNoGroup) return slot.number;
    }
  }
  /// Makes room for so many words.
  void reserve(std::size_t words) {
    if (const std::size_t size = std::bit_ceil(2 * words); size > slots_.size()) resize(size);
  }
  /// Asks for the word's place ahead of time.
  void prefetch(std::uint64_t word) const { __builtin_prefetch(&slots_[slot_of(word)]); }
  std::uint32_t count() const { return count_; }

 private:
  struct Slot {
    std::uint64_t word = 0;
    std::uint32_t number = Groups::kNoGroup;
  };
  std::size_t slot_of(std::uint64_t word) const { return ((word ^ (word >> 32)) * 0x9e3779b97f4a7c15u) >> shift_; }
  void resize(std::size_t size) {
    const std::vector<Slot> before = std::move(slots_);
    slots_.assign(size, {});
    mask_ = size - 1;
    shift_ = 64 - std::countr_zero(size);
    for (const Slot& slot : before) {
      if (slot.number == Groups::kNoGroup) continue;
      std::size_t at = slot_of(slot.word);
      while (slots_[at].number != Groups::kNoGroup) at = (at + 1) & mask_;
      slots_[at] = slot;
    }
  }

  std::vector<Slot> slots_;
  std::size_t mask_ = 0;
  int shift_ = 0;
  std::uint32_t count_ = 0;
};

/// Tells whether a table of all words pays: `range` words there may be (0: any), `rows` that there are.
inline bool is_direct(std::uint64_t range, std::size_t rows) { return range != 0 && range <= 2 * rows + 1024; }

/// Numbers the words of rows [0, rows) in the order in which they appear. `skip`: null, or a byte a row, not 0 where
/// the row gets no number.
template <class WordOf>
void number_rows(std::size_t rows, std::uint64_t range, WordOf word_of, const std::uint8_t* skip, Groups& groups) {
  groups.group_of.resize(rows);
  groups.first_row.clear();
  std::uint32_t* const out = groups.group_of.data();
  std::uint32_t seen = 0;
  const auto one = [&](auto& numbers, std::size_t row) {
    const std::uint32_t number = numbers.number(word_of(row));
    out[row] = number;
    if (number == seen) {
      groups.first_row.push_back(static_cast<std::uint32_t>(row));
      ++seen;
    }
  };
  if (is_direct(range, rows)) {
    DirectNumbers numbers(range);
    for (std::size_t row = 0; row < rows; ++row) {
      if (skip != nullptr && skip[row] != 0)
        out[row] = Groups::kNoGroup;
      else
        one(numbers, row);
    }
    return;
  }
  HashedNumbers numbers(0);
  constexpr std::size_t kAhead = 16, kFirst = 4096;
  for (std::size_t row = 0; row < rows; ++row) {
    // Where most of the first words differ, most of all will.
    if (row == kFirst && seen > kFirst / 4 * 3) numbers.reserve(rows);
    if (row + kAhead < rows) numbers.prefetch(word_of(row + kAhead));
    if (skip != nullptr && skip[row] != 0)
      out[row] = Groups::kNoGroup;
    else
      one(numbers, row);
  }
}

}  // namespace weft::frames
