#pragma once

#include <weft/labelled.hpp>

#include <string>
#include <vector>

namespace weft {

/// Opens the variables of a group of NetCDF-4, HDF5 or Zarr files ("model/ocean", or a table, whose variables are its
/// columns), joined as open_many joins those of the root. Names are seen from the group; labels of the groups around it
/// are its labels, too, where it has none of that name. Throws io::FileError that lists the file's groups.
Dataset open_group(const std::vector<std::string>& paths, const std::string& group,
                   const OpenManyOptions& options = {});

}  // namespace weft
