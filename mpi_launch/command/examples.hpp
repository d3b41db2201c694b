#pragma once

#include <string>

namespace weft::command {

/// What the help of a subcommand begins with: three lines that do something, with what they do.
std::string examples_of(const std::string& subcommand);

}  // namespace weft::command
