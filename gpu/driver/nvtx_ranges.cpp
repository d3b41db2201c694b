#include "gpu/driver/ranges.hpp"

#include <nvtx3/nvToolsExt.h>

namespace weft::gpu {

std::uint64_t begin_range(const std::string& name) noexcept { return nvtxRangeStartA(name.c_str()); }
void end_range(std::uint64_t range) noexcept { nvtxRangeEnd(range); }

}  // namespace weft::gpu
