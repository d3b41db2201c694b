#include "frames/rows/states.hpp"

#include <algorithm>
#include <array>

namespace weft::frames {
namespace {

struct Mean {
  ExactSum sum;
  std::int64_t count = 0;
};

bool is_float(ColumnType type) { return type == ColumnType::Float32 || type == ColumnType::Float64; }

/// Returns the first `count` of what `value_of` gives.
template <class T, class ValueOf>
Column column_of(ColumnType type, std::size_t count, ValueOf value_of) {
  Column column(type, count);
  for (std::size_t g = 0; g < count; ++g) column.data<T>()[g] = static_cast<T>(value_of(g));
  return column;
}

/// Sums all numbers as one group: eight sums that do not wait for each other.
template <class T>
Mean mean_of_all(const Column& values, const T* data) {
  constexpr std::size_t kLanes = 8;
  std::array<ExactSum, kLanes> sums;
  Mean all;
  const std::uint8_t* const marks = values.marks();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (marks != nullptr && marks[i] == 0) continue;
    const auto value = static_cast<double>(data[i]);
    if (std::isnan(value)) continue;
    sums[i % kLanes].add(value);
    ++all.count;
  }
  for (const ExactSum& one : sums) all.sum.add(one);
  return all;
}

std::vector<Mean> means_of(const Aggregate& aggregate, const Column& values, const Grouping& groups) {
  std::vector<Mean> means(groups.groups + 1);
  with_numbers(aggregate, values, [&](const auto* data) {
    if (groups.one) {
      means[0] = mean_of_all(values, data);
      return;
    }
    each_number(values, data, groups, [&](std::uint32_t group, auto value) {
      means[group].sum.add(static_cast<double>(value));
      ++means[group].count;
    });
  });
  return means;
}

Column sums_of(const std::vector<Mean>& means) {
  return column_of<double>(ColumnType::Float64, means.size() - 1, [&](std::size_t g) { return means[g].sum.sum; });
}
/// The rest of a sum of float32 is kept as float32, which tells the type of the result.
Column rests_of(const std::vector<Mean>& means, ColumnType type) {
  const auto rest = [&](std::size_t g) { return means[g].sum.rest; };
  if (type == ColumnType::Float32) return column_of<float>(type, means.size() - 1, rest);
  return column_of<double>(type, means.size() - 1, rest);
}
Column counts_of(const std::vector<Mean>& means) {
  return column_of<std::int64_t>(ColumnType::Int64, means.size() - 1, [&](std::size_t g) { return means[g].count; });
}

double real_at(const Column& column, std::size_t row) {
  return column.type() == ColumnType::Float32 ? double{column.data<float>()[row]} : column.data<double>()[row];
}
ExactSum sum_at(const States& states, std::size_t row) {
  return {states[0].data<double>()[row], real_at(states[1], row)};
}

/// Folds whole numbers, which wrap around as NumPy's do.
template <class Fold>
Column folded_whole(const Aggregate& aggregate, const Column& values, const Grouping& groups, std::uint64_t start,
                    Fold fold) {
  std::vector<std::uint64_t> folded(groups.groups + 1, start);
  with_numbers(aggregate, values, [&](const auto* data) {
    each_number(values, data, groups, [&](std::uint32_t group, auto value) {
      folded[group] = fold(folded[group], static_cast<std::uint64_t>(static_cast<std::int64_t>(value)));
    });
  });
  return column_of<std::int64_t>(ColumnType::Int64, groups.groups, [&](std::size_t g) { return folded[g]; });
}

Column products(const Aggregate& aggregate, const Column& values, const Grouping& groups) {
  if (!is_float(values.type()))
    return folded_whole(aggregate, values, groups, 1, [](std::uint64_t a, std::uint64_t b) { return a * b; });
  std::vector<double> folded(groups.groups + 1, 1.0);
  with_numbers(aggregate, values, [&](const auto* data) {
    each_number(values, data, groups,
                [&](std::uint32_t group, auto value) { folded[group] *= static_cast<double>(value); });
  });
  const auto value = [&](std::size_t g) { return folded[g]; };
  if (values.type() == ColumnType::Float32) return column_of<float>(ColumnType::Float32, groups.groups, value);
  return column_of<double>(ColumnType::Float64, groups.groups, value);
}

Column truths(const Aggregate& aggregate, const Column& values, const Grouping& groups) {
  const bool all = aggregate.kind == AggregateKind::All;
  std::vector<std::uint8_t> truth(groups.groups + 1, all ? 1 : 0);
  with_numbers(aggregate, values, [&](const auto* data) {
    each_number(values, data, groups, [&](std::uint32_t group, auto value) {
      if ((value != 0) != all) truth[group] = all ? 0 : 1;
    });
  });
  return column_of<std::uint8_t>(ColumnType::Bool, groups.groups, [&](std::size_t g) { return truth[g]; });
}

Column counts(const Aggregate& aggregate, const Column& values, const Grouping& groups) {
  std::vector<std::int64_t> count(groups.groups + 1);
  if (aggregate.kind == AggregateKind::Size || values.missing_count() == 0) {
    for (std::size_t i = 0; i < groups.rows; ++i) ++count[groups.group_of[i]];
  } else {
    for (std::size_t i = 0; i < groups.rows; ++i) count[groups.group_of[i]] += values.is_missing(i) ? 0 : 1;
  }
  return column_of<std::int64_t>(ColumnType::Int64, groups.groups, [&](std::size_t g) { return count[g]; });
}

/// How many values there are, their mean, and the sum of the squares of what they differ from it by.
struct Spread {
  double count = 0, mean = 0, squares = 0;

  void add(const Spread& other) {
    if (other.count == 0) return;
    const double all = count + other.count, between = other.mean - mean;
    mean += between * (other.count / all);
    squares += other.squares + between * between * (count * (other.count / all));
    count = all;
  }
};

States spread_states(const std::vector<Spread>& spreads, std::size_t count) {
  return {column_of<std::int64_t>(ColumnType::Int64, count, [&](std::size_t g) { return spreads[g].count; }),
          column_of<double>(ColumnType::Float64, count, [&](std::size_t g) { return spreads[g].mean; }),
          column_of<double>(ColumnType::Float64, count, [&](std::size_t g) { return spreads[g].squares; })};
}

/// Two passes: the squares are summed once the means are known.
States begin_spreads(const Aggregate& aggregate, const Column& values, const Grouping& groups) {
  const std::vector<Mean> means = means_of(aggregate, values, groups);
  std::vector<Spread> spreads(groups.groups + 1);
  for (std::size_t g = 0; g < means.size(); ++g) {
    if (means[g].count == 0) continue;
    spreads[g].count = static_cast<double>(means[g].count);
    spreads[g].mean = means[g].sum.value() / spreads[g].count;
  }
  std::vector<ExactSum> squares(groups.groups + 1);
  with_numbers(aggregate, values, [&](const auto* data) {
    each_number(values, data, groups, [&](std::uint32_t group, auto value) {
      const double off = static_cast<double>(value) - spreads[group].mean;
      squares[group].add(off * off);
    });
  });
  for (std::size_t g = 0; g < squares.size(); ++g) spreads[g].squares = squares[g].value();
  return spread_states(spreads, groups.groups);
}

States join_spreads(const States& states, const Grouping& groups) {
  std::vector<Spread> spreads(groups.groups + 1);
  for (std::size_t i = 0; i < groups.rows; ++i) {
    const auto count = static_cast<double>(states[0].data<std::int64_t>()[i]);
    spreads[groups.group_of[i]].add({count, states[1].data<double>()[i], states[2].data<double>()[i]});
  }
  return spread_states(spreads, groups.groups);
}

Column finish_spreads(const Aggregate& aggregate, const States& states) {
  return column_of<double>(ColumnType::Float64, states[0].size(), [&](std::size_t g) {
    const auto free = static_cast<double>(states[0].data<std::int64_t>()[g]) - aggregate.ddof;
    if (free <= 0) return std::nan("");
    const double variance = states[2].data<double>()[g] / free;
    return aggregate.kind == AggregateKind::Std ? std::sqrt(variance) : variance;
  });
}

}  // namespace

States begin_sums(const Aggregate& aggregate, const Column& values, const Grouping& groups) {
  switch (aggregate.kind) {
    case AggregateKind::Sum: {
      if (!is_float(values.type()))
        return {folded_whole(aggregate, values, groups, 0, [](std::uint64_t a, std::uint64_t b) { return a + b; })};
      const std::vector<Mean> means = means_of(aggregate, values, groups);
      return {sums_of(means), rests_of(means, values.type())};
    }
    case AggregateKind::Mean: {
      const std::vector<Mean> means = means_of(aggregate, values, groups);
      return {sums_of(means), rests_of(means, ColumnType::Float64), counts_of(means)};
    }
    case AggregateKind::Std:
    case AggregateKind::Var:
      return begin_spreads(aggregate, values, groups);
    case AggregateKind::Product:
      return {products(aggregate, values, groups)};
    case AggregateKind::Any:
    case AggregateKind::All:
      return {truths(aggregate, values, groups)};
    case AggregateKind::Count:
    case AggregateKind::Size:
      return {counts(aggregate, values, groups)};
    case AggregateKind::Min:
    case AggregateKind::Max:
    case AggregateKind::First:
    case AggregateKind::Last:
    case AggregateKind::Nunique:
    case AggregateKind::Median:
      break;
  }
  return {};
}

States join_sums(const Aggregate& aggregate, const States& states, const Grouping& groups) {
  switch (aggregate.kind) {
    case AggregateKind::Product:
      return {products(aggregate, states[0], groups)};
    case AggregateKind::Any:
    case AggregateKind::All:
      return {truths(aggregate, states[0], groups)};
    case AggregateKind::Std:
    case AggregateKind::Var:
      return join_spreads(states, groups);
    case AggregateKind::Sum:
    case AggregateKind::Mean:
    case AggregateKind::Count:
    case AggregateKind::Size:
    case AggregateKind::Min:
    case AggregateKind::Max:
    case AggregateKind::First:
    case AggregateKind::Last:
    case AggregateKind::Nunique:
    case AggregateKind::Median:
      break;
  }
  if (states.size() == 1)
    return {folded_whole(aggregate, states[0], groups, 0, [](std::uint64_t a, std::uint64_t b) { return a + b; })};
  std::vector<Mean> means(groups.groups + 1);
  for (std::size_t i = 0; i < groups.rows; ++i) {
    Mean& mean = means[groups.group_of[i]];
    mean.sum.add(sum_at(states, i));
    if (states.size() == 3) mean.count += states[2].data<std::int64_t>()[i];
  }
  States joined{sums_of(means), rests_of(means, states[1].type())};
  if (states.size() == 3) joined.push_back(counts_of(means));
  return joined;
}

Column finish_sums(const Aggregate& aggregate, const States& states) {
  if (aggregate.kind == AggregateKind::Std || aggregate.kind == AggregateKind::Var)
    return finish_spreads(aggregate, states);
  if (states.size() == 1) return states[0];
  const std::size_t count = states[0].size();
  if (states.size() == 2 && states[1].type() == ColumnType::Float32)
    return column_of<float>(ColumnType::Float32, count, [&](std::size_t g) { return sum_at(states, g).value(); });
  return column_of<double>(ColumnType::Float64, count, [&](std::size_t g) {
    if (states.size() == 2) return sum_at(states, g).value();
    const std::int64_t values = states[2].data<std::int64_t>()[g];
    return values == 0 ? std::nan("") : sum_at(states, g).value() / static_cast<double>(values);
  });
}

}  // namespace weft::frames
