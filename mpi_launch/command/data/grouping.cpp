// Which places along a dimension belong together.
#include "mpi_launch/command/data/reduction.hpp"

#include "arrays/labelled/intervals.hpp"
#include "mpi_launch/command/data/selection.hpp"
#include "mpi_launch/command/data/verbs.hpp"

#include <utility>

namespace weft::command::data {
namespace {

const Coordinate& times_along(const Dataset& data, const std::string& dim) {
  require_dimension(data, dim);
  const auto found = data.coordinates().find(dim);
  if (found == data.coordinates().end() || !found->second.is_time()) {
    throw Error("'" + dim + "' holds no times: its units are not like 'days since 2000-01-01'");
  }
  return found->second;
}

}  // namespace

Grouping group_by(const Dataset& data, const std::string& by) {
  const std::string dim = by.substr(0, by.find('.'));
  require_dimension(data, dim);
  for (const LabelledArray& one : data.variables()) {
    if (!one.has(dim)) continue;
    const GroupedArray grouped = one.groupby(by);
    return {dim, grouped.groups(), grouped.group_of(), false, {}};
  }
  return {};
}

Grouping group_every(const Dataset& data, const std::string& dim, const std::string& every) {
  const Coordinate& times = times_along(data, dim);
  labelled::Interval interval;
  try {
    interval = labelled::interval_in(every);
  } catch (const Error& error) {
    throw UsageError(std::string("weft reduce: --every: ") + error.what());
  }
  labelled::Intervals intervals = labelled::intervals_of(times, interval, false);
  Grouping out;
  out.dim = dim;
  out.in_order = true;
  out.labels = std::move(intervals.labels);
  out.group_of = std::move(intervals.group_of);
  out.bounds = std::move(intervals.bounds);
  return out;
}

}  // namespace weft::command::data
