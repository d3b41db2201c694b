// `weft anomaly`: differences from means of groups of times.
#include "mpi_launch/command/data/convert.hpp"
#include "mpi_launch/command/data/inputs.hpp"
#include "mpi_launch/command/data/reduction.hpp"
#include "mpi_launch/command/data/selection.hpp"
#include "mpi_launch/command/data/verbs.hpp"

#include "arrays/labelled/attributes.hpp"

#include <weft/arrays.hpp>
#include <weft/client.hpp>

#include <algorithm>
#include <functional>
#include <map>

namespace weft::command::data {
namespace {

/// What anomalies are taken from.
struct Normal {
  std::string dim;
  /// Of the base period; nothing: one mean for all.
  HowToReduce how;
  /// For each place of the data its group of the base period.
  std::vector<std::int64_t> places;
};

Normal normal_of(const Given& given, const Dataset& data, const Dataset& base) {
  Normal out;
  const std::string by = given.text("by");
  out.dim = by.empty() ? given.text("dim") : by.substr(0, by.find('.'));
  if (out.dim.empty()) {
    throw UsageError("weft anomaly: --by names the groups, as in --by time.month; --dim time takes all in one");
  }
  if (!given.text("dim").empty() && given.text("dim") != out.dim) {
    throw UsageError("weft anomaly: the groups of --by lie along '" + out.dim + "', not along --dim " +
                     given.text("dim"));
  }
  require_dimension(data, out.dim);
  out.how.operations = operations_in(given.has("standardize") ? "mean,std" : "mean");
  out.how.dims = {out.dim};
  out.how.ddof = given.number("ddof", 0);
  out.how.skipna = !given.has("no-skipna");
  out.how.keepdims = true;
  if (by.empty()) return out;
  out.how.grouping = group_by(base, by);
  const Coordinate& known = out.how.grouping->labels;
  std::map<std::string, std::int64_t> places;
  for (std::size_t i = 0; i < known.size(); ++i) places[known.label(i)] = static_cast<std::int64_t>(i);
  const Grouping all = group_by(data, by);
  for (const std::int32_t group : all.group_of) {
    const auto found = places.find(all.labels.label(static_cast<std::size_t>(group)));
    if (found == places.end()) {
      throw Error("the base period has no times with " + by + " = " +
                  all.labels.label(static_cast<std::size_t>(group)) + ", which the data have");
    }
    out.places.push_back(found->second);
  }
  return out;
}

/// The normal is computed and kept by the workers; anomalies are taken from it chunk by chunk, while they are written.
arrays::Array anomalies(const Client& client, const LabelledArray& one, const LabelledArray& base,
                        const Normal& normal) {
  const auto groups = normal.how.grouping ? normal.how.grouping->size() : 1;
  const auto axis = static_cast<int>(one.axis(normal.dim));
  // One array, so that both are computed in one pass.
  const std::vector<arrays::Array> parts = reduce_variable(base, normal.how, 0, groups);
  const arrays::Array kept =
      arrays::persist_array(client, parts.size() == 1 ? parts[0] : arrays::concatenate(parts, axis));
  const auto of_places = [&](std::int64_t first) {
    if (normal.places.empty()) {
      std::vector<arrays::Index> index(one.dims().size(), arrays::Index(slice()));
      index[static_cast<std::size_t>(axis)] = arrays::Index(slice(first, first + 1));
      return kept.at(index);
    }
    std::vector<std::int64_t> places = normal.places;
    for (std::int64_t& place : places) place += first * groups;
    return arrays::take(kept, places, axis);
  };
  const arrays::Array data = one.data().dtype().is_floating() ? one.data() : one.data().astype(float64);
  const arrays::Array difference = data - of_places(0);
  return parts.size() == 1 ? difference : arrays::Array(difference / of_places(1));
}

/// Returns whether the variable's anomalies are asked for.
bool is_wanted(const Given& given, const LabelledArray& one, const std::set<std::string>& describing,
               const std::string& dim) {
  const std::vector<std::string> chosen = ChosenVariables("weft anomaly", given.list("var")).names;
  const bool named = std::find(chosen.begin(), chosen.end(), one.name()) != chosen.end();
  const bool number = !one.data().dtype().is_complex() && !one.data().dtype().is_time();
  return (chosen.empty() ? describing.count(one.name()) == 0 : named) && number && one.has(dim);
}

using Wanted = std::function<bool(const LabelledArray&)>;

/// Both the means and the differences need all data: what fits well into the memory is read once, and kept between.
/// Returns how much that is, or 0.
std::uint64_t bytes_to_keep(const Client& client, const Dataset& data, const Wanted& wanted) {
  std::uint64_t memory = 0, bytes = 0;
  for (const WorkerInfo& worker : client.info().workers) memory += worker.memory_bytes;
  for (const LabelledArray& one : data.variables()) {
    if (wanted(one)) bytes += static_cast<std::uint64_t>(one.data().nbytes());
  }
  // Means, differences and what is being written need room, too.
  return bytes > memory / 3 ? 0 : bytes;
}

Dataset kept_between(const Client& client, const Dataset& data, const Wanted& wanted) {
  if (bytes_to_keep(client, data, wanted) == 0) return data;
  std::vector<LabelledArray> variables;
  for (const LabelledArray& one : data.variables()) {
    if (!wanted(one)) {
      variables.push_back(one);
      continue;
    }
    variables.emplace_back(arrays::persist_array(client, one.data()), one.dims(), one.coordinates(), one.name(),
                           one.attributes());
  }
  return Dataset(std::move(variables), data.attributes());
}

Changed change(const Given& given, const Client& client, const Dataset& read) {
  const auto base_of = [&](Dataset data) {
    for (const std::string& words : given.all("base")) data = select_labels(data, words);
    return data;
  };
  const Normal normal = normal_of(given, read, base_of(read));
  const std::set<std::string> describing = describing_variables(read);
  const auto wanted = [&](const LabelledArray& one) { return is_wanted(given, one, describing, normal.dim); };
  Changed out;
  if (given.dry_run()) {
    for (const LabelledArray& one : read.variables()) {
      if (wanted(one)) out.names.insert(one.name());
    }
    out.data = read;
    out.kept_bytes = bytes_to_keep(client, read, wanted);
    return out;
  }
  const Dataset data = kept_between(client, read, wanted);
  const Dataset base = base_of(data);
  std::vector<LabelledArray> variables;
  for (const LabelledArray& one : data.variables()) {
    if (!wanted(one)) {
      variables.push_back(one);
      continue;
    }
    std::vector<io::Attribute> attributes = one.attributes();
    if (given.has("standardize")) labelled::set_text(attributes, "units", "1");
    variables.emplace_back(anomalies(client, one, base[one.name()], normal), one.dims(), one.coordinates(), one.name(),
                           std::move(attributes));
    out.names.insert(one.name());
  }
  if (out.names.empty()) throw Error("no variable of numbers has the dimension '" + normal.dim + "'");
  out.data = Dataset(std::move(variables), data.attributes());
  return out;
}

}  // namespace

int run_anomaly(const Given& given) {
  return convert_files(given, "weft anomaly",
                       [&](const Client& client, const Dataset& data) { return change(given, client, data); });
}

}  // namespace weft::command::data
