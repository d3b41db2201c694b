#pragma once

#include <cstdint>
#include <string>

namespace weft::gpu {

/// Ranges that profilers of devices show (NVTX), where this build has its header; elsewhere they do nothing. A range
/// may end on another thread than it began on.
std::uint64_t begin_range(const std::string& name) noexcept;
void end_range(std::uint64_t range) noexcept;

}  // namespace weft::gpu
