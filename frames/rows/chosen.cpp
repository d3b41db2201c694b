#include "frames/rows/states.hpp"
#include "frames/rows/words.hpp"

namespace weft::frames {
namespace {

constexpr std::uint32_t kNone = 0xffffffff;

/// The rows of least or greatest words, the first of several.
template <class WordOf, class IsMissing>
void choose_by_words(const Grouping& groups, std::uint64_t flip, WordOf word_of, IsMissing is_missing,
                     std::vector<std::uint32_t>& rows) {
  std::vector<std::uint64_t> best(rows.size(), ~std::uint64_t{0});
  for (std::size_t i = 0; i < groups.rows; ++i) {
    if (is_missing(i)) continue;
    const std::uint32_t group = groups.group_of[i];
    const std::uint64_t word = word_of(i) ^ flip;
    if (word < best[group] || rows[group] == kNone) {
      best[group] = word;
      rows[group] = static_cast<std::uint32_t>(i);
    }
  }
}

void choose_texts(const Column& values, const Grouping& groups, bool least, std::vector<std::uint32_t>& rows) {
  const Texts texts(values);
  const std::uint8_t* const marks = values.marks();
  for (std::size_t i = 0; i < groups.rows; ++i) {
    if (marks != nullptr && marks[i] == 0) continue;
    std::uint32_t& row = rows[groups.group_of[i]];
    if (row == kNone || (least ? texts[i] < texts[row] : texts[row] < texts[i])) row = static_cast<std::uint32_t>(i);
  }
}

template <class IsMissing>
void choose_by_place(const Grouping& groups, bool last, IsMissing is_missing, std::vector<std::uint32_t>& rows) {
  for (std::size_t i = 0; i < groups.rows; ++i) {
    std::uint32_t& row = rows[groups.group_of[i]];
    if ((last || row == kNone) && !is_missing(i)) row = static_cast<std::uint32_t>(i);
  }
}

}  // namespace

Column chosen_values(const Aggregate& aggregate, const Column& values, const Grouping& groups) {
  std::vector<std::uint32_t> rows(groups.groups + 1, kNone);
  const AggregateKind kind = aggregate.kind;
  const bool by_place = kind == AggregateKind::First || kind == AggregateKind::Last;
  if (values.type() == ColumnType::String) {
    const std::uint8_t* const marks = values.marks();
    if (by_place) {
      choose_by_place(
          groups, kind == AggregateKind::Last, [marks](std::size_t i) { return marks != nullptr && marks[i] == 0; },
          rows);
    } else {
      choose_texts(values, groups, kind == AggregateKind::Min, rows);
    }
  } else {
    with_values(values, !by_place, [&](auto word_of, auto is_missing) {
      if (by_place)
        choose_by_place(groups, kind == AggregateKind::Last, is_missing, rows);
      else
        choose_by_words(groups, kind == AggregateKind::Min ? 0 : ~std::uint64_t{0}, word_of, is_missing, rows);
      return 0;
    });
  }
  return values.take(std::span(rows).first(groups.groups));
}

}  // namespace weft::frames
