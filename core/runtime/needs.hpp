#pragma once

#include "core/messages/packet.hpp"

#include <weft/task_options.hpp>

#include <cstdint>
#include <map>
#include <string>

namespace weft {

/// The numbers that the machines know named resources by.
using ResourceNumbers = std::map<std::string, std::uint32_t>;

/// Returns what options ask for of slots and resources. Names not seen before get the next number.
Needs resource_needs(const TaskOptions& options, ResourceNumbers& numbers);

}  // namespace weft
