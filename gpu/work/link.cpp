#include <weft/gpu.hpp>

#include <algorithm>
#include <chrono>
#include <cstring>

namespace weft::gpu {
namespace {

/// The best of some runs: what the link gives, not who else was using it.
template <class Run>
double best(const Run& run) {
  constexpr int kRuns = 4;
  double seconds = 1e300;
  for (int i = 0; i < kRuns; ++i) {
    const auto start = std::chrono::steady_clock::now();
    run();
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    // The first one takes memory that is kept.
    if (i > 0) seconds = std::min(seconds, time.count());
  }
  return seconds;
}

}  // namespace

LinkRates measure_link(unsigned device, std::size_t bytes) {
  LinkRates rates;
  const auto size = static_cast<double>(bytes);
  rates.empty_work_seconds = best([&] {
    Work work(device);
    work.begin();
    work.finish();
  });
  Buffer host = Buffer::allocate(bytes, pinned_memory());
  std::memset(host.data(), 1, bytes);
  rates.to_device = size / best([&] {
                      Work work(device);
                      work.input(host);
                      work.begin();
                      work.finish();
                    });
  double down = 1e300;
  for (int i = 0; i < 3; ++i) {
    Work work(device);
    const auto from = work.input(host);
    const auto to = work.output(bytes);
    work.begin();
    work.copy(to, from);
    const DeviceBuffer made = work.finish(to);
    const auto start = std::chrono::steady_clock::now();
    const Buffer back = made.fetch();
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    down = std::min(down, time.count());
  }
  rates.to_host = size / down;
  constexpr int kCopies = 8;
  const DeviceBuffer there(host);
  rates.on_device = 2 * kCopies * size / best([&] {
                      Work work(device);
                      const auto from = work.input(there);
                      const auto to = work.scratch(bytes);
                      work.begin();
                      for (int i = 0; i < kCopies; ++i) work.copy(to, from);
                      work.finish();
                    });
  return rates;
}

}  // namespace weft::gpu
