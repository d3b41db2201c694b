#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <weft/config.hpp>

namespace weft {

/// One row of weft/options.def as data.
struct OptionRow {
  std::string_view field;  ///< spill_dir
  OptionKind kind;
  std::string_view initial;
  std::string_view choices;
  std::string_view room;
  std::string_view description;

  std::string name() const;      ///< spill-dir: the key, and the option after --weft-
  std::string variable() const;  ///< WEFT_SPILL_DIR
};

inline constexpr std::array<OptionRow, kOptionCount> kOptionTable = {{
#define WEFT_OPTION(field, kind, initial, choices, room, description) \
  {#field, OptionKind::kind, initial, choices, room, description},
#include <weft/options.def>
#undef WEFT_OPTION
}};

/// Returns the index of the option with this key, or kOptionCount. Underscores count as dashes.
std::size_t find_option(std::string_view name);

/// Returns the settings as words of a command line, "--weft-threads=4": what another process must be given to have
/// them.
std::vector<std::string> option_words(const Settings& settings);

/// Returns the key of the option whose name is nearest to a wrong one.
std::string nearest_option(std::string_view wrong);

}  // namespace weft
