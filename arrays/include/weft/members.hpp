#pragma once

#include <weft/labelled.hpp>

#include <source_location>
#include <string>

namespace weft {

struct MembersOptions {
  /// A run that is not there has NaN; otherwise that is refused.
  bool fill = false;
};

/// Opens the runs of an ensemble as one Dataset. Each `{name}` in the pattern stands for a part of the path, and
/// becomes a dimension, the first ones, with those parts as labels: numbers where all are numbers, in their order.
///
///     Dataset runs = open_members("cmip/{model}/tas_r{member}_*.nc");   // tas: model, member, time, lat, lon
///     LabelledArray spread = runs["tas"].std({"model", "member"});
///
/// `*`, `?` and `[...]` stand for what differs within a run: its files are joined as open_many does. Other dimensions
/// have the same labels in all runs. Bounds of labels are those of the first run. Throws Error that names a run which
/// is not there, or the file whose labels differ.
Dataset open_members(const std::string& pattern, const MembersOptions& options = {},
                     const std::source_location& where = std::source_location::current());

}  // namespace weft
