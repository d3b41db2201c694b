#pragma once

#include "mpi_launch/command/page.hpp"

#include <memory>
#include <string>

namespace CLI {
class App;
}

namespace weft::command {

/// Adds every subcommand to `app`. Each runs from its callback while CLI11 parses, and reports failure by throwing.
void add_subcommands(CLI::App& app);

/// What CLI11 knows of a subcommand, for help, manual and completions.
Page page_of(const CLI::App& sub);

/// The options that every verb has.
struct Shared {
  bool json = false;
  bool quiet = false;
  bool dry_run = false;
  std::string memory;
};
/// Adds them, and --man. `own_memory`: the subcommand has a --memory of its own.
std::shared_ptr<Shared> add_shared(CLI::App& sub, bool own_memory = false);

/// Of a subcommand that takes --weft-* options: throws where another one came, after a sentence with the nearest.
void refuse_extras(const CLI::App& sub);

}  // namespace weft::command
