#include "mpi_launch/command/subcommands.hpp"

#include <weft/config.hpp>
#include <weft/error.hpp>

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
  if (argc > 1) throw ConfigError(std::string("weft config: unknown argument '") + argv[1] + "' (see weft config --help)");
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

}  // namespace

void add_subcommands(CLI::App& app) {
  add_config(app);
}

}  // namespace weft::command
