// Values at other labels: interpolated, looked up, as points, in order.
#include "arrays/labelled/operations.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace weft::labelled {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
using Places = std::vector<std::int64_t>;

const Coordinate& labels_along(const LabelledArray& array, const std::string& dim) {
  array.axis(dim);
  const auto found = array.coordinates().find(dim);
  if (found == array.coordinates().end()) {
    throw Error("'" + array.name() + "' has no labels along '" + dim + "'; choose by place with isel");
  }
  return found->second;
}

/// Labels as numbers that can be compared: of times milliseconds.
std::vector<double> comparable(const Coordinate& labels, bool times, int calendar) {
  if (!labels.texts().empty()) throw Error("'" + labels.name() + "' has texts as labels, which have no values between");
  if (labels.is_time() != times || (times && labels.calendar() != calendar)) {
    throw Error(times ? "'" + labels.name() + "' holds times: give a Coordinate of times of the same calendar"
                      : "'" + labels.name() + "' holds numbers, not times");
  }
  return times ? std::vector<double>(labels.instants().begin(), labels.instants().end()) : labels.numbers();
}

/// The places of labels in ascending order; equal ones stay in theirs.
Places ascending(const std::vector<double>& labels) {
  Places order(labels.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return labels[static_cast<std::size_t>(a)] < labels[static_cast<std::size_t>(b)];
  });
  return order;
}

/// The labels of `own` in ascending order, where each is in the array, and those asked for.
struct Asked {
  Places order;
  std::vector<double> own, wanted;
};
Asked asked(const LabelledArray& array, const std::string& dim, const Coordinate& labels) {
  const Coordinate& known = labels_along(array, dim);
  const std::vector<double> numbers = comparable(known, known.is_time(), known.calendar());
  Asked out{ascending(numbers), {}, comparable(labels, known.is_time(), known.calendar())};
  for (const std::int64_t place : out.order) out.own.push_back(numbers[static_cast<std::size_t>(place)]);
  if (out.own.empty()) throw Error("'" + array.name() + "' has nothing along '" + dim + "'");
  return out;
}

/// The labels of a dimension, renamed to it.
Coordinate named(const Coordinate& labels, const std::string& dim) {
  return labels.texts().empty() ? Coordinate::of_numbers(dim, labels.numbers(), labels.attributes())
                                : Coordinate::of_texts(dim, labels.texts());
}

Coordinate like(const LabelledArray& array, const std::string& dim, std::vector<double> numbers) {
  return Coordinate::of_numbers(dim, std::move(numbers), labels_along(array, dim).attributes());
}

/// Takes places of an axis; negative ones are NaN.
arrays::Array take_or_nan(const arrays::Array& data, Places places, std::size_t axis, const Where& where) {
  std::vector<double> there;
  bool all = true;
  for (std::int64_t& place : places) {
    there.push_back(place < 0 ? 0 : 1);
    all = all && place >= 0;
    place = std::max<std::int64_t>(0, place);
  }
  if (all) return arrays::take(data, places, static_cast<int>(axis), where);
  const arrays::Array taken = arrays::take(floating(data, where), places, static_cast<int>(axis), where);
  return arrays::where(along(there, taken, axis, where) != 0, taken, kNan);
}

/// The place of the last label that is not above `wanted`; -1 where there is none.
std::int64_t last_up_to(const std::vector<double>& own, double wanted) {
  return std::upper_bound(own.begin(), own.end(), wanted) - own.begin() - 1;
}

std::int64_t look_up(const std::vector<double>& own, double wanted, Lookup lookup) {
  const auto count = static_cast<std::int64_t>(own.size());
  const std::int64_t before = last_up_to(own, wanted);
  if (std::isnan(wanted)) return -1;
  if (before >= 0 && own[static_cast<std::size_t>(before)] == wanted) return before;
  const std::int64_t behind = before + 1 < count ? before + 1 : -1;
  switch (lookup) {
    case Lookup::Exact:
      return -1;
    case Lookup::Forward:
      return before;
    case Lookup::Backward:
      return behind;
    case Lookup::Nearest:
      break;
  }
  if (before < 0 || behind < 0) return std::max(before, behind);
  const double to_before = wanted - own[static_cast<std::size_t>(before)];
  return to_before < own[static_cast<std::size_t>(behind)] - wanted ? before : behind;
}

/// Linear between two places: `low`, and `share` of the way to `high`. NaN: there is nothing.
struct Between {
  std::int64_t low = 0, high = 0;
  double share = kNan;
};
Between between_places(const Asked& given, double wanted, bool extrapolate) {
  const auto count = static_cast<std::int64_t>(given.own.size());
  const auto own = [&](std::int64_t at) { return given.own[static_cast<std::size_t>(at)]; };
  const auto place = [&](std::int64_t at) { return given.order[static_cast<std::size_t>(at)]; };
  if (std::isnan(wanted)) return {};
  const std::int64_t found = last_up_to(given.own, wanted);
  if (found >= 0 && own(found) == wanted) return {place(found), place(found), 0};
  if (!extrapolate && (found < 0 || found + 1 >= count)) return {};
  if (count < 2) return {};
  const std::int64_t low = std::clamp<std::int64_t>(found, 0, count - 2);
  return {place(low), place(low + 1), (wanted - own(low)) / (own(low + 1) - own(low))};
}

}  // namespace

LabelledArray interp(const LabelledArray& array, const std::string& dim, const Coordinate& labels,
                     const InterpOptions& options, const Where& where) {
  const Asked given = asked(array, dim, labels);
  const std::size_t axis = array.axis(dim);
  const Dtype type = array.data().dtype();
  if (type.is_time() || type.is_complex()) throw Error("values of type " + type.name() + " cannot be interpolated");
  const arrays::Array data = type.is_floating() ? array.data() : array.data().astype(float64, where);
  if (options.method == Interpolation::Nearest) {
    Places places;
    for (const double wanted : given.wanted) {
      const bool inside = wanted >= given.own.front() && wanted <= given.own.back();
      std::int64_t at = inside || options.extrapolate ? look_up(given.own, wanted, Lookup::Nearest) : -1;
      // In the middle the lower label is taken.
      if (at > 0 && inside) {
        const double here = given.own[static_cast<std::size_t>(at)],
                     below = given.own[static_cast<std::size_t>(at - 1)];
        if (here > wanted && here - wanted == wanted - below) --at;
      }
      places.push_back(at < 0 ? -1 : given.order[static_cast<std::size_t>(at)]);
    }
    return with_labels(array, take_or_nan(data, std::move(places), axis, where), dim, named(labels, dim));
  }
  Places low, high;
  std::vector<double> shares;
  for (const double wanted : given.wanted) {
    const Between one = between_places(given, wanted, options.extrapolate);
    low.push_back(one.low);
    high.push_back(one.high);
    shares.push_back(one.share);
  }
  const arrays::Array a = arrays::take(data, low, static_cast<int>(axis), where);
  const arrays::Array b = arrays::take(data, high, static_cast<int>(axis), where);
  const arrays::Array share = along(shares, data, axis, where);
  const arrays::Array mixed = arrays::where(share == 0, a, a + (b - a) * share);
  return with_labels(array, mixed, dim, named(labels, dim));
}

LabelledArray interp(const LabelledArray& array, const std::string& dim, const std::vector<double>& labels,
                     const InterpOptions& options, const Where& where) {
  return interp(array, dim, like(array, dim, labels), options, where);
}

LabelledArray reindex(const LabelledArray& array, const std::string& dim, const Coordinate& labels, Lookup lookup,
                      const Where& where) {
  const Coordinate& known = labels_along(array, dim);
  Places places;
  if (!known.texts().empty()) {
    for (const std::string& text : labels.texts()) {
      const auto found = std::find(known.texts().begin(), known.texts().end(), text);
      places.push_back(found == known.texts().end() ? -1 : found - known.texts().begin());
    }
  } else {
    const Asked given = asked(array, dim, labels);
    if (std::adjacent_find(given.own.begin(), given.own.end()) != given.own.end()) {
      throw Error("labels repeat along '" + dim + "': which of them is meant cannot be told");
    }
    for (const double wanted : given.wanted) {
      const std::int64_t at = look_up(given.own, wanted, lookup);
      places.push_back(at < 0 ? -1 : given.order[static_cast<std::size_t>(at)]);
    }
  }
  return with_labels(array, take_or_nan(array.data(), std::move(places), array.axis(dim), where), dim,
                     named(labels, dim));
}

LabelledArray reindex(const LabelledArray& array, const std::string& dim, const std::vector<double>& labels,
                      Lookup lookup, const Where& where) {
  return reindex(array, dim, like(array, dim, labels), lookup, where);
}

LabelledArray sortby(const LabelledArray& array, const std::string& dim, bool in_ascending_order, const Where& where) {
  const Coordinate& labels = labels_along(array, dim);
  const auto count = static_cast<std::int64_t>(labels.size());
  Places order(labels.size());
  if (labels.texts().empty()) {
    order = ascending(labels.numbers());
  } else {
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
      return labels.texts()[static_cast<std::size_t>(a)] < labels.texts()[static_cast<std::size_t>(b)];
    });
  }
  if (!in_ascending_order) std::reverse(order.begin(), order.end());
  const bool same = std::is_sorted(order.begin(), order.end());
  if (same || count < 2) return array;
  // The axis the other way round is a view.
  if (std::is_sorted(order.rbegin(), order.rend())) return array.isel(dim, slice(none, none, -1));
  return with_labels(array, arrays::take(array.data(), order, axis_of(array, dim), where), dim, labels.at(order));
}

LabelledArray isel_points(const LabelledArray& array, const std::vector<std::pair<std::string, Places>>& places,
                          const std::string& name, const Where& where) {
  if (places.empty()) throw Error(R"(name dimensions and places, as in {{"lat", {0, 3}}, {"lon", {2, 2}}})");
  std::vector<std::string> dims;
  std::vector<Places> lists;
  std::size_t first = array.dims().size();
  for (const auto& [dim, list] : places) {
    first = std::min(first, array.axis(dim));
    dims.push_back(dim);
    lists.push_back(list);
    if (list.size() != places[0].second.size()) {
      throw Error(std::to_string(places[0].second.size()) + " places were given along '" + places[0].first + "', but " +
                  std::to_string(list.size()) + " along '" + dim + "': each point needs one of each");
    }
  }
  std::vector<std::string> rest;
  for (const std::string& dim : array.dims()) {
    if (std::find(dims.begin(), dims.end(), dim) == dims.end()) rest.push_back(dim);
  }
  if (std::find(rest.begin(), rest.end(), name) != rest.end())
    throw Error("there is a dimension '" + name + "' already");
  dims.insert(dims.end(), rest.begin(), rest.end());
  const arrays::Array points = arrays::vindex(array.transpose(dims).data(), lists, where);
  // The points take the place of the first of their dimensions.
  std::vector<std::string> made = rest;
  made.insert(made.begin() + static_cast<std::ptrdiff_t>(std::min(first, rest.size())), name);
  return {arrays::moveaxis(points, 0, static_cast<int>(std::min(first, rest.size())), where), std::move(made),
          array.coordinates(), array.name(), array.attributes()};
}

LabelledArray sel_points(const LabelledArray& array,
                         const std::vector<std::pair<std::string, std::vector<double>>>& labels,
                         const std::string& name, const Where& where) {
  std::vector<std::pair<std::string, Places>> places;
  for (const auto& [dim, wanted] : labels) {
    const Asked given = asked(array, dim, like(array, dim, wanted));
    Places& own = places.emplace_back(dim, Places()).second;
    for (const double one : given.wanted) {
      if (std::isnan(one)) throw Error("NaN is no label along '" + dim + "'");
      own.push_back(given.order[static_cast<std::size_t>(look_up(given.own, one, Lookup::Nearest))]);
    }
  }
  return isel_points(array, places, name, where);
}

}  // namespace weft::labelled
