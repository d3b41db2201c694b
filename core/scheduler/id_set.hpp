#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/messages/ids.hpp"

namespace weft::machine {

/// A set of 32-bit ids that gives its smallest: a queue in id order. Every operation touches at most five words.
/// Owns: one bit an id, in pages of 4,096 that exist only while they hold something.
/// Threading: none.
class IdSet {
 public:
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::uint64_t size() const { return size_; }

  [[nodiscard]] bool contains(std::uint32_t id) const {
    const std::uint32_t page = id >> kPageBits;
    return page < pages_.size() && pages_[page] != nullptr &&
           (pages_[page]->words[(id >> 6) & 63] >> (id & 63) & 1) != 0;
  }

  /// Returns false if `id` was there.
  bool insert(std::uint32_t id) {
    Page& page = page_for(id >> kPageBits);
    std::uint64_t& word = page.words[(id >> 6) & 63];
    const std::uint64_t bit = 1ull << (id & 63);
    if ((word & bit) != 0) return false;
    if (page.summary == 0) mark(id >> kPageBits);
    word |= bit;
    page.summary |= 1ull << ((id >> 6) & 63);
    ++size_;
    if (id < first_) first_ = id;
    return true;
  }

  /// Returns false if `id` was not there.
  bool erase(std::uint32_t id) {
    if (!contains(id)) return false;
    Page& page = *pages_[id >> kPageBits];
    std::uint64_t& word = page.words[(id >> 6) & 63];
    word &= ~(1ull << (id & 63));
    if (word == 0) page.summary &= ~(1ull << ((id >> 6) & 63));
    if (page.summary == 0) unmark(id >> kPageBits);
    --size_;
    if (id == first_) first_ = size_ == 0 ? kNone : next(id);
    return true;
  }

  /// The smallest id, or kNone.
  [[nodiscard]] std::uint32_t first() const { return first_; }

  /// The smallest id that is larger than `id`, or kNone.
  [[nodiscard]] std::uint32_t next(std::uint32_t id) const {
    if (id == kNone) return first();
    ++id;
    const std::uint32_t page_index = id >> kPageBits;
    if (page_index < pages_.size() && pages_[page_index] != nullptr) {
      const Page& page = *pages_[page_index];
      const std::uint32_t word_index = (id >> 6) & 63;
      const std::uint64_t here = page.words[word_index] & (~0ull << (id & 63));
      if (here != 0) return (id & ~63u) | low_bit(here);
      const std::uint64_t later = word_index == 63 ? 0 : page.summary & (~0ull << (word_index + 1));
      if (later != 0) return in_word(page_index, low_bit(later));
    }
    return first_from_page(page_index + 1);
  }

 private:
  static constexpr std::uint32_t kPageBits = 12;

  struct Page {
    std::uint64_t summary = 0;  // bit i: words[i] != 0
    std::uint64_t words[64] = {};
  };

  static std::uint32_t low_bit(std::uint64_t word) { return static_cast<std::uint32_t>(__builtin_ctzll(word)); }

  [[nodiscard]] std::uint32_t in_word(std::uint32_t page, std::uint32_t word) const {
    return (page << kPageBits) | (word << 6) | low_bit(pages_[page]->words[word]);
  }

  [[nodiscard]] std::uint32_t first_from_page(std::uint32_t page) const {
    std::size_t word = page >> 6;
    if (word >= page_bits_.size()) return kNone;
    std::uint64_t bits = page_bits_[word] & (~0ull << (page & 63));
    while (bits == 0) {
      // One bit for 64 pages: 256 words at most for all ids that there are.
      const std::size_t next = ++word;
      std::size_t top = next >> 6;
      if (top >= top_bits_.size()) return kNone;
      std::uint64_t top_word = top_bits_[top] & (~0ull << (next & 63));
      while (top_word == 0) {
        if (++top >= top_bits_.size()) return kNone;
        top_word = top_bits_[top];
      }
      word = top * 64 + low_bit(top_word);
      bits = page_bits_[word];
    }
    const auto found = static_cast<std::uint32_t>(word * 64 + low_bit(bits));
    return in_word(found, low_bit(pages_[found]->summary));
  }

  Page& page_for(std::uint32_t index) {
    if (index >= pages_.size()) pages_.resize(index + 1);
    if (pages_[index] == nullptr) pages_[index] = spare_ != nullptr ? std::move(spare_) : std::make_unique<Page>();
    return *pages_[index];
  }

  void mark(std::uint32_t page) {
    const std::size_t word = page >> 6;
    if (word >= page_bits_.size()) {
      page_bits_.resize(word + 1);
      top_bits_.resize((word >> 6) + 1);
    }
    page_bits_[word] |= 1ull << (page & 63);
    top_bits_[word >> 6] |= 1ull << (word & 63);
  }

  void unmark(std::uint32_t page) {
    const std::size_t word = page >> 6;
    page_bits_[word] &= ~(1ull << (page & 63));
    if (page_bits_[word] == 0) top_bits_[word >> 6] &= ~(1ull << (word & 63));
    if (page != 0) spare_ = std::move(pages_[page]);  // all its words are zero again
  }

  std::vector<std::unique_ptr<Page>> pages_;
  std::vector<std::uint64_t> page_bits_;  // bit p: page p holds something
  std::vector<std::uint64_t> top_bits_;   // bit w: page_bits_[w] != 0
  std::unique_ptr<Page> spare_;
  std::uint64_t size_ = 0;
  std::uint32_t first_ = kNone;
};

}  // namespace weft::machine
