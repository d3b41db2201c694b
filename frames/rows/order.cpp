#include "frames/rows/order.hpp"

#include <weft/error.hpp>

#include "frames/rows/scatter.hpp"
#include "frames/rows/text_hash.hpp"
#include "frames/rows/words.hpp"

#include <algorithm>

namespace weft::frames {
namespace {

Words ordered_words(const Table& table, const SortOrder& order) {
  if (order.by.size() != order.ascending.size())
    throw Error("rows are to be sorted by " + std::to_string(order.by.size()) + " columns, but " +
                std::to_string(order.ascending.size()) + " directions are given: give one for each");
  std::vector<WordOrder> orders;
  for (const bool ascending : order.ascending)
    orders.push_back({.ordered = true, .descending = !ascending, .missing_first = order.missing_first});
  return words_of(table, order.by, orders);
}

struct Candidate {
  std::uint64_t word;
  std::uint32_t row;
  bool operator<(const Candidate& other) const { return word != other.word ? word < other.word : row < other.row; }
};

}  // namespace

std::vector<std::uint32_t> sorted_rows(const Table& table, const SortOrder& order) {
  return rows_by_words(ordered_words(table, order));
}

Table sample_keys(const Table& table, const SortOrder& order, std::size_t count) {
  const Table keys = table.select(order.by);
  const std::size_t rows = table.row_count();
  if (count >= rows) return keys;
  // Within its run a row is chosen by a hash of the run's number: values that come again at equal distances do not
  // mislead.
  std::vector<std::uint32_t> chosen(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t begin = rows * i / count, end = rows * (i + 1) / count;
    chosen[i] = static_cast<std::uint32_t>(begin + word_hash(i + 1) % (end - begin));
  }
  return keys.take(chosen);
}

Table choose_bounds(const std::vector<Table>& samples, const SortOrder& order, std::size_t parts) {
  const Table all = Table::concat(samples);
  const Words words = ordered_words(all, order);
  const std::vector<std::uint32_t> sorted = rows_by_words(words);
  std::vector<std::uint32_t> bounds;
  for (std::size_t k = 1; k < parts && !sorted.empty(); ++k) {
    const std::uint32_t row = sorted[sorted.size() * k / parts];
    // Nothing lies before the least.
    const std::uint32_t before = bounds.empty() ? sorted.front() : bounds.back();
    if (words.of[row] != words.of[before]) bounds.push_back(row);
  }
  return all.take(bounds);
}

std::vector<Table> split_by_bounds(const Table& table, const SortOrder& order, const Table& bounds, std::size_t parts) {
  const std::size_t count = bounds.row_count();
  if (count >= parts)
    throw Error(std::to_string(count) + " bounds cut a table into " + std::to_string(count + 1) + " parts, not into " +
                std::to_string(parts));
  if (count == 0) {
    std::vector<Table> all{table};
    all.resize(parts, table.empty_like());
    return all;
  }
  // Words of different tables do not compare, so that the bounds' are made beside the rows'.
  const Words words = ordered_words(Table::concat({bounds.select(order.by), table.select(order.by)}), order);
  const std::uint64_t* const at = words.of.get();
  std::vector<std::uint32_t> part_of(table.row_count());
  for (std::size_t i = 0; i < part_of.size(); ++i)
    part_of[i] = static_cast<std::uint32_t>(std::upper_bound(at, at + count, at[count + i]) - at);
  return scatter(table, part_of, parts);
}

Table top_rows(const Table& table, const SortOrder& order, std::size_t count) {
  const Words words = ordered_words(table, order);
  if (count >= words.rows / 8) {
    std::vector<std::uint32_t> rows = rows_by_words(words);
    rows.resize(std::min(count, rows.size()));
    return table.take(rows);
  }
  // The best so far lie in a heap with the last of them on top.
  std::vector<Candidate> best;
  for (std::size_t i = 0; i < words.rows; ++i) {
    if (best.size() == count && (count == 0 || words.of[i] >= best.front().word)) continue;
    if (best.size() == count) {
      std::pop_heap(best.begin(), best.end());
      best.pop_back();
    }
    best.push_back({words.of[i], static_cast<std::uint32_t>(i)});
    std::push_heap(best.begin(), best.end());
  }
  std::sort_heap(best.begin(), best.end());
  std::vector<std::uint32_t> rows;
  for (const Candidate& one : best) rows.push_back(one.row);
  return table.take(rows);
}

}  // namespace weft::frames
