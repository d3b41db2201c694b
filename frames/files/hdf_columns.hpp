#pragma once

#include <weft/storage.hpp>
#include <weft/table.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace weft::frames {

/// Where a column of a frame is in an HDF5 file.
struct HdfColumn {
  std::string name;
  std::size_t variable = 0;
  std::vector<std::int64_t> inner = {};  ///< which element of the list that each row has
  ColumnType type = ColumnType::Int64;
  std::int64_t unit_ns = 1;  ///< of a timestamp
  std::string missing = {};  ///< the text that stands for a missing value; empty: none does
};

/// The columns of a table or of a group, and what of it is none.
struct HdfTable {
  struct LeftOut {
    std::string name, why;
  };
  std::int64_t rows = 0;
  std::int64_t stored_rows = 0;  ///< that are stored as one; 0: any can be read alone
  std::vector<HdfColumn> columns;
  std::vector<LeftOut> left_out;
};

/// Finds the table or group `dataset`: of PyTables' and pandas' layouts the group that has the table will do. Where
/// `wanted` names columns, only these need to have equal lengths. Throws io::FileError that says what there is instead.
HdfTable hdf_table(const io::StoredFile& file, const std::string& dataset, const std::vector<std::string>& wanted);
/// Returns the column; throws io::FileError that says why there is none.
const HdfColumn& find_column(const io::StoredFile& file, const std::string& dataset, const HdfTable& table,
                             const std::string& name);

}  // namespace weft::frames
