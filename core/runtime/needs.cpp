#include "core/runtime/needs.hpp"

namespace weft {

Needs resource_needs(const TaskOptions& options, ResourceNumbers& numbers) {
  Needs needs;
  for (const auto& [name, amount] : options.resources) {
    if (name == "slots") {
      needs.slots = amount;
      continue;
    }
    const auto [found, fresh] = numbers.try_emplace(name, static_cast<std::uint32_t>(numbers.size()));
    needs.resources.push_back({found->second, amount});
  }
  return needs;
}

}  // namespace weft
