#include "mpi_launch/command/subcommands.hpp"

#include <weft/config.hpp>
#include <weft/error.hpp>

#include "core/messages/recording.hpp"
#include "mpi_launch/command/cluster_commands.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace weft::command {

namespace {

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (!text.empty() && text.back() != '\n') std::fputc('\n', stdout);
}

/// Resolves what CLI11 left over, which must be `--weft-*` options.
Settings resolve_rest(const std::vector<std::string>& rest) {
  std::vector<std::string> words = {"weft"};
  words.insert(words.end(), rest.begin(), rest.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  int argc = static_cast<int>(argv.size());
  argv.push_back(nullptr);
  Settings settings = resolve(argc, argv.data());
  if (argc > 1)
    throw ConfigError(std::string("weft config: unknown argument '") + argv[1] + "' (see weft config --help)");
  return settings;
}

void add_config(CLI::App& app) {
  auto* config = app.add_subcommand("config", "Show each option, its value and where the value came from");
  auto markdown = std::make_shared<bool>(false);
  config->add_flag("--markdown", *markdown, "Print the reference page of all options instead");
  config->allow_extras();
  config->footer("Takes every --weft-* option: weft config --weft-threads=4");
  config->callback([config, markdown] {
    const Settings settings = resolve_rest(config->remaining());
    print(*markdown ? config_markdown() : config_table(settings));
  });
}

std::string counted(std::uint64_t count, const char* noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

void add_replay(CLI::App& app) {
  auto* sub = app.add_subcommand("replay", "Feed a recorded run to fresh machines and compare their decisions");
  auto path = std::make_shared<std::string>();
  sub->add_option("FILE", *path, "What a run with --weft-record=FILE wrote")->required();
  sub->callback([path] {
    const ReplayReport report = replay(*path);
    if (!report.same()) throw Error(*path + ": " + report.difference);
    std::string text = *path + ": " + counted(report.events, "event") + " of " + counted(report.workers, "worker") +
                       (report.has_scheduler ? " and the scheduler" : "") + " led to the same " +
                       counted(report.actions, "action");
    if (report.torn_bytes > 0) text += "; " + counted(report.torn_bytes, "byte") + " at the end are no whole event";
    print(text);
  });
}

}  // namespace

void add_subcommands(CLI::App& app) {
  add_config(app);
  add_replay(app);
  add_cluster_commands(app);
}

}  // namespace weft::command
