#pragma once

#include <weft/wire.hpp>

#include <weft/handle.hpp>

#include <cstdint>

// What runtimes do for actors.

namespace weft::detail {

/// Returns whether objects of actors wait to be dropped by `drop_left_actors`, which submits tasks.
bool actors_left() noexcept;
void drop_left_actors();
/// Makes a call that another process asked for. Throws Error where that is not possible.
Handle perform_call(Reader& reader);
Handle offered_task(std::uint64_t offer);

}  // namespace weft::detail
