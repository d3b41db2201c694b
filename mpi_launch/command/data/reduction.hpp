#pragma once

#include "arrays/labelled/group_reduce.hpp"

#include <weft/labelled.hpp>

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace weft::command::data {

/// One of the words that `weft reduce` takes: "mean", "quantile:0.9".
struct Operation {
  std::string name;
  /// Behind a variable's name where there are several operations: "quantile_0.9".
  std::string suffix;
  /// Nothing for median and quantiles, which need all elements at once.
  std::optional<Reduction> kind;
  double quantile = 0.5;

  bool keeps_type() const { return kind == Reduction::Min || kind == Reduction::Max; }
};
/// Reads "mean,std". Throws UsageError that names the nearest.
std::vector<Operation> operations_in(const std::string& words);

/// Which places along a dimension belong together.
struct Grouping {
  std::string dim;
  Coordinate labels;
  std::vector<std::int32_t> group_of;
  /// Groups follow each other along the dimension: `--every`.
  bool in_order = false;
  /// Begin and end of each, in the units of the labels; where they are intervals.
  std::vector<double> bounds;

  std::int32_t size() const { return static_cast<std::int32_t>(labels.size()); }
};
/// Groups by "time.month" or "lat".
Grouping group_by(const Dataset& data, const std::string& by);
/// Groups times by intervals: 6H, 1D, 1M, QS-DEC, 1Y.
Grouping group_every(const Dataset& data, const std::string& dim, const std::string& every);

/// How variables are reduced.
struct HowToReduce {
  std::vector<Operation> operations;
  std::vector<std::string> dims;
  std::optional<Grouping> grouping;
  std::optional<LabelledArray> weights;
  bool skipna = true;
  bool keepdims = false;
  double ddof = 0;
  double min_count = 0;
};
/// "coslat", "days" or the name of a variable.
LabelledArray weights_named(const Dataset& data, const std::string& name, const std::vector<std::string>& dims);

/// Returns those of the dimensions that the variable has.
std::vector<std::string> shared_dims(const LabelledArray& one, const std::vector<std::string>& dims);
/// The dimensions of the result: groups have their own, reduced ones vanish or keep one place.
std::vector<std::string> reduced_dims(const LabelledArray& one, const HowToReduce& how);
/// Returns an array for each operation, with `reduced_dims`, of the groups from `first` to before `end`; these must be
/// all, unless groups are in order.
std::vector<arrays::Array> reduce_variable(const LabelledArray& one, const HowToReduce& how, std::int32_t first,
                                           std::int32_t end);

/// The text of an attribute; nothing where there is none.
std::string attribute_of(const std::vector<io::Attribute>& attributes, const char* name);
/// Variables that only describe others: bounds, grid mappings, coordinates.
std::set<std::string> describing_variables(const Dataset& data);

}  // namespace weft::command::data
