/// Tasks on devices of workers, one of which fails, for device_test.py: `device_job FOLDER` under mpirun.

#include "tests/gpu/devices.hpp"

#include <weft/weft.hpp>

#include <unistd.h>

#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

namespace {

using namespace weft;

/// Each worker has a device from its first task on; that of whoever asks first in this folder fails at its third
/// kernel.
std::uint64_t sum_on_device(std::uint32_t first, const std::string& folder) {
  static const bool here [[maybe_unused]] = [&folder] {
    gpu::PretendedDevice device;
    if (::symlink("x", (folder + "/fails").c_str()) == 0) device.fault_at = 3;
    std::vector<std::unique_ptr<gpu::Driver>> drivers;
    drivers.push_back(gpu::pretended_driver(device));
    gpu::set_devices(std::move(drivers), {});
    return true;
  }();
  const auto values = testing::values_of(testing::add(gpu::DeviceBuffer(testing::numbers(1000, first)), 1).fetch());
  return std::accumulate(values.begin(), values.end(), std::uint64_t{0});
}

}  // namespace

int main(int argc, char** argv) {
  return run(argc, argv, [](Client& client, Args args) {
    std::vector<Future<std::uint64_t>> sums;
    for (std::uint32_t i = 0; i < 50; ++i) sums.push_back(client.submit(&sum_on_device, i, args.at(0)));
    std::uint64_t all = 0;
    for (auto& one : sums) all += one.result();
    std::printf("sum %llu\n", static_cast<unsigned long long>(all));
    std::uint64_t works = 0, uploaded = 0;
    for (const DeviceRow& row : client.ledger().devices) {
      works += row.works;
      uploaded += row.uploaded_bytes;
    }
    // The books of the worker that was lost are as it last told them.
    std::printf("works %s\n", works >= 40 && uploaded == 4000 * works ? "are in the ledger" : "are not in the ledger");
  });
}
