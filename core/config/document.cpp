#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <weft/config.hpp>
#include "core/config/option_table.hpp"
#include "core/config/values.hpp"

namespace weft {

namespace {

template <OptionKind kind>
std::string value_text(const typename detail::OptionType<kind>::Value& value) {
  if constexpr (kind == OptionKind::Bool)
    return value ? "on" : "off";
  else if constexpr (kind == OptionKind::Count)
    return std::to_string(value);
  else if constexpr (kind == OptionKind::Number)
    return number_text(value);
  else if constexpr (kind == OptionKind::Bytes)
    return exact_bytes_text(value);
  else if constexpr (kind == OptionKind::Share)
    return share_text(value);
  else if constexpr (kind == OptionKind::Duration)
    return duration_text(value);
  else
    return value;
}

std::string_view kind_text(OptionKind kind) {
  switch (kind) {
    case OptionKind::Bool:
      return "on or off";
    case OptionKind::Count:
      return "count";
    case OptionKind::Number:
      return "number";
    case OptionKind::Bytes:
      return "size";
    case OptionKind::Share:
      return "size or share";
    case OptionKind::Duration:
      return "time";
    case OptionKind::Text:
      return "text";
    case OptionKind::Choice:
      return "choice";
    case OptionKind::Levels:
      return "levels";
  }
  return "";
}

// "a|b|c" as "`a`, `b`, `c`": a bar would end the cell.
std::string choices_text(std::string_view choices) {
  std::string out;
  while (!choices.empty()) {
    const std::size_t bar = choices.find('|');
    out += fmt::format("{}`{}`", out.empty() ? "" : ", ", choices.substr(0, bar));
    choices.remove_prefix(bar == std::string_view::npos ? choices.size() : bar + 1);
  }
  return out;
}

constexpr std::string_view kHead = R"(# Configuration

This page is generated from `core/include/weft/options.def`; `weft config` prints the values in force and where each
came from.

Each option can be given in five places. The first that gives it wins:

1. in the program: `Options{.threads = 4}` passed to `Client` or `run` (dashes in the name become underscores);
2. on the command line: `--weft-threads=4` or `--weft-threads 4`. A switch may stand alone (`--weft-dry-run`) and takes a
   value only after `=`. Options after `--` belong to the program; so does everything that does not begin with `--weft-`;
3. in the environment: `WEFT_THREADS=4`;
4. in one configuration file: the one named by `--weft-config` or `WEFT_CONFIG`, else `./weft.toml`, else
   `~/.config/weft/weft.toml` (`XDG_CONFIG_HOME` is respected). Only the first that exists is read;
5. else the default of this page.

An unknown name in any of them is an error that gives the nearest name, and a value that cannot be read is an error that
gives its place (`weft.toml:3`). Variables that module systems set (`WEFT_ROOT`, `WEFT_DIR`, `WEFT_HOME`, `WEFT_VERSION`,
`WEFT_PREFIX`, `WEFT_BASE`, `WEFT_INC`, `WEFT_INCLUDE`, `WEFT_LIB`, `WEFT_BIN`), `WEFT_RANK`, `WEFT_RANKS` (docs/running.md) and those that begin with
`WEFT_INTERNAL_`, `WEFT_BUILD_`, `WEFT_TEST_` or `WEFT_BENCH_` are left alone.

Sizes are `4096`, `64KiB` (1024), `1.5GB` (1000); shares are `80%`; times are `500ms`, `10s`, `2min`, `1h`, and plain
numbers are seconds; switches are `on`, `off`, `true`, `false`, `yes`, `no`, `1`, `0`.

```toml
# weft.toml: keys stand at the top, or in the table of their room
threads = 4

[memory]
memory = "80%"
spill-dir = "/scratch/me"

[log-level]
scheduler = "debug"
```

The file may use comments, `[table]` headers, strings on one line, numbers and booleans; what else TOML has is refused
with the line.
)";

}  // namespace

std::string config_table(const Settings& settings) {
  std::vector<std::string> values;
#define WEFT_OPTION(field, kind, initial, choices, room, description) \
  values.push_back(value_text<OptionKind::kind>(settings.field));
#include <weft/options.def>
#undef WEFT_OPTION
  std::size_t name_width = 6;
  std::size_t value_width = 5;
  for (std::size_t i = 0; i < kOptionCount; ++i) {
    name_width = std::max(name_width, kOptionTable[i].name().size());
    if (values[i].empty()) values[i] = "(none)";
    value_width = std::max(value_width, values[i].size());
  }
  std::string out = fmt::format("{:<{}}  {:<{}}  {}\n", "option", name_width, "value", value_width, "from");
  for (std::size_t i = 0; i < kOptionCount; ++i) {
    out += fmt::format("{:<{}}  {:<{}}  {}\n", kOptionTable[i].name(), name_width, values[i], value_width,
                       settings.origins[i].where);
  }
  return out;
}

std::vector<std::string> option_words(const Settings& settings) {
  std::vector<std::string> words;
  std::size_t index = 0;
#define WEFT_OPTION(field, kind, initial, choices, room, description)                                           \
  words.push_back("--weft-" + kOptionTable[index].name() + "=" + value_text<OptionKind::kind>(settings.field)); \
  ++index;
#include <weft/options.def>
#undef WEFT_OPTION
  return words;
}

std::string config_markdown() {
  std::string out(kHead);
  std::vector<std::string_view> rooms;
  for (const OptionRow& row : kOptionTable) {
    if (std::find(rooms.begin(), rooms.end(), row.room) == rooms.end()) rooms.push_back(row.room);
  }
  for (const std::string_view room : rooms) {
    out += fmt::format(
        "\n## {}\n\n| option | variable | value | default | what it does |\n| --- | --- | --- | --- | --- |\n", room);
    for (const OptionRow& row : kOptionTable) {
      if (row.room != room) continue;
      const std::string value = row.choices.empty() ? std::string(kind_text(row.kind)) : choices_text(row.choices);
      const std::string initial = row.initial.empty() ? "none" : fmt::format("`{}`", row.initial);
      out += fmt::format("| `--weft-{}` | `{}` | {} | {} | {} |\n", row.name(), row.variable(), value, initial,
                         row.description);
    }
  }
  return out;
}

}  // namespace weft
