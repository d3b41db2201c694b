// spill, streaming-reduction: ten times more data than memory may hold.

#include <weft/client.hpp>

#include "bench/cases.hpp"

namespace weft::bench {

std::vector<Case> memory_cases() { return {}; }

}  // namespace weft::bench
