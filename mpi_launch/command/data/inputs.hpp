#pragma once

#include <weft/storage.hpp>

#include <string>
#include <vector>

namespace weft::command::data {

/// The files that words mean: names, folders, patterns, `@list` (a file with a name on each line), `-` (names on
/// standard input). Each once. Throws Error where there are none.
std::vector<std::string> input_files(const std::vector<std::string>& words);

/// Variables that are asked for by their paths, "model/ocean/sst": the group that all of them are in, and their names
/// in it. Where none is asked for, the root.
struct ChosenVariables {
  std::string group;
  std::vector<std::string> names;

  /// Throws UsageError of `verb` where they are in several groups.
  ChosenVariables(const std::string& verb, const std::vector<std::string>& paths);
  /// Where the file has what is called so in the group, or in one around it; nothing where it has no such variable.
  const io::Variable* find(const io::StoredFile& file, const std::string& name) const;
};

}  // namespace weft::command::data
