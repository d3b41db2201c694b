#include "frames/rows/groups.hpp"

#include <weft/error.hpp>

#include "frames/rows/numbers.hpp"
#include "frames/rows/scatter.hpp"
#include "frames/rows/text_hash.hpp"
#include "frames/rows/words.hpp"

#include <numeric>

namespace weft::frames {
namespace {

constexpr std::uint64_t kMissingHash = 0x8ebc6af09c88c6e3u;

/// Numbers one column without missing values as it lies; tells whether it was such.
bool group_column(const Column& column, Groups& groups) {
  return with_values(column, false, [&](auto word_of, auto is_missing) {
    const WordSpan span = span_of(column.size(), word_of, is_missing);
    if (span.missing) return false;
    const std::uint64_t least = span.least;
    number_rows(
        column.size(), span.most - least + 1, [=](std::size_t i) { return word_of(i) - least; }, nullptr, groups);
    return true;
  });
}

/// Mixes the hashes of a column's elements into those of the rows.
template <class HashOf, class IsMissing>
void mix_in(std::vector<std::uint64_t>& hashes, HashOf hash_of, IsMissing is_missing) {
  for (std::size_t i = 0; i < hashes.size(); ++i)
    hashes[i] = word_hash(hashes[i] * 31 + (is_missing(i) ? kMissingHash : hash_of(i)));
}

}  // namespace

Groups group_rows(const Table& table, const std::vector<std::string>& keys, bool drop_missing) {
  Groups groups;
  if (keys.size() == 1 && group_column(table[keys.front()], groups)) return groups;
  const Words words = words_of(table, keys, {});
  const std::vector<std::uint8_t> missing = drop_missing ? rows_missing(table, keys) : std::vector<std::uint8_t>();
  const std::uint64_t* const of = words.of.get();
  number_rows(
      words.rows, words.range, [of](std::size_t i) { return of[i]; }, missing.empty() ? nullptr : missing.data(),
      groups);
  return groups;
}

std::vector<std::uint64_t> hash_rows(const Table& table, const std::vector<std::string>& keys) {
  std::vector<std::uint64_t> hashes(table.row_count());
  for (const std::string& key : keys) {
    const Column& column = table[key];
    const std::uint8_t* const marks = column.marks();
    if (column.type() == ColumnType::String) {
      const Texts texts(column);
      mix_in(
          hashes, [texts](std::size_t i) { return text_hash(texts[i]); },
          [marks](std::size_t i) { return marks != nullptr && marks[i] == 0; });
    } else if (column.type() == ColumnType::Category) {
      const Texts texts(column.category_list());
      std::vector<std::uint64_t> names(column.category_list().size());
      for (std::size_t i = 0; i < names.size(); ++i) names[i] = text_hash(texts[i]);
      const auto* const codes = column.data<std::int32_t>();
      mix_in(
          hashes, [&](std::size_t i) { return names[static_cast<std::size_t>(codes[i])]; },
          [=](std::size_t i) { return codes[i] < 0 || (marks != nullptr && marks[i] == 0); });
    } else {
      with_values(column, false, [&](auto word_of, auto is_missing) {
        mix_in(hashes, word_of, is_missing);
        return 0;
      });
    }
  }
  return hashes;
}

std::vector<Table> split_by_hash(const Table& table, const std::vector<std::string>& keys, std::size_t parts) {
  if (parts == 0) throw Error("a table cannot be cut into no parts");
  const std::vector<std::uint64_t> hashes = hash_rows(table, keys);
  std::vector<std::uint32_t> part_of(hashes.size());
  for (std::size_t i = 0; i < hashes.size(); ++i)
    part_of[i] = static_cast<std::uint32_t>(((hashes[i] >> 32) * parts) >> 32);
  return scatter(table, part_of, parts);
}

std::vector<std::uint32_t> rows_by_part(std::span<const std::uint32_t> part_of, std::vector<std::uint32_t>& begins) {
  for (const std::uint32_t part : part_of) ++begins[part + 1];
  std::partial_sum(begins.begin(), begins.end(), begins.begin());
  std::vector<std::uint32_t> next = begins, rows(part_of.size());
  for (std::size_t i = 0; i < part_of.size(); ++i) rows[next[part_of[i]]++] = static_cast<std::uint32_t>(i);
  return rows;
}

std::vector<Table> scatter(const Table& table, std::span<const std::uint32_t> part_of, std::size_t parts) {
  std::vector<std::uint32_t> begins(parts + 1);
  const std::vector<std::uint32_t> rows = rows_by_part(part_of, begins);
  std::vector<Table> all;
  all.reserve(parts);
  for (std::size_t k = 0; k < parts; ++k)
    all.push_back(table.take(std::span(rows).subspan(begins[k], begins[k + 1] - begins[k])));
  return all;
}

}  // namespace weft::frames
