#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include <unistd.h>

#include <weft/config.hpp>
#include <weft/error.hpp>
#include "core/config/nearest.hpp"
#include "core/config/option_table.hpp"
#include "core/config/toml.hpp"
#include "core/config/values.hpp"

extern char** environ;

namespace weft {

namespace {

constexpr std::string_view kFlagPrefix = "--weft-";
constexpr std::string_view kVariablePrefix = "WEFT_";
constexpr std::string_view kLevelsTable = "log-level";

// Variables that module systems, CMake and weft's own scripts set under the same prefix; they are nobody's typing
// error.
constexpr std::string_view kForeignVariables[] = {"WEFT_ROOT", "WEFT_DIR",     "WEFT_HOME", "WEFT_PREFIX",
                                                  "WEFT_BASE", "WEFT_VERSION", "WEFT_INC",  "WEFT_INCLUDE",
                                                  "WEFT_LIB",  "WEFT_BIN",     "WEFT_RANK", "WEFT_RANKS"};
constexpr std::string_view kForeignPrefixes[] = {"WEFT_INTERNAL_", "WEFT_BUILD_", "WEFT_TEST_", "WEFT_BENCH_"};

// What one source says about one option.
struct Said {
  bool said = false;
  std::string text;
  Origin origin;
};
using AllSaid = std::array<Said, kOptionCount>;

void say(AllSaid& all, std::size_t option, std::string text, Source source, std::string where) {
  Said& said = all[option];
  if (said.said && said.origin.source > source) return;
  said = {true, std::move(text), {source, std::move(where)}};
}

template <OptionKind kind>
void parse_into(typename detail::OptionType<kind>::Value& value, std::string_view text, std::string_view choices) {
  if constexpr (kind == OptionKind::Bool)
    value = parse_bool(text);
  else if constexpr (kind == OptionKind::Count)
    value = parse_count(text);
  else if constexpr (kind == OptionKind::Number)
    value = parse_number(text);
  else if constexpr (kind == OptionKind::Bytes)
    value = parse_bytes(text);
  else if constexpr (kind == OptionKind::Share)
    value = parse_share(text);
  else if constexpr (kind == OptionKind::Duration)
    value = parse_duration(text);
  else if constexpr (kind == OptionKind::Choice)
    value = parse_choice(text, choices);
  else if constexpr (kind == OptionKind::Levels)
    value = parse_levels(text);
  else
    value = std::string(text);
}

void read_program(const Options& options, AllSaid& all) {
  std::size_t index = 0;
#define WEFT_OPTION(field, kind, initial, choices, room, description)                                  \
  if (options.field) say(all, index, options.field->text(), Source::Program, "program (." #field ")"); \
  ++index;
#include <weft/options.def>
#undef WEFT_OPTION
}

// Whether an option without "=" means "on" and leaves the next word alone: one of two words does, and one of several
// with "on" among them where no value can follow.
bool may_stand_alone(const OptionRow& row, std::string_view next) {
  if (row.kind == OptionKind::Bool) return true;
  if (row.kind != OptionKind::Choice || !next.starts_with('-')) return false;
  return fmt::format("|{}|", row.choices).find("|on|") != std::string::npos;
}

// Takes the options out of argv: what is kept moves to the front, in order.
void read_command_line(int& argc, char** argv, AllSaid& all) {
  if (argv == nullptr) return;
  int kept = argc > 0 ? 1 : 0;
  int at = kept;
  for (; at < argc; ++at) {
    const std::string_view word = argv[at];
    if (word == "--") break;
    if (word.substr(0, kFlagPrefix.size()) != kFlagPrefix) {
      argv[kept++] = argv[at];
      continue;
    }
    const std::size_t equals = word.find('=');
    const std::string flag(word.substr(0, equals));
    const std::string_view key = std::string_view(flag).substr(kFlagPrefix.size());
    const std::size_t option = find_option(key);
    if (option == kOptionCount) {
      throw ConfigError(fmt::format("unknown option {}; did you mean --weft-{}?", flag, nearest_option(key)));
    }
    std::string text;
    if (equals != std::string_view::npos) {
      text = word.substr(equals + 1);
    } else if (may_stand_alone(kOptionTable[option], at + 1 < argc ? argv[at + 1] : "-")) {
      text = "on";
    } else if (at + 1 < argc) {
      text = argv[++at];
    } else {
      throw ConfigError(fmt::format("the option {} needs a value, as in {}={}", flag, flag,
                                    kOptionTable[option].initial.empty() ? "VALUE" : kOptionTable[option].initial));
    }
    say(all, option, std::move(text), Source::CommandLine, flag);
  }
  for (; at < argc; ++at) argv[kept++] = argv[at];
  argc = kept;
  argv[argc] = nullptr;
}

bool is_foreign(std::string_view variable) {
  for (const std::string_view name : kForeignVariables) {
    if (variable == name) return true;
  }
  for (const std::string_view prefix : kForeignPrefixes) {
    if (variable.substr(0, prefix.size()) == prefix) return true;
  }
  return false;
}

void read_environment(AllSaid& all) {
  std::vector<std::string> names;
  for (const OptionRow& row : kOptionTable) names.push_back(row.variable());
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view pair = *entry;
    if (pair.substr(0, kVariablePrefix.size()) != kVariablePrefix) continue;
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string variable(pair.substr(0, equals));
    std::size_t option = 0;
    while (option < kOptionCount && names[option] != variable) ++option;
    if (option < kOptionCount) {
      say(all, option, std::string(pair.substr(equals + 1)), Source::Environment, variable);
    } else if (!is_foreign(variable)) {
      throw ConfigError(
          fmt::format("unknown environment variable {}; did you mean {}?", variable, nearest_name(variable, names)));
    }
  }
}

std::string read_file(const std::string& path) {
  std::FILE* const file = std::fopen(path.c_str(), "rbe");
  std::string text;
  int error = file == nullptr ? errno : 0;
  if (file != nullptr) {
    char part[4096];
    std::size_t count = 0;
    while ((count = std::fread(part, 1, sizeof part, file)) > 0) text.append(part, count);
    if (std::ferror(file) != 0) error = errno;
    std::fclose(file);
  }
  if (error != 0) {
    throw ConfigError(
        fmt::format("the configuration file '{}' cannot be read: {}", path, std::generic_category().message(error)));
  }
  return text;
}

void read_entries(const std::string& path, AllSaid& all) {
  std::string levels;
  std::string levels_where;
  for (TomlEntry& entry : read_toml(read_file(path), path)) {
    const std::string where = fmt::format("{}:{}", path, entry.line);
    if (entry.table == kLevelsTable) {
      levels += (levels.empty() ? "" : ",") + entry.key + "=" + entry.value;
      levels_where = where;
      continue;
    }
    const std::size_t option = find_option(entry.key);
    if (option == kOptionCount) {
      throw ConfigError(
          fmt::format("{}: unknown key '{}'; did you mean '{}'?", where, entry.key, nearest_option(entry.key)));
    }
    if (option == find_option("config")) throw ConfigError(where + ": a configuration file cannot name another");
    if (!entry.table.empty() && entry.table != kOptionTable[option].room) {
      throw ConfigError(fmt::format("{}: the key '{}' belongs into [{}] or above the first table, not into [{}]", where,
                                    entry.key, kOptionTable[option].room, entry.table));
    }
    const Said& earlier = all[option];
    if (earlier.said && earlier.origin.source == Source::File) {
      throw ConfigError(fmt::format("{}: the key '{}' already stands at {}", where, entry.key, earlier.origin.where));
    }
    say(all, option, std::move(entry.value), Source::File, where);
  }
  if (levels.empty()) return;
  const std::size_t option = find_option(kLevelsTable);
  const Said& plain = all[option];
  if (plain.said && plain.origin.source == Source::File) levels = plain.text + "," + levels;
  say(all, option, levels, Source::File, levels_where);
}

// The file named by the option, else the first that is there.
std::string find_file(const AllSaid& all) {
  const Said& named = all[find_option("config")];
  if (named.said && !named.text.empty()) return named.text == "none" ? "" : named.text;
  if (::access("weft.toml", F_OK) == 0) return "weft.toml";
  const char* const base = std::getenv("XDG_CONFIG_HOME");
  const char* const home = std::getenv("HOME");
  std::string folder;
  if (base != nullptr && *base != '\0')
    folder = base;
  else if (home != nullptr && *home != '\0')
    folder = std::string(home) + "/.config";
  else
    return "";
  const std::string path = folder + "/weft/weft.toml";
  return ::access(path.c_str(), F_OK) == 0 ? path : "";
}

template <OptionKind kind>
void take(Settings& settings, std::size_t index, typename detail::OptionType<kind>::Value& value, const Said& said) {
  const OptionRow& row = kOptionTable[index];
  try {
    parse_into<kind>(value, said.said ? std::string_view(said.text) : row.initial, row.choices);
  } catch (const ConfigError& error) {
    throw ConfigError(fmt::format("{}: option {}: {}", said.origin.where, row.name(), error.what()));
  }
  settings.origins[index] = said.said ? said.origin : Origin{Source::Default, "default"};
}

}  // namespace

const Origin& Settings::origin(std::string_view option) const {
  const std::size_t index = find_option(option);
  if (index == kOptionCount) {
    throw ConfigError(fmt::format("there is no option '{}'; did you mean '{}'?", option, nearest_option(option)));
  }
  return origins[index];
}

Settings resolve(int& argc, char** argv, const Options& options) {
  AllSaid all;
  read_program(options, all);
  read_command_line(argc, argv, all);
  read_environment(all);
  const std::string file = find_file(all);
  if (!file.empty()) read_entries(file, all);
  Settings settings;
  std::size_t index = 0;
#define WEFT_OPTION(field, kind, initial, choices, room, description)  \
  take<OptionKind::kind>(settings, index, settings.field, all[index]); \
  ++index;
#include <weft/options.def>
#undef WEFT_OPTION
  return settings;
}

Settings resolve(const Options& options) {
  int argc = 0;
  return resolve(argc, nullptr, options);
}

}  // namespace weft
