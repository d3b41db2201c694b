// What `weft reduce` makes of one variable.
#include "mpi_launch/command/data/reduction.hpp"

#include "arrays/labelled/combined.hpp"
#include "arrays/labelled/intervals.hpp"
#include "arrays/labelled/operations.hpp"
#include "core/config/nearest.hpp"
#include "mpi_launch/command/data/selection.hpp"
#include "mpi_launch/command/data/verbs.hpp"

#include <weft/arrays.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>

namespace weft::command::data {
namespace {

const char* const kOperations[] = {"mean", "std", "var", "min", "max", "sum", "count", "median", "quantile"};

Operation operation_in(const std::string& word) {
  Operation out;
  const std::size_t colon = word.find(':');
  out.name = word.substr(0, colon);
  const std::vector<std::string> names(std::begin(kOperations), std::end(kOperations));
  if (std::find(names.begin(), names.end(), out.name) == names.end()) {
    std::string listed;
    for (const std::string& name : names) listed += (listed.empty() ? "" : ", ") + name;
    throw UsageError("weft reduce: unknown operation '" + out.name + "'; did you mean " +
                     nearest_name(out.name, names) + "? There are " + listed);
  }
  out.suffix = out.name;
  const bool quantile = out.name == "quantile";
  if (colon != std::string::npos) {
    const std::string text = word.substr(colon + 1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out.quantile);
    if (!quantile || error != std::errc() || end != text.data() + text.size() ||
        !(out.quantile >= 0 && out.quantile <= 1)) {
      throw UsageError("weft reduce: '" + word + "': write quantile:0.9, with a number from 0 to 1");
    }
  }
  if (quantile) out.suffix += "_" + number_words(out.quantile);
  if (!quantile && out.name != "median") out.kind = reduction_named(out.name);
  return out;
}

}  // namespace

std::vector<Operation> operations_in(const std::string& words) {
  std::vector<Operation> out;
  for (std::size_t begin = 0; begin <= words.size();) {
    const std::size_t end = std::min(words.find(',', begin), words.size());
    if (end > begin) out.push_back(operation_in(words.substr(begin, end - begin)));
    begin = end + 1;
  }
  if (out.empty()) throw UsageError("weft reduce: name an operation, such as mean");
  return out;
}

LabelledArray weights_named(const Dataset& data, const std::string& name, const std::vector<std::string>& dims) {
  const auto labels = [&](auto fits, const char* what) -> const Coordinate& {
    for (const std::string& dim : dims) {
      const auto found = data.coordinates().find(dim);
      if (found != data.coordinates().end() && fits(found->second)) return found->second;
    }
    throw Error("--weights " + name + " needs " + what + " among the dimensions of --dim");
  };
  if (name == "coslat") {
    const Coordinate& lat = labels(is_latitude, "a latitude");
    std::vector<double> values;
    for (const double degrees : lat.numbers())
      values.push_back(std::max(0.0, std::cos(degrees * std::numbers::pi / 180)));
    return {arrays::from(std::move(values)), {lat.name()}, {{lat.name(), lat}}, name};
  }
  if (name == "days") {
    const Coordinate& time = labels([](const Coordinate& one) { return one.is_time(); }, "a time");
    return {arrays::from(labelled::days_of_months(time)), {time.name()}, {{time.name(), time}}, name};
  }
  require_variable(data, name);
  const LabelledArray& weights = data[name];
  return weights;
}

std::vector<std::string> shared_dims(const LabelledArray& one, const std::vector<std::string>& dims) {
  std::vector<std::string> out;
  for (const std::string& dim : dims) {
    if (one.has(dim)) out.push_back(dim);
  }
  return out;
}

std::vector<std::string> reduced_dims(const LabelledArray& one, const HowToReduce& how) {
  const std::vector<std::string> over = shared_dims(one, how.dims);
  std::vector<std::string> out;
  for (const std::string& dim : one.dims()) {
    const bool reduced = std::find(over.begin(), over.end(), dim) != over.end();
    if (how.grouping && how.grouping->dim == dim) {
      out.push_back(how.grouping->labels.name());
    } else if (!reduced || how.keepdims) {
      out.push_back(dim);
    }
  }
  return out;
}

std::vector<arrays::Array> reduce_variable(const LabelledArray& one, const HowToReduce& how, std::int32_t first,
                                           std::int32_t end) {
  const std::vector<std::string> over = shared_dims(one, how.dims);
  const bool grouped = how.grouping && one.has(how.grouping->dim);
  labelled::GroupReduction what;
  std::vector<int> axes;
  for (const std::string& dim : over) {
    what.axes.push_back(one.axis(dim));
    axes.push_back(static_cast<int>(one.axis(dim)));
  }
  what.axis = grouped ? one.axis(how.grouping->dim) : what.axes.front();
  LabelledArray source = one;
  if (grouped) {
    what.group_of = how.grouping->group_of;
    what.groups = end - first;
    if (first != 0 || end != how.grouping->size()) {
      const auto begin = std::lower_bound(what.group_of.begin(), what.group_of.end(), first);
      const auto last = std::lower_bound(begin, what.group_of.end(), end);
      source = one.isel(how.grouping->dim, slice(begin - what.group_of.begin(), last - what.group_of.begin()));
      what.group_of = {begin, last};
      for (std::int32_t& group : what.group_of) group -= first;
    }
  }
  if (how.weights) {
    bool shares = false;
    for (const std::string& dim : how.weights->dims()) {
      shares = shares || std::find(over.begin(), over.end(), dim) != over.end();
      if (!one.has(dim)) {
        throw Error("the weights '" + how.weights->name() + "' have the dimension '" + dim + "', which '" + one.name() +
                    "' lacks");
      }
    }
    if (shares) {
      LabelledArray weights = *how.weights;
      if (grouped && weights.has(how.grouping->dim) &&
          source.extent(how.grouping->dim) != weights.extent(how.grouping->dim)) {
        const auto begin = std::lower_bound(how.grouping->group_of.begin(), how.grouping->group_of.end(), first) -
                           how.grouping->group_of.begin();
        weights = weights.isel(how.grouping->dim, slice(begin, begin + source.extent(how.grouping->dim)));
      }
      what.weights = labelled::spread(weights, one.dims());
    }
  }
  what.skipna = how.skipna;
  what.ddof = how.ddof;
  what.min_count = how.min_count;
  for (const Operation& operation : how.operations) {
    if (operation.kind) what.kinds.push_back(*operation.kind);
  }
  const auto here = std::source_location::current();
  std::vector<arrays::Array> quick;
  if (!what.kinds.empty()) quick = labelled::reduce_groups(source.data(), what, here);
  std::vector<arrays::Array> out;
  std::size_t next = 0;
  for (const Operation& operation : how.operations) {
    if (operation.kind) {
      out.push_back(quick[next++]);
    } else if (!grouped) {
      out.push_back(labelled::quantile_over(source.data(), operation.quantile, axes, how.skipna, here));
    } else {
      out.push_back(labelled::quantile_groups(source.data(), operation.quantile, axes, what.axis, what.group_of,
                                              what.groups, how.skipna, here));
    }
    if (how.keepdims) continue;
    std::vector<arrays::Index> index(one.dims().size(), arrays::Index(slice()));
    for (const std::size_t axis : what.axes) {
      if (!grouped || axis != what.axis) index[axis] = arrays::Index(0);
    }
    out.back() = out.back().at(index);
  }
  return out;
}

std::string attribute_of(const std::vector<io::Attribute>& attributes, const char* name) {
  const io::Attribute* const found = io::find_attribute(attributes, name);
  return found == nullptr ? std::string() : found->text();
}

std::set<std::string> describing_variables(const Dataset& data) {
  std::set<std::string> out;
  const auto add = [&](const std::string& words) {
    for (std::size_t begin = 0; begin < words.size();) {
      const std::size_t end = std::min(words.find(' ', begin), words.size());
      if (end > begin) out.insert(words.substr(begin, end - begin));
      begin = end + 1;
    }
  };
  for (const auto& [dim, labels] : data.coordinates()) {
    add(attribute_of(labels.attributes(), "bounds"));
    add(attribute_of(labels.attributes(), "climatology"));
  }
  for (const LabelledArray& one : data.variables()) {
    for (const char* const name : {"coordinates", "bounds", "grid_mapping"}) add(attribute_of(one.attributes(), name));
  }
  return out;
}

}  // namespace weft::command::data
