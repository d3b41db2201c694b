#pragma once

#include <string>

namespace weft::command {

/// Returns what `weft --version` prints: the version, then the back ends and libraries of this build, one a line.
std::string version_text();

}  // namespace weft::command
