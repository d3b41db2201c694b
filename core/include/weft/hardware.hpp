#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace weft {

class Client;

/// What a worker's machine can do, in bytes a second.
struct HardwareRates {
  /// Copying memory, read and written bytes together, with one slot.
  double memory = 0;
  /// Writing to the folder for spill files until the disk has it, and reading it back past the system's cache; 0 where
  /// there is no such folder.
  double disk_write = 0;
  double disk_read = 0;
  /// Bringing a result from the worker before it in the list, the last one for the first, to a task here; 0 where there
  /// is one worker.
  double network = 0;
};

/// Measures each worker of the client, one after the other, by the workers' names; each figure is the best of three.
/// `bytes`: how much is copied, written and sent each time. Wants a client with nothing else to do; takes some seconds.
std::map<std::string, HardwareRates> benchmark_hardware(const Client& client,
                                                        std::uint64_t bytes = std::uint64_t{64} << 20);
/// Returns a few lines for people.
std::string to_text(const std::map<std::string, HardwareRates>& rates);

}  // namespace weft
