#pragma once

namespace CLI {
class App;
}

namespace weft::command {

/// Adds every subcommand to `app`. Each runs from its callback while CLI11 parses, and reports failure by throwing.
void add_subcommands(CLI::App& app);

}  // namespace weft::command
