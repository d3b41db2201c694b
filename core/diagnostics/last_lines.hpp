#pragma once

#include <string>
#include <vector>

namespace weft::logging {

/// Returns the last lines that this process has logged, oldest first: at most 1,000.
std::vector<std::string> last_lines();

}  // namespace weft::logging
