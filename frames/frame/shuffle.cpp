#include "frames/frame/reduce.hpp"
#include "frames/rows/groups.hpp"
#include "frames/rows/join.hpp"
#include "frames/rows/order.hpp"

#include <weft/dataframe.hpp>
#include <weft/error.hpp>

#include <algorithm>

namespace weft {
namespace {

using frames::PipelineStep;
using Kind = PipelineStep::Kind;
using Tables = std::vector<Delayed<Table>>;

/// Keys sampled of each partition, for each partition of the result.
constexpr std::size_t kSamples = 32;

struct CutByHash {
  std::vector<Table> operator()(const Table& table, const std::vector<std::string>& on, std::size_t parts) const {
    return frames::split_by_hash(table, on, parts);
  }
};
struct ChooseBounds {
  Table operator()(const std::vector<Table>& samples, const frames::SortOrder& order, std::size_t parts) const {
    return frames::choose_bounds(samples, order, parts);
  }
};
struct CutByBounds {
  std::vector<Table> operator()(const Table& table, const frames::SortOrder& order, const Table& bounds,
                                std::size_t parts) const {
    return frames::split_by_bounds(table, order, bounds, parts);
  }
};
struct SortPieces {
  Table operator()(const std::vector<Table>& pieces, const frames::SortOrder& order) const {
    const Table all = Table::concat(pieces);
    return all.take(frames::sorted_rows(all, order));
  }
};
struct TopOfPieces {
  Table operator()(const std::vector<Table>& pieces, const frames::SortOrder& order, std::size_t count) const {
    return frames::top_rows(Table::concat(pieces), order, count);
  }
};
struct DistinctOfPieces {
  Table operator()(const std::vector<Table>& pieces, const std::vector<std::string>& names) const {
    const Table all = Table::concat(pieces);
    return all.take(frames::group_rows(all, names, false).first_row);
  }
};
struct JoinTwo {
  Table operator()(const Table& left, const Table& right, const frames::JoinPlan& plan) const {
    return frames::join_tables(left, right, plan);
  }
};
struct JoinPieces {
  Table operator()(const std::vector<Table>& left, const std::vector<Table>& right,
                   const frames::JoinPlan& plan) const {
    return frames::join_tables(Table::concat(left), Table::concat(right), plan);
  }
};
struct SliceOne {
  Table operator()(const Table& table, std::size_t part, std::size_t parts) const {
    const std::size_t first = table.row_count() * part / parts;
    return table.slice(first, table.row_count() * (part + 1) / parts - first);
  }
};
/// Puts a table's columns into the order, and the types, of another.
struct LikeColumns {
  Table operator()(const Table& table, const Table& meta) const {
    Table like;
    for (const Table::Named& one : meta.columns()) {
      const Column* const found = table.find(one.name);
      like.set(one.name, found != nullptr ? found->cast(one.column.type())
                                          : one.column.take(std::vector<std::uint32_t>(table.row_count(), 0xfffffffe)));
    }
    return like;
  }
};

Tables cut_and_join(const Tables& partitions, const std::vector<std::string>& on, std::size_t parts,
                    const std::source_location& where) {
  const DelayedFunction<CutByHash> cut({}, where);
  std::vector<Delayed<std::vector<Table>>> pieces;
  for (const Delayed<Table>& one : partitions) pieces.push_back(cut(one, on, parts));
  const DelayedFunction<frames::ConcatTables> join({}, where);
  Tables joined;
  for (const Tables& column : frames::columns_of(pieces, parts)) joined.push_back(join(column));
  return joined;
}

/// Joins tables of neighbours by f(pieces, arguments...), eight at a time, until one is left.
template <class F, class... A>
Delayed<Table> tree(Tables parts, const std::source_location& where, const A&... arguments) {
  const DelayedFunction<F> join({}, where);
  do {
    Tables joined;
    for (std::size_t first = 0; first < parts.size(); first += 8) {
      const auto begin = parts.begin() + static_cast<std::ptrdiff_t>(first);
      joined.push_back(
          join(Tables(begin, begin + static_cast<std::ptrdiff_t>(std::min<std::size_t>(8, parts.size() - first))),
               arguments...));
    }
    parts = std::move(joined);
  } while (parts.size() > 1);
  return parts.front();
}

frames::SortOrder order_of(const Table& meta, const std::vector<std::string>& by, std::vector<bool> ascending,
                           bool otherwise) {
  if (by.empty()) throw Error("no column to sort by was named");
  for (const std::string& name : by) static_cast<void>(meta[name]);
  if (ascending.empty()) ascending.assign(by.size(), otherwise);
  if (ascending.size() == 1) ascending.assign(by.size(), ascending.front());
  if (ascending.size() != by.size())
    throw Error("sort_values: " + std::to_string(by.size()) + " columns and " + std::to_string(ascending.size()) +
                " directions: give one of each");
  return {by, std::move(ascending)};
}

JoinKind join_kind(const std::string& how) {
  constexpr std::pair<std::string_view, JoinKind> kKinds[] = {
      {"inner", JoinKind::Inner}, {"left", JoinKind::Left},         {"right", JoinKind::Right},
      {"outer", JoinKind::Outer}, {"leftsemi", JoinKind::LeftSemi}, {"leftanti", JoinKind::LeftAnti}};
  for (const auto& [name, kind] : kKinds) {
    if (name == how) return kind;
  }
  throw Error("merge: .how is '" + how + "': there are inner, left, right, outer, leftsemi and leftanti");
}

frames::JoinPlan join_plan(const Table& left, const Table& right, const MergeOptions& options) {
  frames::JoinPlan plan;
  plan.kind = join_kind(options.how);
  plan.left_on = options.left_on.empty() ? options.on : options.left_on;
  plan.right_on = options.right_on.empty() ? options.on : options.right_on;
  if (plan.left_on.empty() && plan.right_on.empty()) {
    for (const std::string& name : left.names()) {
      if (right.has(name)) plan.left_on.push_back(name);
    }
    plan.right_on = plan.left_on;
  }
  if (plan.left_on.empty() || plan.left_on.size() != plan.right_on.size())
    throw Error("merge: name the keys by .on, or as many of them by .left_on as by .right_on");
  if (options.suffixes.size() != 2) throw Error("merge: .suffixes are two texts");
  plan.left_suffix = options.suffixes[0];
  plan.right_suffix = options.suffixes[1];
  plan.indicator = options.indicator;
  return plan;
}

}  // namespace

namespace frames {

std::vector<std::vector<Delayed<Table>>> columns_of(const std::vector<Delayed<std::vector<Table>>>& cut,
                                                    std::size_t count) {
  std::vector<std::vector<Delayed<Table>>> columns(count);
  for (const Delayed<std::vector<Table>>& one : cut) {
    for (std::size_t i = 0; i < count; ++i) columns[i].push_back(one[i]);
  }
  return columns;
}

}  // namespace frames

DataFrame DataFrame::shuffle(const std::vector<std::string>& on, std::size_t npartitions, const Where& where) const {
  for (const std::string& name : on) static_cast<void>(plan_->meta[name]);
  if (on.empty()) throw Error("shuffle: no column was named");
  const std::size_t parts = npartitions != 0 ? npartitions : this->npartitions();
  return DataFrame(frames::plan_of(cut_and_join(to_delayed(where), on, parts, where), plan_->meta));
}

DataFrame DataFrame::drop_duplicates(const std::vector<std::string>& subset, const Where& where) const {
  const std::vector<std::string> names = subset.empty() ? plan_->meta.names() : subset;
  const frames::SharedPlan each = frames::with_step(plan_, {.kind = Kind::Distinct, .names = names});
  return DataFrame(
      frames::plan_of({tree<DistinctOfPieces>(frames::describe(*each, where), where, names)}, plan_->meta));
}

DataFrame DataFrame::merge(const DataFrame& right, const MergeOptions& options, const Where& where) const {
  const frames::JoinPlan how = join_plan(plan_->meta, right.meta(), options);
  const Table meta = frames::join_tables(plan_->meta, right.meta(), how);
  const bool left_rows_alone = how.kind != JoinKind::Right && how.kind != JoinKind::Outer;
  const bool broadcast = left_rows_alone && (options.broadcast < 0 ? right.npartitions() == 1 : options.broadcast != 0);
  Tables joined;
  if (broadcast || (npartitions() == 1 && right.npartitions() == 1)) {
    Tables others = right.to_delayed(where);
    const Delayed<Table> whole =
        others.size() == 1 ? others.front() : DelayedFunction<frames::ConcatTables>({}, where)(others);
    const DelayedFunction<JoinTwo> join({}, where);
    for (const Delayed<Table>& one : to_delayed(where)) joined.push_back(join(one, whole, how));
    return DataFrame(frames::plan_of(std::move(joined), meta));
  }
  const std::size_t parts =
      options.npartitions != 0 ? options.npartitions : std::max(npartitions(), right.npartitions());
  // Keys of different types must meet in one partition: they are hashed as what they are compared as.
  DataFrame mine = *this, others = right;
  for (std::size_t i = 0; i < how.left_on.size(); ++i) {
    const ColumnType a = plan_->meta[how.left_on[i]].type(), b = right.meta()[how.right_on[i]].type();
    if (a == b) continue;
    const auto is_text = [](ColumnType one) { return one == ColumnType::String || one == ColumnType::Category; };
    const auto is_real = [](ColumnType one) { return one == ColumnType::Float32 || one == ColumnType::Float64; };
    const std::string type = is_text(a) ? "string" : is_real(a) || is_real(b) ? "float64" : "int64";
    mine = mine.assign(how.left_on[i], col(how.left_on[i]).astype(type));
    others = others.assign(how.right_on[i], col(how.right_on[i]).astype(type));
  }
  const auto cut = [&](const DataFrame& frame, const std::vector<std::string>& on) {
    std::vector<Delayed<std::vector<Table>>> pieces;
    const DelayedFunction<CutByHash> one({}, where);
    for (const Delayed<Table>& partition : frame.to_delayed(where)) pieces.push_back(one(partition, on, parts));
    return frames::columns_of(pieces, parts);
  };
  const auto left_pieces = cut(mine, how.left_on), right_pieces = cut(others, how.right_on);
  const DelayedFunction<JoinPieces> join({}, where);
  const DelayedFunction<LikeColumns> like({}, where);
  const bool changed = mine.plan() != plan_;
  for (std::size_t i = 0; i < parts; ++i) {
    const Delayed<Table> one = join(left_pieces[i], right_pieces[i], how);
    joined.push_back(changed ? like(one, meta) : one);
  }
  return DataFrame(frames::plan_of(std::move(joined), meta));
}

DataFrame DataFrame::sort_values(const std::vector<std::string>& by, const std::vector<bool>& ascending,
                                 std::size_t npartitions, const Where& where) const {
  const frames::SortOrder order = order_of(plan_->meta, by, ascending, true);
  const std::size_t parts = npartitions != 0 ? npartitions : this->npartitions();
  const Tables partitions = to_delayed(where);
  const DelayedFunction<SortPieces> sort({}, where);
  if (parts == 1) return DataFrame(frames::plan_of({sort(partitions, order)}, plan_->meta));
  const frames::SharedPlan computed = frames::plan_of(partitions, plan_->meta);
  const frames::SharedPlan sampled = frames::with_step(
      computed, {.kind = Kind::SampleKeys, .order = order, .count = static_cast<std::int64_t>(kSamples * parts)});
  const Delayed<Table> bounds =
      DelayedFunction<ChooseBounds>({}, where)(frames::describe(*sampled, where), order, parts);
  const DelayedFunction<CutByBounds> cut({}, where);
  std::vector<Delayed<std::vector<Table>>> pieces;
  for (const Delayed<Table>& one : partitions) pieces.push_back(cut(one, order, bounds, parts));
  Tables sorted;
  for (const Tables& column : frames::columns_of(pieces, parts)) sorted.push_back(sort(column, order));
  return DataFrame(frames::plan_of(std::move(sorted), plan_->meta));
}

namespace {

DataFrame top(const frames::SharedPlan& plan, std::size_t count, const frames::SortOrder& order,
              const std::source_location& where) {
  const frames::SharedPlan each =
      frames::with_step(plan, {.kind = Kind::Top, .order = order, .count = static_cast<std::int64_t>(count)});
  return DataFrame(
      frames::plan_of({tree<TopOfPieces>(frames::describe(*each, where), where, order, count)}, plan->meta));
}

}  // namespace

DataFrame DataFrame::nlargest(std::size_t count, const std::vector<std::string>& by, const Where& where) const {
  return top(plan_, count, order_of(plan_->meta, by, {}, false), where);
}

DataFrame DataFrame::nsmallest(std::size_t count, const std::vector<std::string>& by, const Where& where) const {
  return top(plan_, count, order_of(plan_->meta, by, {}, true), where);
}

DataFrame DataFrame::repartition(std::size_t npartitions, const Where& where) const {
  if (npartitions == 0) throw Error("repartition: a frame has at least one partition");
  const Tables old = to_delayed(where);
  Tables fresh;
  const DelayedFunction<frames::ConcatTables> join({}, where);
  const DelayedFunction<SliceOne> slice({}, where);
  if (npartitions <= old.size()) {
    for (std::size_t i = 0; i < npartitions; ++i) {
      const auto first = old.begin() + static_cast<std::ptrdiff_t>(old.size() * i / npartitions);
      const auto end = old.begin() + static_cast<std::ptrdiff_t>(old.size() * (i + 1) / npartitions);
      fresh.push_back(end - first == 1 ? *first : join(Tables(first, end)));
    }
  } else {
    for (std::size_t i = 0; i < old.size(); ++i) {
      const std::size_t parts = npartitions * (i + 1) / old.size() - npartitions * i / old.size();
      for (std::size_t k = 0; k < parts; ++k) fresh.push_back(parts == 1 ? old[i] : slice(old[i], k, parts));
    }
  }
  return DataFrame(frames::plan_of(std::move(fresh), plan_->meta));
}

namespace {
struct BytesOf {
  std::uint64_t operator()(const Table& table) const { return table.size_bytes(); }
};
}  // namespace

DataFrame DataFrame::repartition_bytes(const Client& client, std::uint64_t bytes, const Where& where) const {
  if (bytes == 0) throw Error("repartition_bytes: a partition takes at least one byte");
  const DataFrame computed = persist(client);
  const Tables old = computed.to_delayed(where);
  const DelayedFunction<BytesOf> size({}, where);
  std::vector<Delayed<std::uint64_t>> sizes;
  for (const Delayed<Table>& one : old) sizes.push_back(size(one));
  const std::vector<std::uint64_t> known = client.gather(client.persist(sizes));
  const DelayedFunction<frames::ConcatTables> join({}, where);
  const DelayedFunction<SliceOne> slice({}, where);
  Tables fresh, small;
  std::uint64_t together = 0;
  const auto flush = [&] {
    if (!small.empty()) fresh.push_back(small.size() == 1 ? small.front() : join(small));
    small.clear();
    together = 0;
  };
  for (std::size_t i = 0; i < old.size(); ++i) {
    const auto parts = static_cast<std::size_t>((known[i] + bytes - 1) / bytes);
    if (together + known[i] > bytes) flush();
    if (parts <= 1) {
      small.push_back(old[i]);
      together += known[i];
      continue;
    }
    for (std::size_t k = 0; k < parts; ++k) fresh.push_back(slice(old[i], k, parts));
  }
  flush();
  return DataFrame(frames::plan_of(std::move(fresh), plan_->meta));
}

DataFrame concat(const std::vector<DataFrame>& all, const std::source_location& where) {
  if (all.empty()) throw Error("concat: no frames were given");
  // Columns in the order in which they first appear; of whole numbers and floats, floats.
  Table meta;
  for (const DataFrame& frame : all) {
    for (const Table::Named& one : frame.meta().columns()) {
      const Column* const known = meta.find(one.name);
      if (known == nullptr) {
        meta.set(one.name, one.column);
      } else if (known->type() != one.column.type()) {
        const Table both({{"a", *known}, {"b", one.column}});
        meta.set(one.name, frames::evaluate(col("a").where(ColumnExpr(true), col("b")), both));
      }
    }
  }
  Tables partitions;
  const DelayedFunction<LikeColumns> like({}, where);
  for (const DataFrame& frame : all) {
    const bool same = frame.columns() == meta.names() &&
                      std::equal(meta.columns().begin(), meta.columns().end(), frame.meta().columns().begin(),
                                 [](const auto& a, const auto& b) { return a.column.type() == b.column.type(); });
    for (const Delayed<Table>& one : frame.to_delayed(where)) partitions.push_back(same ? one : like(one, meta));
  }
  return DataFrame(frames::plan_of(std::move(partitions), meta));
}

}  // namespace weft
