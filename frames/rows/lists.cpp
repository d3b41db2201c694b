#include "frames/rows/numbers.hpp"
#include "frames/rows/scatter.hpp"
#include "frames/rows/states.hpp"
#include "frames/rows/words.hpp"

#include <algorithm>

// A list of values is the bytes of one string of a column. Median keeps float64 after float64. Nunique keeps, for
// numbers, their words and (in a column of int64) how many there are; for strings, the bytes of them all and (in a
// column of strings) the length of each, a std::uint32_t: by its type the second column tells which of the two it is.

namespace weft::frames {
namespace {

/// Bytes that are put together group by group.
class Lists {
 public:
  explicit Lists(std::size_t groups) : ends_(groups), next_(groups + 1) {}

  void expect(std::uint32_t group, std::size_t bytes) { next_[group] += static_cast<std::int64_t>(bytes); }
  /// Makes room for what is expected.
  void begin() {
    std::int64_t end = 0;
    for (std::size_t g = 0; g < ends_.size(); ++g) {
      const std::int64_t bytes = std::exchange(next_[g], end);
      ends_[g] = end += bytes;
    }
    if (end != 0) bytes_ = Buffer::allocate(static_cast<std::size_t>(end));
  }
  void put(std::uint32_t group, const void* from, std::size_t bytes) {
    if (bytes == 0) return;
    std::memcpy(bytes_.data() + next_[group], from, bytes);
    next_[group] += static_cast<std::int64_t>(bytes);
  }
  Column column() && { return Column::strings(std::move(ends_), std::move(bytes_)); }

 private:
  Chunk<std::int64_t> ends_;
  std::vector<std::int64_t> next_;  // bytes expected, then where the next go
  Buffer bytes_;
};

/// Puts the lists of each group behind each other.
Column joined_lists(const Column& lists, const Grouping& groups) {
  const Texts texts(lists);
  Lists joined(groups.groups);
  for (std::size_t i = 0; i < groups.rows; ++i) joined.expect(groups.group_of[i], texts[i].size());
  joined.begin();
  for (std::size_t i = 0; i < groups.rows; ++i) joined.put(groups.group_of[i], texts[i].data(), texts[i].size());
  return std::move(joined).column();
}

Column all_values(const Aggregate& aggregate, const Column& values, const Grouping& groups) {
  return with_numbers(aggregate, values, [&](const auto* data) {
    Lists lists(groups.groups);
    const auto one = [&](auto use) {
      each_number(values, data, groups, [&](std::uint32_t group, auto value) {
        if (group < groups.groups) use(group, static_cast<double>(value));
      });
    };
    one([&](std::uint32_t group, double) { lists.expect(group, sizeof(double)); });
    lists.begin();
    one([&](std::uint32_t group, double value) { lists.put(group, &value, sizeof value); });
    return std::move(lists).column();
  });
}

double median_of(std::string_view list, std::vector<double>& values) {
  if (list.empty()) return std::nan("");
  values.resize(list.size() / sizeof(double));
  std::memcpy(values.data(), list.data(), list.size());
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  const double below = *std::max_element(values.begin(), middle);
  return below == *middle ? below : below / 2 + *middle / 2;
}

/// Returns rows one of which has each value of each group, in the order of the groups.
std::vector<std::uint32_t> different_rows(const Column& values, const Grouping& groups) {
  Words words = words_of(values, WordOrder{});
  if (words.range == 0 || words.range > ~std::uint64_t{0} / (groups.groups + 1)) {
    Groups numbers;
    const std::uint64_t* const of = words.of.get();
    number_rows(
        words.rows, words.range, [of](std::size_t i) { return of[i]; }, nullptr, numbers);
    std::copy(numbers.group_of.begin(), numbers.group_of.end(), words.of.get());
    words.range = std::max<std::uint64_t>(1, numbers.first_row.size());
  }
  std::vector<std::uint8_t> skip(words.rows);
  const bool missing = values.missing_count() != 0;
  for (std::size_t i = 0; i < words.rows; ++i)
    skip[i] = groups.group_of[i] >= groups.groups || (missing && values.is_missing(i)) ? 1 : 0;
  Groups pairs;
  const std::uint64_t *const of = words.of.get(), range = words.range;
  number_rows(
      words.rows, range * (groups.groups + 1), [&](std::size_t i) { return groups.group_of[i] * range + of[i]; },
      skip.data(), pairs);
  std::vector<std::uint32_t> group_of(pairs.first_row.size()), begins(groups.groups + 1);
  for (std::size_t i = 0; i < group_of.size(); ++i) group_of[i] = groups.group_of[pairs.first_row[i]];
  std::vector<std::uint32_t> rows = rows_by_part(group_of, begins);
  for (std::uint32_t& row : rows) row = pairs.first_row[row];
  return rows;
}

States different_texts(const Column& values, const Grouping& groups) {
  const std::vector<std::uint32_t> rows = different_rows(values, groups);
  Lists texts(groups.groups), lengths(groups.groups);
  for (const std::uint32_t row : rows) {
    texts.expect(groups.group_of[row], values.text(row).size());
    lengths.expect(groups.group_of[row], sizeof(std::uint32_t));
  }
  texts.begin();
  lengths.begin();
  for (const std::uint32_t row : rows) {
    const std::string_view text = values.text(row);
    const auto length = static_cast<std::uint32_t>(text.size());
    texts.put(groups.group_of[row], text.data(), text.size());
    lengths.put(groups.group_of[row], &length, sizeof length);
  }
  return {std::move(texts).column(), std::move(lengths).column()};
}

States different_numbers(const Column& values, const Grouping& groups) {
  const std::vector<std::uint32_t> rows = different_rows(values, groups);
  Lists words(groups.groups);
  Column count(ColumnType::Int64, groups.groups);
  std::fill_n(count.data<std::int64_t>(), groups.groups, 0);
  for (const std::uint32_t row : rows) {
    words.expect(groups.group_of[row], sizeof(std::uint64_t));
    ++count.data<std::int64_t>()[groups.group_of[row]];
  }
  words.begin();
  with_values(values, false, [&](auto word_of, auto) {
    for (const std::uint32_t row : rows) {
      // As an int64 it has the same word again, so that lists joined once and twice agree.
      const std::uint64_t word = word_of(row) ^ (std::uint64_t{1} << 63);
      words.put(groups.group_of[row], &word, sizeof word);
    }
    return 0;
  });
  return {std::move(words).column(), std::move(count)};
}

bool is_text(ColumnType type) { return type == ColumnType::String || type == ColumnType::Category; }

/// The values of all lists of numbers or strings in one column, and the group of each.
struct Unpacked {
  Column values;
  std::vector<std::uint32_t> group_of;
};

Unpacked unpacked(const States& states, const Grouping& groups) {
  const bool texts = states[1].type() == ColumnType::String;
  const Texts lists(states[0]), sizes(states[1]);
  Unpacked all;
  for (std::size_t i = 0; i < groups.rows; ++i)
    all.group_of.insert(all.group_of.end(),
                        texts ? sizes[i].size() / sizeof(std::uint32_t) : lists[i].size() / sizeof(std::uint64_t),
                        groups.group_of[i]);
  all.values = Column(ColumnType::Int64, all.group_of.size());
  if (!texts) {
    if (!all.group_of.empty())
      std::memcpy(all.values.data<std::int64_t>(), lists.bytes, all.group_of.size() * sizeof(std::uint64_t));
    return all;
  }
  Chunk<std::int64_t> ends(all.group_of.size());
  std::int64_t end = 0;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    std::uint32_t length;
    std::memcpy(&length, sizes.bytes + i * sizeof length, sizeof length);
    ends[i] = end += length;
  }
  all.values = Column::strings(std::move(ends), states[0].bytes());
  return all;
}

}  // namespace

States begin_lists(const Aggregate& aggregate, const Column& values, const Grouping& groups) {
  if (aggregate.kind == AggregateKind::Median) return {all_values(aggregate, values, groups)};
  return is_text(values.type()) ? different_texts(values, groups) : different_numbers(values, groups);
}

States join_lists(const Aggregate& aggregate, const States& states, const Grouping& groups) {
  if (aggregate.kind == AggregateKind::Median) return {joined_lists(states[0], groups)};
  const Unpacked all = unpacked(states, groups);
  const Grouping grouping{all.group_of.data(), all.group_of.size(), groups.groups};
  return is_text(all.values.type()) ? different_texts(all.values, grouping) : different_numbers(all.values, grouping);
}

Column finish_lists(const Aggregate& aggregate, const States& states) {
  const std::size_t groups = states[0].size();
  const Texts lists(states[0]);
  if (aggregate.kind == AggregateKind::Median) {
    Column column(ColumnType::Float64, groups);
    std::vector<double> values;
    for (std::size_t g = 0; g < groups; ++g) column.data<double>()[g] = median_of(lists[g], values);
    return column;
  }
  if (states[1].type() == ColumnType::Int64) return states[1];
  const Texts lengths(states[1]);
  Column column(ColumnType::Int64, groups);
  for (std::size_t g = 0; g < groups; ++g)
    column.data<std::int64_t>()[g] = static_cast<std::int64_t>(lengths[g].size() / sizeof(std::uint32_t));
  return column;
}

}  // namespace weft::frames
