#pragma once

#include <weft/array.hpp>
#include <weft/dataframe.hpp>

namespace weft {

/// Returns the columns as an array of float64, (rows, columns), or (rows) of one column; missing values are NaN. A
/// chunk is a partition. Computes how many rows each has; the array itself is lazy.
Array to_array(const Client& client, const DataFrame& frame,
               const std::source_location& where = std::source_location::current());
Array to_array(const Client& client, const Series& series,
               const std::source_location& where = std::source_location::current());
/// Makes a frame of an array of one or two dimensions: its columns' names, a partition for each chunk of rows.
DataFrame from_array(const Array& array, const std::vector<std::string>& names,
                     const std::source_location& where = std::source_location::current());

}  // namespace weft
