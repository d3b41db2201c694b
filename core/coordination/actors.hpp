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
/// The upper half of the numbers of all actors that are made in this process; those of other processes differ.
std::uint32_t actor_family();
/// The family of the actor that a question of the form CallActor is about, behind its form.
inline std::uint32_t family_of_call(Reader& reader) {
  return static_cast<std::uint32_t>(reader.number<std::uint64_t>("call of an actor") >> 32);
}

}  // namespace weft::detail
