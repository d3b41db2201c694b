#pragma once

#include <cstdint>
#include <string>

namespace weft::command::farm {

/// A command with places for an item, as GNU parallel writes them: `{}` the item, `{.}` without its extension, `{/}`
/// its last part, `{//}` its folder, `{/.}` its last part without extension, `{#}` its number from 1 on.
class CommandPattern {
 public:
  /// A command without a place gets one at its end.
  explicit CommandPattern(std::string text);

  /// The command for the shell; what stands in for the item is one word of it, whatever the item holds.
  std::string command(const std::string& item, std::uint64_t number) const;

 private:
  std::string text_;
};

}  // namespace weft::command::farm
