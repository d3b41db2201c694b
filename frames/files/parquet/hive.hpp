#pragma once

#include <weft/table.hpp>

#include <optional>
#include <string>
#include <vector>

namespace weft::frames::parquet {

/// A column that a file's folder is the value of: "year=2015/part.0.parquet".
struct FolderValue {
  std::string name;
  std::optional<std::string> value;  ///< nothing: missing
};

/// Returns the values that a path's folders name, from the outermost on.
std::vector<FolderValue> folder_values(const std::string& path);
/// Returns the one of this name, or null.
const FolderValue* find_folder(const std::vector<FolderValue>& folders, const std::string& name);
/// Returns a category that has the value in all rows.
Column folder_column(const FolderValue& folder, std::size_t rows);

}  // namespace weft::frames::parquet
