#pragma once

#include <cstdint>

namespace weft {

/// Stops the profiles of a client that is being closed.
void stop_profiles(std::uint32_t client);

}  // namespace weft
