#include "frames/rows/words.hpp"

#include "frames/rows/numbers.hpp"
#include "frames/rows/text_hash.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace weft::frames {
namespace {

constexpr std::uint64_t kAny = ~std::uint64_t{0};

std::uint32_t digit(std::uint64_t item, unsigned shift) { return static_cast<std::uint32_t>(item >> shift) & 0xff; }

/// Sorts items, all of which differ, whose lower halves (rows) ascend: by the bytes of the upper halves, the lowest
/// first. Bytes in which all agree cost nothing.
void sort_items(std::span<std::uint64_t> items, std::vector<std::uint64_t>& scratch) {
  if (items.size() < 256) {
    std::sort(items.begin(), items.end());
    return;
  }
  std::array<std::array<std::uint32_t, 256>, 4> counts{};
  for (const std::uint64_t item : items) {
    for (unsigned k = 0; k < 4; ++k) ++counts[k][digit(item, 32 + 8 * k)];
  }
  scratch.resize(std::max(scratch.size(), items.size()));
  std::span<std::uint64_t> from = items, to(scratch.data(), items.size());
  for (unsigned k = 0; k < 4; ++k) {
    auto& count = counts[k];
    if (count[digit(from.front(), 32 + 8 * k)] == items.size()) continue;
    std::uint32_t begin = 0;
    for (std::uint32_t& one : count) begin += std::exchange(one, begin);
    for (const std::uint64_t item : from) to[count[digit(item, 32 + 8 * k)]++] = item;
    std::swap(from, to);
  }
  if (from.data() != items.data()) std::copy(from.begin(), from.end(), items.begin());
}

/// Makes words of as small a range as there are different ones.
void compress(Words& words, bool ordered) {
  const std::uint64_t* const of = words.of.get();
  if (!ordered) {
    Groups groups;
    number_rows(
        words.rows, words.range, [of](std::size_t i) { return of[i]; }, nullptr, groups);
    std::copy(groups.group_of.begin(), groups.group_of.end(), words.of.get());
    words.range = std::max<std::uint64_t>(1, groups.first_row.size());
    return;
  }
  const std::vector<std::uint32_t> rows = rows_by_words(words);
  Words ranks(words.rows);
  std::uint64_t rank = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i != 0 && of[rows[i]] != of[rows[i - 1]]) ++rank;
    ranks.of[rows[i]] = rank;
  }
  ranks.range = rank + 1;
  words = std::move(ranks);
}

/// Makes words of `next` decide where those before are equal.
void append(Words& words, Words next, bool ordered) {
  const auto fits = [&] { return words.range != 0 && next.range != 0 && words.range <= kAny / next.range; };
  if (!fits()) {
    // No range is larger than that of any words, which is written as 0.
    const bool first = words.range - 1 >= next.range - 1;
    compress(first ? words : next, ordered);
    if (!fits()) compress(first ? next : words, ordered);
  }
  for (std::size_t i = 0; i < words.rows; ++i) words.of[i] = words.of[i] * next.range + next.of[i];
  words.range *= next.range;
}

/// Places words between 0 and the width of their span, and the missing ones at an end.
template <class WordOf, class IsMissing>
void place(Words& words, const WordSpan& span, WordOf word_of, IsMissing is_missing, WordOrder order) {
  const std::uint64_t width = span.most - span.least;
  const std::uint64_t shift = span.missing && order.missing_first ? 1 : 0;
  const std::uint64_t missing = order.missing_first ? 0 : width + 1;
  for (std::size_t i = 0; i < words.rows; ++i) {
    if (is_missing(i)) {
      words.of[i] = missing;
    } else {
      words.of[i] = (order.descending ? span.most - word_of(i) : word_of(i) - span.least) + shift;
    }
  }
  words.range = width + (span.missing ? 2 : 1);
}

template <class WordOf, class IsMissing>
Words placed(std::size_t rows, WordOf word_of, IsMissing is_missing, WordOrder order) {
  const WordSpan span = span_of(rows, word_of, is_missing);
  Words words(rows);
  if (!span.missing || span.most - span.least < kAny - 1) {
    place(words, span, word_of, is_missing, order);
    return words;
  }
  // There is no word left for the missing ones: number those that are there, then put these beside them.
  for (std::size_t i = 0; i < rows; ++i) words.of[i] = is_missing(i) ? span.least : word_of(i);
  words.range = 0;
  compress(words, order.ordered);
  const std::unique_ptr<std::uint64_t[]> numbers = std::exchange(words.of, std::make_unique<std::uint64_t[]>(rows));
  const std::uint64_t* const number = numbers.get();
  place(
      words, {.least = 0, .most = words.range - 1, .some = true, .missing = true},
      [number](std::size_t i) { return number[i]; }, is_missing, order);
  return words;
}

/// Up to 15 bytes, and their number in the last byte.
struct ShortText {
  std::uint64_t first = 0, second = 0;
  bool operator==(const ShortText&) const = default;
};

ShortText short_text(const Texts& texts, std::size_t row) {
  const std::int64_t begin = texts.begin_of(row);
  const auto length = static_cast<unsigned>(texts.ends[row] - begin);
  ShortText key;
  if (begin + 16 <= texts.total) {
    std::memcpy(&key, texts.bytes + begin, 16);
    if (length < 8) key.first &= (std::uint64_t{1} << (8 * length)) - 1;
    key.second &= length <= 8 ? 0 : (std::uint64_t{1} << (8 * (length - 8))) - 1;
  } else if (length != 0) {
    std::memcpy(&key, texts.bytes + begin, length);
  }
  key.second |= std::uint64_t{length} << 56;
  return key;
}

/// Numbers keys as they first appear. `same(number, row)` tells whether a row whose key is that of a number is equal to
/// it.
template <class Key, class KeyOf, class HashOf, class Same>
void number_keys(std::size_t rows, Groups& groups, KeyOf key_of, HashOf hash_of, Same same) {
  struct Slot {
    Key key{};
    std::uint32_t number = Groups::kNoGroup;
  };
  std::vector<Slot> slots(1024);
  std::size_t mask = slots.size() - 1;
  const auto grow = [&] {
    const std::vector<Slot> before = std::move(slots);
    slots.assign(2 * before.size(), {});
    mask = slots.size() - 1;
    for (const Slot& slot : before) {
      if (slot.number == Groups::kNoGroup) continue;
      std::size_t at = hash_of(slot.key) & mask;
      while (slots[at].number != Groups::kNoGroup) at = (at + 1) & mask;
      slots[at] = slot;
    }
  };
  groups.group_of.resize(rows);
  // The slots of some rows are asked for before the first of them is needed.
  constexpr std::size_t kBatch = 32;
  std::array<Key, kBatch> keys;
  std::array<std::uint64_t, kBatch> hashes;
  for (std::size_t begin = 0; begin < rows; begin += kBatch) {
    const std::size_t count = std::min(kBatch, rows - begin);
    for (std::size_t i = 0; i < count; ++i) {
      keys[i] = key_of(begin + i);
      hashes[i] = hash_of(keys[i]);
      __builtin_prefetch(&slots[hashes[i] & mask]);
    }
    for (std::size_t i = 0; i < count; ++i) {
      std::size_t at = hashes[i] & mask;
      while (slots[at].number != Groups::kNoGroup && !(slots[at].key == keys[i] && same(slots[at].number, begin + i)))
        at = (at + 1) & mask;
      const bool fresh = slots[at].number == Groups::kNoGroup;
      if (fresh) {
        slots[at] = {keys[i], static_cast<std::uint32_t>(groups.first_row.size())};
        groups.first_row.push_back(static_cast<std::uint32_t>(begin + i));
      }
      groups.group_of[begin + i] = slots[at].number;
      if (fresh && 2 * groups.first_row.size() > slots.size()) grow();
    }
  }
}

}  // namespace

std::vector<std::uint32_t> rows_by_words(const Words& words) {
  // First by the upper 32 of the bits there are; then, where these are equal, by the others.
  const int bits = words.range == 0 ? 64 : std::bit_width(words.range - 1), rest = std::max(bits - 32, 0);
  std::vector<std::uint64_t> items(words.rows), scratch;
  for (std::size_t i = 0; i < items.size(); ++i) items[i] = (words.of[i] >> rest) << 32 | i;
  sort_items(items, scratch);
  const std::uint64_t low = (std::uint64_t{1} << rest) - 1;
  for (std::size_t begin = 0, end; begin < items.size() && rest != 0; begin = end) {
    for (end = begin + 1; end < items.size() && items[end] >> 32 == items[begin] >> 32;) ++end;
    if (end - begin == 1) continue;
    const std::span<std::uint64_t> run(items.data() + begin, end - begin);
    for (std::uint64_t& item : run) {
      const auto row = static_cast<std::uint32_t>(item);
      item = (words.of[row] & low) << 32 | row;
    }
    sort_items(run, scratch);
  }
  std::vector<std::uint32_t> rows(words.rows);
  for (std::size_t i = 0; i < items.size(); ++i) rows[i] = static_cast<std::uint32_t>(items[i]);
  return rows;
}

Words words_of(const Column& column, WordOrder order) {
  return with_values(column, order.ordered,
                     [&](auto word_of, auto is_missing) { return placed(column.size(), word_of, is_missing, order); });
}

Words words_of(const Table& table, std::span<const std::string> keys, std::span<const WordOrder> orders) {
  if (keys.empty()) {
    Words words(table.row_count());
    std::fill_n(words.of.get(), words.rows, 0);
    return words;
  }
  const auto order = [&](std::size_t k) { return orders.empty() ? WordOrder{} : orders[k]; };
  Words words = words_of(table[keys.front()], order(0));
  for (std::size_t k = 1; k < keys.size(); ++k) append(words, words_of(table[keys[k]], order(k)), order(k).ordered);
  return words;
}

std::vector<std::uint8_t> rows_missing(const Table& table, std::span<const std::string> keys) {
  std::vector<std::uint8_t> missing;
  for (const std::string& key : keys) {
    const Column& column = table[key];
    if (column.missing_count() == 0) continue;
    missing.resize(table.row_count());
    for (std::size_t i = 0; i < missing.size(); ++i) missing[i] |= column.is_missing(i) ? 1 : 0;
  }
  return missing;
}

std::size_t longest_text(const Column& column) {
  const auto* const ends = column.data<std::int64_t>();
  std::int64_t longest = 0, begin = 0;
  for (std::size_t i = 0; i < column.size(); ++i) {
    longest = std::max(longest, ends[i] - begin);
    begin = ends[i];
  }
  return static_cast<std::size_t>(longest);
}

Groups number_texts(const Column& column) {
  const Texts texts(column);
  Groups groups;
  if (longest_text(column) < sizeof(ShortText)) {
    number_keys<ShortText>(
        column.size(), groups, [&](std::size_t row) { return short_text(texts, row); },
        [](const ShortText& key) { return mixed(key.first ^ 0xe7037ed1a0b428dbu, key.second ^ 0xa0761d6478bd642fu); },
        [](std::uint32_t, std::size_t) { return true; });
  } else {
    number_keys<std::uint64_t>(
        column.size(), groups, [&](std::size_t row) { return text_hash(texts[row]); },
        [](std::uint64_t hash) { return hash; },
        [&](std::uint32_t number, std::size_t row) { return texts[groups.first_row[number]] == texts[row]; });
  }
  return groups;
}

std::vector<std::uint32_t> places_of_texts(const Column& column, std::span<const std::uint32_t> rows) {
  struct Item {
    std::uint64_t prefix;
    std::uint32_t at;
  };
  const std::size_t count = rows.empty() ? column.size() : rows.size();
  const Texts texts(column);
  const auto text_at = [&](std::size_t at) { return texts[rows.empty() ? at : rows[at]]; };
  std::vector<Item> items(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view text = text_at(i);
    std::uint64_t prefix = 0;
    if (!text.empty()) std::memcpy(&prefix, text.data(), std::min<std::size_t>(8, text.size()));
    items[i] = {__builtin_bswap64(prefix), static_cast<std::uint32_t>(i)};
  }
  std::sort(items.begin(), items.end(), [&](const Item& a, const Item& b) {
    return a.prefix != b.prefix ? a.prefix < b.prefix : text_at(a.at) < text_at(b.at);
  });
  std::vector<std::uint32_t> places(count);
  std::uint32_t place = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (i != 0 && text_at(items[i].at) != text_at(items[i - 1].at)) ++place;
    places[items[i].at] = place;
  }
  return places;
}

}  // namespace weft::frames
