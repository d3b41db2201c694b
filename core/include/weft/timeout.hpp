#pragma once

#include <chrono>
#include <limits>

namespace weft {

/// A length of time; any duration of <chrono> becomes one: `500ms`, `std::chrono::minutes(2)`.
using Seconds = std::chrono::duration<double>;

/// Waiting without an end.
inline constexpr Seconds kForever{std::numeric_limits<double>::infinity()};

namespace detail {
/// Returns the moment that lies so far ahead; far enough for `kForever`.
std::chrono::steady_clock::time_point deadline_after(Seconds longest);
}  // namespace detail

}  // namespace weft
