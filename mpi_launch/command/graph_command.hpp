#pragma once

namespace CLI {
class App;
}

namespace weft::command {

/// Adds `weft graph FILE`: the plan of a saved graph, whatever program saved it, and pictures of it.
void add_graph(CLI::App& app);

}  // namespace weft::command
