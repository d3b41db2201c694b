#include "frames/files/pieces.hpp"

#include <weft/storage.hpp>

namespace weft::frames {

void require_equal_columns(const std::string& path, const Table& schema, const std::string& other_path,
                           const Table& other) {
  const auto differ = [&](const std::string& text) {
    throw io::FileError("'" + path + "' and '" + other_path + "' differ: " + text +
                        ": files read together need equal columns");
  };
  const auto missing = [&](const Table& in, const std::string& in_path, const Table& from) {
    for (const Table::Named& one : from.columns()) {
      if (!in.has(one.name)) differ("'" + in_path + "' has no column '" + one.name + "'");
    }
  };
  missing(other, other_path, schema);
  missing(schema, path, other);
  for (const Table::Named& one : schema.columns()) {
    const ColumnType here = one.column.type(), there = other[one.name].type();
    if (here != there)
      differ("column '" + one.name + "' is " + std::string(name_of(here)) + " in the first and " +
             std::string(name_of(there)) + " in the second");
  }
}

}  // namespace weft::frames
