#include "mpi_launch/command/subcommands.hpp"

#include <CLI/CLI.hpp>

namespace weft::command {

void add_subcommands(CLI::App&) {}

}  // namespace weft::command
