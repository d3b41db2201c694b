#pragma once

#include <cstdint>

namespace weft {

/// Ends the task streams of a client that is being closed: they gather for the last time.
void stop_streams(std::uint32_t client);

/// Says that somebody beside the task streams wants the workers of a client to note tasks, or no more: the end of one
/// must not end the notes of another.
void want_tasks_noted(std::uint32_t client, bool on);
/// Returns whether a task stream of the client, or somebody who said so, wants that.
bool wants_tasks_noted(std::uint32_t client);

}  // namespace weft
