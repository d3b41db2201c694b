#pragma once

namespace CLI {
class App;
}

namespace weft::command {

/// Adds the subcommand that looks into a journal's folder and cleans it.
void add_journal(CLI::App& app);

}  // namespace weft::command
