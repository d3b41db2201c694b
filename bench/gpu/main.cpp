// Measures the devices of this process beside their own floors: weft_gpu_bench [--case NAME] [chunk MiB [chunks
// [side]]]
#include "bench/gpu/gpu_cases.hpp"

#include <weft/gpu.hpp>
#include <weft/weft.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

int main(int count, char** words) {
  weft::bench::GpuSizes sizes;
  std::string only;
  if (count > 2 && std::string_view(words[1]) == "--case") {
    only = words[2];
    words += 2;
    count -= 2;
  }
  if (count > 1) sizes.chunk_bytes = std::strtoull(words[1], nullptr, 10) << 20;
  if (count > 2) sizes.chunks = std::strtoull(words[2], nullptr, 10);
  if (count > 3) sizes.side = std::strtoll(words[3], nullptr, 10);
  if (weft::gpu::devices().empty()) {
    std::fprintf(stderr, "weft_gpu_bench: %s\n", weft::gpu::why_no_device().c_str());
    return 77;
  }
  const weft::gpu::DeviceFacts& device = weft::gpu::devices()[0];
  std::printf("%s, sm_%d%d, %.1f GB free\n\n", device.name.c_str(), device.major, device.minor,
              static_cast<double>(device.memory_bytes) / 1e9);
  std::fputs(weft::bench::gpu_table(weft::bench::run_gpu_cases(sizes, only)).c_str(), stdout);
  return 0;
}
