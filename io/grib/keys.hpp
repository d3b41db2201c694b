#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// What the numbers in a GRIB message mean: ecCodes and its tables. One call at a time in the whole process, because
/// the library is not built for threads everywhere; values of the usual packing never come here.
namespace weft::io::grib {

/// Where and what a field is.
struct FieldKeys {
  std::int64_t parameter = 0;
  std::string name;        ///< cfVarName: "t2m"
  std::string short_name;  ///< "2t"
  std::string long_name;
  std::string standard_name;
  std::string units;
  std::string level_type;  ///< "isobaricInhPa"
  std::string step_type;   ///< "instant", "accum"
  std::string grid_type;   ///< "regular_ll"
  std::string grid;        ///< tells grids apart
  std::string centre;
  double level = 0;
  /// Seconds since 1970.
  std::int64_t time = 0;
  double step_hours = 0;
  std::int64_t member = 0;
  bool has_member = false;
  /// Rows and columns; 0 rows where points do not lie in rows.
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t points = 0;
  bool columns_first = false;
  /// Every second row runs backwards.
  bool alternating = false;
};

/// Whether this build has ecCodes.
bool has_eccodes();

/// Throw FileError naming `path` where ecCodes refuses the message.
FieldKeys read_keys(const std::string& path, std::span<const std::byte> message);
/// Of each point, in the order of the values; `distinct`: of each row, and each column.
void read_places(const std::string& path, std::span<const std::byte> message, bool distinct,
                 std::vector<double>& latitudes, std::vector<double>& longitudes);
/// Unpacks any packing; NaN where there is no value.
void unpack(const std::string& path, std::span<const std::byte> message, std::uint64_t points, float* out);

}  // namespace weft::io::grib
