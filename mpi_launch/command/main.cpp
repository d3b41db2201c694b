/// The `weft` command: what people use who have no program of their own yet.

#include <weft/error.hpp>

#if WEFT_HAS_DATA_VERBS
#include "mpi_launch/command/data/verbs.hpp"
#endif
#include "mpi_launch/command/graph_command.hpp"
#include "mpi_launch/command/subcommands.hpp"
#include "mpi_launch/command/version.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>

int main(int argc, char** argv) {
#if WEFT_HAS_DATA_VERBS
  if (const std::optional<int> code = weft::command::data::run_verb(argc, argv)) return *code;
#endif
  CLI::App app{"weft runs task graphs on the cores of one machine. Programs are written in C++ with <weft/weft.hpp>."};
  app.name("weft");
  app.require_subcommand(1);
  app.set_version_flag("--version", [] { return weft::command::version_text(); });
  weft::command::add_subcommands(app);
  weft::command::add_graph(app);
#if WEFT_HAS_DATA_VERBS
  for (const auto& verb : weft::command::data::verbs()) app.add_subcommand(verb.name, verb.summary);
#endif
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "weft: %s\n", error.what());
    return 1;
  }
  return 0;
}
