#include "mpi_launch/command/subcommands.hpp"

#include <weft/config.hpp>
#include <weft/error.hpp>

#include "core/config/nearest.hpp"
#include "core/config/option_table.hpp"
#include "core/config/values.hpp"
#include "core/messages/recording.hpp"
#include "mpi_launch/command/cluster_commands.hpp"
#include "mpi_launch/command/examples.hpp"
#include "mpi_launch/command/journal_command.hpp"
#include "mpi_launch/command/say.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace weft::command {

namespace {

/// Resolves what CLI11 left over, which must be `--weft-*` options.
Settings resolve_rest(std::vector<std::string> rest, const Shared& shared) {
  std::vector<std::string> words = {"weft"};
  if (!shared.memory.empty()) rest.push_back("--weft-memory=" + shared.memory);
  words.insert(words.end(), rest.begin(), rest.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  int argc = static_cast<int>(argv.size());
  argv.push_back(nullptr);
  try {
    Settings settings = resolve(argc, argv.data());
    if (argc > 1) throw ConfigError(std::string("unknown argument '") + argv[1] + "' (see weft config --help)");
    return settings;
  } catch (const ConfigError& error) {
    std::fprintf(stderr, "weft config: %s\n", error.what());
    throw CLI::RuntimeError(2);
  }
}

/// Each option with its value and where that came from.
std::string config_json(const Settings& settings) {
  std::vector<std::pair<std::string, std::string>> members;
  const std::vector<std::string> words = option_words(settings);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string value = words[i].substr(words[i].find('=') + 1);
    members.emplace_back(kOptionTable[i].name(),
                         json_object({{"value", json_text(value)}, {"from", json_text(settings.origins[i].where)}}));
  }
  return json_object(members);
}

void add_config(CLI::App& app) {
  auto* config = app.add_subcommand("config", "Show each option, its value and where the value came from");
  auto markdown = std::make_shared<bool>(false);
  config->add_flag("--markdown", *markdown, "print the reference page of all options instead");
  const auto shared = add_shared(*config);
  config->allow_extras();
  config->footer("Takes every --weft-* option: weft config --weft-threads=4");
  config->callback([config, markdown, shared] {
    refuse_extras(*config);
    const Settings settings = resolve_rest(config->remaining(), *shared);
    print(*markdown ? config_markdown() : shared->json ? config_json(settings) + "\n" : config_table(settings));
  });
}

std::string counted(std::uint64_t count, const char* noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string replay_text(const std::string& path, const ReplayReport& report) {
  std::string text = path + ": " + counted(report.events, "event") + " of " + counted(report.workers, "worker") +
                     (report.has_scheduler ? " and the scheduler" : "") + " led to the same " +
                     counted(report.actions, "action");
  if (report.torn_bytes > 0) text += "; " + counted(report.torn_bytes, "byte") + " at the end are no whole event";
  return text;
}

void replay_file(const std::string& path, const Shared& shared) {
  if (shared.dry_run) {
    std::error_code error;
    const auto bytes = std::filesystem::file_size(path, error);
    if (error) throw Error(path + ": " + error.message());
    return print((shared.json ? json_object({{"stored_bytes", std::to_string(bytes)}})
                              : "would read " + counted(bytes, "byte")) +
                 "\n");
  }
  const ReplayReport report = replay(path);
  if (shared.json) {
    print(json_object({{"same", report.same() ? "true" : "false"},
                       {"events", std::to_string(report.events)},
                       {"actions", std::to_string(report.actions)},
                       {"workers", std::to_string(report.workers)},
                       {"torn_bytes", std::to_string(report.torn_bytes)},
                       {"difference", json_text(report.difference)}}) +
          "\n");
  }
  if (!report.same()) throw Error(path + ": " + report.difference);
  if (!shared.json && !shared.quiet) print(replay_text(path, report) + "\n");
}

void add_replay(CLI::App& app) {
  auto* sub = app.add_subcommand("replay", "Feed a recorded run to fresh machines and compare their decisions");
  auto path = std::make_shared<std::string>();
  sub->add_option("FILE", *path, "what a run with --weft-record=FILE wrote")->required();
  const auto shared = add_shared(*sub);
  sub->callback([path, shared] { replay_file(*path, *shared); });
}

/// "TEXT", "UINT": the option's own word where it has one, else what CLI11 calls its type.
std::string value_of(const CLI::Option& option) {
  if (option.get_items_expected_max() == 0) return {};
  const std::string type = option.get_type_name();
  const std::string word = type.substr(0, type.find_first_of(": "));
  if (word == "UINT" || word == "INT") return "N";
  return word.empty() ? "VALUE" : word;
}

}  // namespace

std::shared_ptr<Shared> add_shared(CLI::App& sub, bool own_memory) {
  const auto shared = std::make_shared<Shared>();
  sub.add_flag("--json", shared->json, "print JSON");
  sub.add_flag("--quiet", shared->quiet, "say nothing but what was asked for, and errors");
  sub.add_flag("--dry-run", shared->dry_run, "say what would be done, and stop");
  if (!own_memory) {
    sub.add_option("--memory", shared->memory, "use at most this much memory (2GiB, 80%)")
        ->type_name("BYTES")
        ->each([](const std::string& words) {
          try {
            parse_share(words);
          } catch (const Error& error) {
            throw CLI::ValidationError("--memory", error.what());
          }
        });
  }
  return shared;
}

Page page_of(const CLI::App& sub) {
  Page page{sub.get_name(), {}, sub.get_description(), examples_of(sub.get_name()), {}, sub.get_footer()};
  while (!page.footer.empty() && page.footer.back() == '\n') page.footer.pop_back();
  for (const CLI::Option* const option : sub.get_options()) {
    if (option->get_positional()) {
      const std::string many = option->get_items_expected_max() > 1 ? "..." : "";
      page.words += (page.words.empty() ? "" : " ") + option->get_name(true) + many;
      page.footer =
          option->get_name(true) + ": " + option->get_description() + (page.footer.empty() ? "" : "\n" + page.footer);
    } else {
      page.options.push_back({option->get_lnames().at(0), value_of(*option), option->get_description()});
    }
  }
  page.options.push_back({"man", "", "print the manual page, for man -l -"});
  return page;
}

void refuse_extras(const CLI::App& sub) {
  std::vector<std::string> names;
  for (const PageOption& option : page_of(sub).options) names.push_back("--" + option.name);
  for (const std::string& word : sub.remaining()) {
    if (!word.starts_with("--") || word.starts_with("--weft-")) continue;
    const std::string verb = "weft " + sub.get_name();
    throw CLI::RuntimeError(complain(verb + ": unknown option " + word + "; did you mean " + nearest_name(word, names) +
                                         "? (see " + verb + " --help)",
                                     2));
  }
}

void add_subcommands(CLI::App& app) {
  add_config(app);
  add_replay(app);
  add_cluster_commands(app);
  add_journal(app);
}

}  // namespace weft::command
