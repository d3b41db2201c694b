/// The `weft` command: what people use who have no program of their own yet.

#include <weft/error.hpp>

#if WEFT_HAS_DATA_VERBS
#include "mpi_launch/command/data/verbs.hpp"
#endif
#include "core/config/nearest.hpp"
#include "mpi_launch/command/examples.hpp"
#include "mpi_launch/command/graph_command.hpp"
#include "mpi_launch/command/subcommands.hpp"
#include "mpi_launch/command/version.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace {

constexpr int kUsage = 2;

/// Of a first word that is no subcommand, and of an option that its subcommand lacks.
void say_nearest(const CLI::App& app, int argc, char** argv) {
  const std::vector<CLI::App*> parsed = app.get_subcommands();
  std::vector<std::string> names;
  std::string wrong = argc > 1 ? argv[1] : "";
  if (parsed.empty()) {
    for (const CLI::App* const one : app.get_subcommands({})) names.push_back(one->get_name());
    names.emplace_back("completions");
  } else {
    for (const CLI::Option* const one : parsed[0]->get_options()) {
      for (const std::string& name : one->get_lnames()) names.push_back("--" + name);
    }
    wrong.clear();
    for (int i = 2; i < argc && std::string(argv[i]) != "--"; ++i) {
      const std::string word = std::string(argv[i]).substr(0, std::string(argv[i]).find('='));
      if (word.starts_with("--") && std::find(names.begin(), names.end(), word) == names.end()) wrong = word;
    }
  }
  if (wrong.empty() || std::find(names.begin(), names.end(), wrong) != names.end()) return;
  const std::string nearest = weft::nearest_name(wrong, names);
  if (!nearest.empty())
    std::fprintf(stderr, "weft: there is no '%s'; did you mean %s?\n", wrong.c_str(), nearest.c_str());
}

}  // namespace

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
  } catch (const CLI::CallForHelp& help) {
    for (const CLI::App* const one : app.get_subcommands())
      std::fputs(weft::command::examples_of(one->get_name()).c_str(), stdout);
    return app.exit(help);
  } catch (const CLI::RuntimeError& error) {
    return error.get_exit_code();
  } catch (const CLI::ParseError& error) {
    say_nearest(app, argc, argv);
    return app.exit(error) == 0 ? 0 : kUsage;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "weft: %s\n", error.what());
    return 1;
  }
  return 0;
}
