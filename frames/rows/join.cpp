#include "frames/rows/join.hpp"

#include <weft/error.hpp>

#include "frames/rows/numbers.hpp"
#include "frames/rows/scatter.hpp"
#include "frames/rows/words.hpp"

#include <algorithm>

namespace weft::frames {
namespace {

constexpr std::uint32_t kNone = 0xffffffff;

/// Which rows lie beside each other: kNone where there is no partner.
struct Matches {
  std::vector<std::uint32_t> left, right;
};

bool is_whole(ColumnType type) {
  return type == ColumnType::Bool || type == ColumnType::Int32 || type == ColumnType::Int64;
}
bool is_number(ColumnType type) { return is_whole(type) || type == ColumnType::Float32 || type == ColumnType::Float64; }
bool is_text(ColumnType type) { return type == ColumnType::String || type == ColumnType::Category; }

ColumnType common_type(const Column& left, const Column& right, const JoinPlan& plan, std::size_t k) {
  const ColumnType a = left.type(), b = right.type();
  if (a == b) return a;
  if (is_whole(a) && is_whole(b)) return ColumnType::Int64;
  if (is_number(a) && is_number(b)) return ColumnType::Float64;
  if (is_text(a) && is_text(b)) return ColumnType::String;
  throw Error("tables cannot be joined on '" + plan.left_on[k] + "' of " + std::string(name_of(a)) + " and '" +
              plan.right_on[k] + "' of " + std::string(name_of(b)) + ": astype makes them alike");
}

Column as_type(const Column& column, ColumnType type) { return column.type() == type ? column : column.cast(type); }

Column stacked(const Column& left, const Column& right, ColumnType type) {
  const Column a = as_type(left, type), b = as_type(right, type);
  const Column* const both[] = {&a, &b};
  return Column::concat(both);
}

/// The rows that are looked in: those with one key lie together, in their order.
struct Partners {
  std::vector<std::uint32_t> begins;  ///< of each key's rows; empty where each key has one row
  std::vector<std::uint32_t> rows;

  std::span<const std::uint32_t> of(std::uint32_t key) const {
    if (begins.empty()) return {rows.data() + key, 1};
    return {rows.data() + begins[key], begins[key + 1] - begins[key]};
  }
};

/// Finds for each probing row the key that is equal, or kNone.
struct Found {
  Partners partners;
  std::vector<std::uint32_t> key_of;
  std::size_t count = 0;  ///< of pairs

  std::span<const std::uint32_t> of(std::size_t row) const {
    return key_of[row] == kNone ? std::span<const std::uint32_t>() : partners.of(key_of[row]);
  }
};

template <class Numbers>
void find_with(Numbers& numbers, std::span<const std::uint64_t> build, std::span<const std::uint64_t> probe,
               Found& found) {
  constexpr std::size_t kAhead = 16;
  const auto ahead = [&](std::span<const std::uint64_t> words, std::size_t row) {
    if constexpr (requires { numbers.prefetch(0); }) {
      if (row + kAhead < words.size()) numbers.prefetch(words[row + kAhead]);
    }
  };
  std::vector<std::uint32_t> keys(build.size());
  for (std::size_t i = 0; i < build.size(); ++i) {
    ahead(build, i);
    keys[i] = numbers.number(build[i]);
  }
  Partners& partners = found.partners;
  // Where all keys differ they are numbered as the rows are.
  if (numbers.count() != build.size()) partners.begins.resize(numbers.count() + std::size_t{1});
  if (partners.begins.empty()) {
    partners.rows = std::move(keys);
  } else {
    partners.rows = rows_by_part(keys, partners.begins);
  }
  found.key_of.resize(probe.size());
  for (std::size_t i = 0; i < probe.size(); ++i) {
    ahead(probe, i);
    const std::uint32_t key = numbers.find(probe[i]);
    found.key_of[i] = key;
    if (key != kNone) found.count += partners.begins.empty() ? 1 : partners.begins[key + 1] - partners.begins[key];
  }
}

Found find_partners(std::span<const std::uint64_t> build, std::span<const std::uint64_t> probe, std::uint64_t range) {
  Found found;
  if (is_direct(range, build.size() + probe.size())) {
    DirectNumbers numbers(range);
    find_with(numbers, build, probe, found);
  } else {
    HashedNumbers numbers(build.size());
    find_with(numbers, build, probe, found);
  }
  return found;
}

void check_count(std::size_t count, std::size_t left, std::size_t right) {
  if (count < kNone) return;
  throw Error("joining " + std::to_string(left) + " rows to " + std::to_string(right) + " gives " +
              std::to_string(count) + " rows, too many for one table: use more partitions, or keys that say more");
}

/// Returns the pairs in the order of the probing rows. `keep`: rows without a partner stay.
Matches pairs_in_order(const Found& found, bool keep) {
  Matches pairs;
  pairs.left.reserve(found.count);
  pairs.right.reserve(found.count);
  for (std::size_t i = 0; i < found.key_of.size(); ++i) {
    const std::span<const std::uint32_t> partners = found.of(i);
    if (partners.empty() && keep) {
      pairs.left.push_back(static_cast<std::uint32_t>(i));
      pairs.right.push_back(kNone);
    }
    for (const std::uint32_t partner : partners) {
      pairs.left.push_back(static_cast<std::uint32_t>(i));
      pairs.right.push_back(partner);
    }
  }
  return pairs;
}

/// Returns the pairs of probing rows of the right table in the order of the left table's rows.
Matches pairs_turned(const Found& found, std::size_t left_rows) {
  std::vector<std::uint32_t> left, right, begins(left_rows + 1);
  left.reserve(found.count);
  right.reserve(found.count);
  for (std::size_t i = 0; i < found.key_of.size(); ++i) {
    for (const std::uint32_t partner : found.of(i)) {
      left.push_back(partner);
      right.push_back(static_cast<std::uint32_t>(i));
    }
  }
  Matches pairs;
  for (const std::uint32_t at : rows_by_part(left, begins)) {
    pairs.left.push_back(left[at]);
    pairs.right.push_back(right[at]);
  }
  return pairs;
}

Matches match_rows(std::span<const std::uint64_t> left, std::span<const std::uint64_t> right, std::uint64_t range,
                   JoinKind kind) {
  if (kind == JoinKind::Right) {
    const Found found = find_partners(left, right, range);
    check_count(found.count + right.size(), left.size(), right.size());
    Matches pairs = pairs_in_order(found, true);
    pairs.left.swap(pairs.right);
    return pairs;
  }
  // A table of few rows is looked in, whichever side it is on.
  if (kind == JoinKind::Inner && left.size() < right.size() / 4) {
    const Found found = find_partners(left, right, range);
    check_count(found.count, left.size(), right.size());
    return pairs_turned(found, left.size());
  }
  const Found found = find_partners(right, left, range);
  if (kind == JoinKind::LeftSemi || kind == JoinKind::LeftAnti) {
    Matches pairs;
    for (std::size_t i = 0; i < left.size(); ++i) {
      if ((found.key_of[i] != kNone) == (kind == JoinKind::LeftSemi))
        pairs.left.push_back(static_cast<std::uint32_t>(i));
    }
    return pairs;
  }
  check_count(found.count + left.size() + right.size(), left.size(), right.size());
  Matches pairs = pairs_in_order(found, kind != JoinKind::Inner);
  if (kind == JoinKind::Outer) {
    std::vector<std::uint8_t> met(right.size());
    for (const std::uint32_t row : pairs.right) {
      if (row != kNone) met[row] = 1;
    }
    for (std::size_t i = 0; i < right.size(); ++i) {
      if (met[i] != 0) continue;
      pairs.left.push_back(kNone);
      pairs.right.push_back(static_cast<std::uint32_t>(i));
    }
  }
  return pairs;
}

Column indicator_of(const Matches& pairs) {
  Chunk<std::int32_t> codes(pairs.left.size());
  for (std::size_t i = 0; i < codes.size(); ++i)
    codes[i] = pairs.right[i] == kNone ? 0 : pairs.left[i] == kNone ? 1 : 2;
  return Column::categories(std::move(codes), Column::of(std::vector<std::string>{"left_only", "right_only", "both"}));
}

/// Puts a key of one name on both sides together: what the side says that has the row.
Column shared_key(const Column& left, const Column& right, const Matches& pairs, const JoinPlan& plan, std::size_t k) {
  if (plan.kind == JoinKind::Right) return right.take(pairs.right);
  if (plan.kind != JoinKind::Outer) return left.take(pairs.left);
  const Column both = stacked(left, right, common_type(left, right, plan, k));
  std::vector<std::uint32_t> rows(pairs.left);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] == kNone) rows[i] = static_cast<std::uint32_t>(left.size()) + pairs.right[i];
  }
  return both.take(rows);
}

Table joined(const Table& left, const Table& right, const Matches& pairs, const JoinPlan& plan) {
  // Returns which of the keys that have one name on both sides this is, or none.
  const auto shared = [&](const std::string& name) {
    std::size_t k = 0;
    while (k < plan.left_on.size() && (plan.left_on[k] != name || plan.right_on[k] != name)) ++k;
    return k;
  };
  const auto is_shared = [&](const std::string& name) { return shared(name) < plan.left_on.size(); };
  std::vector<Table::Named> columns;
  for (const Table::Named& one : left.columns()) {
    if (is_shared(one.name)) {
      columns.push_back({one.name, shared_key(one.column, right[one.name], pairs, plan, shared(one.name))});
    } else {
      columns.push_back({one.name + (right.has(one.name) ? plan.left_suffix : ""), one.column.take(pairs.left)});
    }
  }
  for (const Table::Named& one : right.columns()) {
    if (is_shared(one.name)) continue;
    columns.push_back({one.name + (left.has(one.name) ? plan.right_suffix : ""), one.column.take(pairs.right)});
  }
  if (!plan.indicator.empty()) columns.push_back({plan.indicator, indicator_of(pairs)});
  return Table(std::move(columns));
}

}  // namespace

Table join_tables(const Table& left, const Table& right, const JoinPlan& plan) {
  if (plan.left_on.empty() || plan.left_on.size() != plan.right_on.size())
    throw Error("tables are joined on as many columns of the left one as of the right one, at least one each: " +
                std::to_string(plan.left_on.size()) + " and " + std::to_string(plan.right_on.size()) + " are given");
  // Words of different tables do not compare: the keys of both are laid one behind the other.
  Table keys;
  std::vector<std::string> names;
  for (std::size_t k = 0; k < plan.left_on.size(); ++k) {
    const Column &a = left[plan.left_on[k]], &b = right[plan.right_on[k]];
    names.push_back(std::to_string(k));
    keys.set(names.back(), stacked(a, b, common_type(a, b, plan, k)));
  }
  Words words = words_of(keys, names, {});
  keys = {};
  const std::span<const std::uint64_t> all(words.of.get(), words.rows);
  const Matches pairs = match_rows(all.first(left.row_count()), all.subspan(left.row_count()), words.range, plan.kind);
  words.of.reset();
  if (plan.kind == JoinKind::LeftSemi || plan.kind == JoinKind::LeftAnti) return left.take(pairs.left);
  return joined(left, right, pairs, plan);
}

}  // namespace weft::frames
