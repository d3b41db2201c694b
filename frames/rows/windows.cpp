#include "frames/rows/windows.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace weft::frames {
namespace {

template <class T>
T folded(Cumulative kind, T a, T b) {
  switch (kind) {
    case Cumulative::Sum:
      if constexpr (std::is_integral_v<T>)
        return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
      return a + b;
    case Cumulative::Product:
      if constexpr (std::is_integral_v<T>)
        return static_cast<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
      return a * b;
    case Cumulative::Min:
      return std::min(a, b);
    case Cumulative::Max:
      return std::max(a, b);
  }
  return a;
}

template <class T>
Column cumulated(const Column& column, Cumulative kind, const Column& before) {
  Column result(column.type(), column.size());
  bool any = before.size() != 0;
  T value = any ? before.data<T>()[0] : T{};
  for (std::size_t i = 0; i < column.size(); ++i) {
    if (column.is_missing(i)) {
      result.data<T>()[i] = column.data<T>()[i];
      continue;
    }
    value = any ? folded(kind, value, column.data<T>()[i]) : column.data<T>()[i];
    any = true;
    result.data<T>()[i] = value;
  }
  result.share_marks_of(column);
  return result;
}

/// Returns the type in which a column is counted on.
ColumnType running_type(const Column& column) {
  switch (column.type()) {
    case ColumnType::Bool:
    case ColumnType::Int32:
    case ColumnType::Int64:
      return ColumnType::Int64;
    case ColumnType::Float32:
    case ColumnType::Float64:
      return column.type();
    case ColumnType::Timestamp:
    case ColumnType::String:
    case ColumnType::Category:
      break;
  }
  throw Error("a column of " + std::string(name_of(column.type())) +
              " has no running sums and windows: astype makes numbers of it");
}

/// The values of one window, the missing ones left out.
struct Values {
  std::int64_t count = 0;
  double sum = 0, mean = 0, squares = 0;
  double least = std::numeric_limits<double>::infinity(), most = -std::numeric_limits<double>::infinity();

  Values(const double* values, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      if (std::isnan(values[i])) continue;
      ++count;
      sum += values[i];
      const double off = values[i] - mean;
      mean += off / static_cast<double>(count);
      squares += off * (values[i] - mean);
      least = std::min(least, values[i]);
      most = std::max(most, values[i]);
    }
  }
  double of(WindowKind kind) const {
    const double none = std::numeric_limits<double>::quiet_NaN();
    if (kind == WindowKind::Count) return static_cast<double>(count);
    if (kind == WindowKind::Sum) return sum;
    if (count == 0) return none;
    if (kind == WindowKind::Mean) return sum / static_cast<double>(count);
    if (kind == WindowKind::Min) return least;
    if (kind == WindowKind::Max) return most;
    if (count == 1) return none;
    const double variance = squares / static_cast<double>(count - 1);
    return kind == WindowKind::Var ? variance : std::sqrt(variance);
  }
};

Column shifted(const Column& column, std::int64_t by, std::size_t first, std::size_t count) {
  std::vector<std::uint32_t> rows(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t from = static_cast<std::int64_t>(first + i) - by;
    const bool there = from >= 0 && from < static_cast<std::int64_t>(column.size());
    rows[i] = there ? static_cast<std::uint32_t>(from) : 0xfffffffe;
  }
  return column.take(rows);
}

Column difference(const Column& column, std::int64_t by, std::size_t first, std::size_t count) {
  const bool real = column.type() == ColumnType::Float32 || column.type() == ColumnType::Float64;
  const ColumnType type = real ? ColumnType::Float64 : ColumnType::Int64;
  const Column now = column.slice(first, count).cast(type);
  const Column then = shifted(column, by, first, count).cast(type);
  Column result(type, count);
  std::uint8_t* marks = nullptr;
  for (std::size_t i = 0; i < count; ++i) {
    if (real) {
      result.data<double>()[i] = now.data<double>()[i] - then.data<double>()[i];
      continue;
    }
    result.data<std::int64_t>()[i] =
        static_cast<std::int64_t>(static_cast<std::uint64_t>(now.data<std::int64_t>()[i]) -
                                  static_cast<std::uint64_t>(then.data<std::int64_t>()[i]));
    if (!now.is_missing(i) && !then.is_missing(i)) continue;
    if (marks == nullptr) marks = result.make_marks();
    marks[i] = 0;
  }
  return result;
}

}  // namespace

Column cumulate(const Column& column, Cumulative kind, const Column& before) {
  const Column values = column.cast(running_type(column));
  switch (values.type()) {
    case ColumnType::Int64:
      return cumulated<std::int64_t>(values, kind, before);
    case ColumnType::Float32:
      return cumulated<float>(values, kind, before);
    case ColumnType::Float64:
      return cumulated<double>(values, kind, before);
    case ColumnType::Bool:
    case ColumnType::Int32:
    case ColumnType::Timestamp:
    case ColumnType::String:
    case ColumnType::Category:
      break;
  }
  return values;
}

Column last_value(const Column& column) {
  for (std::size_t i = column.size(); i-- > 0;) {
    if (!column.is_missing(i)) return column.slice(i, 1);
  }
  return column.slice(0, 0);
}

std::int64_t rows_before(const Window& window) {
  if (window.kind == WindowKind::Shift || window.kind == WindowKind::Diff)
    return std::max<std::int64_t>(0, window.rows);
  return window.rows - 1;
}

std::int64_t rows_behind(const Window& window) {
  return window.kind == WindowKind::Shift || window.kind == WindowKind::Diff ? std::max<std::int64_t>(0, -window.rows)
                                                                             : 0;
}

Column slide(const Column& column, const Window& window, std::size_t first, std::size_t count) {
  if (window.kind == WindowKind::Shift) return shifted(column, window.rows, first, count);
  if (window.kind == WindowKind::Diff) {
    if (column.type() != ColumnType::Timestamp) static_cast<void>(running_type(column));
    return difference(column, window.rows, first, count);
  }
  static_cast<void>(running_type(column));
  const Column values = column.cast(ColumnType::Float64);
  Column result(ColumnType::Float64, count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t end = first + i + 1;
    const auto rows = static_cast<std::size_t>(window.rows);
    const Values seen(values.data<double>(), end > rows ? end - rows : 0, end);
    result.data<double>()[i] =
        seen.count >= window.least ? seen.of(window.kind) : std::numeric_limits<double>::quiet_NaN();
  }
  return result;
}

}  // namespace weft::frames
