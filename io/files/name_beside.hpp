#pragma once

#include <string>

namespace weft::io {

/// Returns a name beside `path` for what takes its place when it is complete. No other thread, process or machine that
/// shares the file system gets the same one.
std::string name_beside(const std::string& path);

}  // namespace weft::io
