#pragma once

#include <weft/labelled.hpp>

#include <string>
#include <utility>
#include <vector>

namespace weft::command::data {

/// Chooses along a dimension by labels, `lat=-30:30`, `time=2001-01:2010-12`, `lev=850,500`, `lon=350:10` (which goes
/// round the world). The dimension stays, whatever is chosen.
Dataset select_labels(const Dataset& data, const std::string& words);
/// Chooses by places, counted from 0, negative ones from the end: `time=0:12`, `lev=-1`, `x=::2`, `member=0,3`.
Dataset select_places(const Dataset& data, const std::string& words);

/// Keeps values where an expression of variables and labels holds ("tas > 273.15 and lat > 0", "time.month == 7");
/// elsewhere they are missing. Variables that lack a dimension of the expression stay as they are.
Dataset keep_where(const Dataset& data, const std::string& expression, const std::vector<std::string>& dims);

/// Adds, or replaces, the variable that "NAME = EXPRESSION" makes; returns its name, too. Its labels are those of what
/// it is made from, it has no attributes. Throws UsageError that names the column.
std::pair<Dataset, std::string> with_expression(const Dataset& data, const std::string& words);

/// Throws Error that names the nearest where there is no such dimension.
void require_dimension(const Dataset& data, const std::string& dim);
/// Throws Error that names the nearest where there is no such variable.
void require_variable(const Dataset& data, const std::string& name);
/// Longitudes, told by their units or their name.
bool is_longitude(const Coordinate& labels);
bool is_latitude(const Coordinate& labels);

}  // namespace weft::command::data
