#pragma once

#include <cstdint>

namespace weft {

/// Ends the task streams of a client that is being closed: they gather for the last time.
void stop_streams(std::uint32_t client);

}  // namespace weft
