#pragma once

#include "mpi_launch/command/page.hpp"

#include <string>
#include <vector>

namespace weft::command {

/// What the help of a subcommand begins with: three lines that do something, with what they do.
std::vector<PageExample> examples_of(const std::string& subcommand);

}  // namespace weft::command
