#pragma once

#include "gpu/driver/pretended_driver.hpp"
#include "gpu/memory/store.hpp"

#include <cstring>
#include <numeric>
#include <utility>
#include <vector>

namespace weft::testing {

/// Pretended devices in the place of the machine's, while it lives.
class PretendedDevices {
 public:
  explicit PretendedDevices(const std::vector<gpu::PretendedDevice>& devices, std::vector<std::size_t> budgets = {}) {
    std::vector<std::unique_ptr<gpu::Driver>> drivers;
    for (const auto& device : devices) drivers.push_back(gpu::pretended_driver(device));
    gpu::set_devices(std::move(drivers), std::move(budgets));
  }
  ~PretendedDevices() { gpu::set_devices({}, {}); }
  PretendedDevices(const PretendedDevices&) = delete;
  PretendedDevices& operator=(const PretendedDevices&) = delete;
};

inline Buffer numbers(std::size_t count, std::uint32_t first) {
  Buffer buffer = Buffer::allocate(count * sizeof(std::uint32_t));
  auto* const values = reinterpret_cast<std::uint32_t*>(buffer.data());
  std::iota(values, values + count, first);
  return buffer;
}
inline std::vector<std::uint32_t> values_of(const Buffer& buffer) {
  std::vector<std::uint32_t> values(buffer.size() / sizeof(std::uint32_t));
  if (!values.empty()) std::memcpy(values.data(), buffer.data(), buffer.size());
  return values;
}

/// A kernel for pretended devices: adds `more` to each number, in the order of the stream.
inline gpu::DeviceBuffer add(const gpu::DeviceBuffer& buffer, std::uint32_t more) {
  gpu::Work work;
  const auto in = work.input(buffer);
  const auto out = work.output(buffer.size());
  work.begin();
  work.launch([&](gpu::NativeStream stream) {
    stream.host([from = work.data<const std::uint32_t>(in), to = work.data<std::uint32_t>(out),
                 count = buffer.size() / sizeof(std::uint32_t), more] {
      for (std::size_t i = 0; i < count; ++i) to[i] = from[i] + more;
    });
  });
  return work.finish(out);
}

}  // namespace weft::testing
