#pragma once

#include <weft/ledger.hpp>

#include "core/diagnostics/ticks.hpp"

#include <atomic>

namespace weft::inject {

#ifdef WEFT_CHECK_INVARIANTS

/// Whether delays can be put into phases: in builds that check invariants. Elsewhere `delay` is nothing at all.
inline constexpr bool kPossible = true;

/// Ticks that every piece of work of a phase takes longer; set by tests.
inline std::atomic<Ticks> ticks[kPhaseCount] = {};

/// Stands where work of `phase` is done, so that a test can see that the ledger books it there.
inline void delay(Phase phase) noexcept {
  const Ticks wanted = ticks[static_cast<std::size_t>(phase)].load(std::memory_order_relaxed);
  if (wanted == 0) return;
  for (const Ticks begin = ticks_now(); ticks_now() - begin < wanted;) {
  }
}

#else

inline constexpr bool kPossible = false;
inline void delay(Phase) noexcept {}

#endif

}  // namespace weft::inject
