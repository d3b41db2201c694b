#pragma once

namespace CLI {
class App;
}

namespace weft::command {

/// Adds the subcommands about jobs of several processes: demo, doctor, submit.
void add_cluster_commands(CLI::App& app);

}  // namespace weft::command
