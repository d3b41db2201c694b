#pragma once

namespace weft {

/// Time passes. To the scheduler, which looks for steals that pay: every few milliseconds while something runs. To a
/// worker, which complains of deals that do not come: every 100 ms or so while it has packets.
struct Tick {};

}  // namespace weft
