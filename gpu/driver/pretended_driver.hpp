#pragma once

#include "gpu/driver/driver.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace weft::gpu {

/// What a pretended device is like, and what goes wrong on it.
struct PretendedDevice {
  std::size_t memory_bytes = std::size_t{64} << 20;
  /// The bytes a second that a copy may move; 0: as fast as it goes.
  double copy_rate = 0;
  /// This allocation, counted from 1, finds no memory although there is some; 0: none does. Then every so many again.
  std::uint64_t refuse_at = 0, refuse_every = 0;
  /// This function of a stream, counted from 1, ends in a fault of the device; 0: none does.
  std::uint64_t fault_at = 0;
  /// This function that is put on a stream, counted from 1, is refused: it never runs, the device goes on; 0: none is.
  std::uint64_t refuse_launch_at = 0;
  /// This graph, counted from 1 at the end of its capture, cannot be made, or none can at all.
  std::uint64_t refuse_graph_at = 0;
  bool no_graphs = false;
};

/// A device that runs on the host: a thread a stream, real copies, memory of its own that ends where it says. A
/// function put on a stream by NativeStream::host stands for a kernel; one that throws is a kernel that faults.
std::unique_ptr<Driver> pretended_driver(PretendedDevice device);

/// Puts a function on what NativeStream::cuda() is of a pretended device; for libraries that stand for CUDA's.
void put_on_pretended(void* stream, std::function<void()> function);

}  // namespace weft::gpu
