/// The `weft` command: what people use who have no program of their own yet.

#include <weft/error.hpp>

#if WEFT_HAS_DATA_VERBS
#include "mpi_launch/command/data/verbs.hpp"
#endif
#include "core/config/nearest.hpp"
#include "mpi_launch/command/graph_command.hpp"
#include "mpi_launch/command/page.hpp"
#include "mpi_launch/command/say.hpp"
#include "mpi_launch/command/subcommands.hpp"
#include "mpi_launch/command/version.hpp"
#include "mpi_launch/start/ranks.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <optional>
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
    for (const char* const name : {"help", "completions"}) names.emplace_back(name);
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

bool first_rank() { return weft::launch::read_ranks().rank == 0; }

using weft::command::Page;

/// The pages of all verbs, in the order of the list that --help shows.
std::vector<Page> pages(const CLI::App& app) {
  std::vector<Page> out;
#if WEFT_HAS_DATA_VERBS
  for (const auto& verb : weft::command::data::verbs()) out.push_back(weft::command::data::page_of(verb));
#endif
  for (const CLI::App* const sub : app.get_subcommands({})) {
    const auto same = [&](const Page& page) { return page.name == sub->get_name(); };
    if (std::none_of(out.begin(), out.end(), same)) out.push_back(weft::command::page_of(*sub));
  }
  return out;
}

/// `weft help VERB`, `weft completions SHELL`, `weft VERB --help` and `--man`; nothing where something else was asked.
std::optional<int> show_page(const CLI::App& app, int argc, char** argv) {
  const std::string first = argc > 1 ? argv[1] : "";
  const bool shown = first_rank();
  if (first == "completions") {
    try {
      const std::string text = weft::command::completions_text(argc > 2 ? argv[2] : "bash", pages(app));
      if (shown) weft::command::print(text);
      return 0;
    } catch (const weft::ConfigError& error) {
      return weft::command::complain(error.what(), kUsage);
    }
  }
  const bool help = first == "help" && argc > 2;
  std::string name = help ? argv[2] : first, how = help ? "--help" : "";
  for (int i = 2; i < argc && !help && std::string(argv[i]) != "--"; ++i) {
    const std::string word = argv[i];
    if (word == "--man" || word == "--help" || word == "-h") how = word;
  }
  if (how.empty()) return {};
  std::vector<std::string> names;
  for (const Page& page : pages(app)) {
    names.push_back(page.name);
    if (page.name != name) continue;
    if (shown) weft::command::print(how == "--man" ? manual_text(page) : help_text(page));
    return 0;
  }
  if (!help) return {};
  return weft::command::complain(
      "weft: there is no '" + name + "'; did you mean " + weft::nearest_name(name, names) + "?", kUsage);
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
  app.footer(
      "weft help VERB shows a verb's options, with examples first; weft completions bash (zsh, fish) prints "
      "completions.");
  if (const std::optional<int> code = show_page(app, argc, argv)) return *code;
  if (argc == 2 && std::string(argv[1]) == "help") {
    std::fputs(app.help().c_str(), stdout);
    return 0;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::RuntimeError& error) {
    return error.get_exit_code();
  } catch (const CLI::Success& done) {
    return first_rank() ? app.exit(done) : 0;
  } catch (const CLI::ParseError& error) {
    if (!first_rank()) {
      weft::launch::let_rank_0_speak();
      return kUsage;
    }
    say_nearest(app, argc, argv);
    return app.exit(error) == 0 ? 0 : kUsage;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "weft: %s\n", error.what());
    return 1;
  }
  return 0;
}
