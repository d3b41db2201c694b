#pragma once

#include <string>
#include <vector>

namespace weft::command::data {

/// The files that words mean: names, folders, patterns, `@list` (a file with a name on each line), `-` (names on
/// standard input). Each once. Throws Error where there are none.
std::vector<std::string> input_files(const std::vector<std::string>& words);

}  // namespace weft::command::data
