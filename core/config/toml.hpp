#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// One `key = value` of a configuration file.
struct TomlEntry {
  std::string table;  ///< "" above the first table header
  std::string key;
  std::string value;  ///< a string without its quotes; numbers and booleans as written, without underscores
  int line = 0;
};

/// Returns the entries of a file in the part of TOML that a configuration needs: comments, `[table]` headers, bare and
/// quoted keys, strings (basic and literal, one line), integers, floats and booleans. Throws ConfigError "file:line:
/// ..." for anything else, and for keys and tables that stand twice.
std::vector<TomlEntry> read_toml(std::string_view text, const std::string& file);

}  // namespace weft
