#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace weft {

/// How far a client's work is.
struct RunCounts {
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  std::uint64_t failed = 0;
};

/// A process that runs tasks.
struct WorkerInfo {
  /// What TaskOptions::workers names; its host is a name too.
  std::string name;
  std::string host;
  unsigned slots = 0;
  /// Slots that run something now.
  unsigned running = 0;
  std::map<std::string, std::uint32_t> resources;
  /// What its results may take, and take now.
  std::uint64_t memory_bytes = 0;
  std::uint64_t used_bytes = 0;
  /// Where results go that do not fit; empty where there is no such place.
  std::string spill_directory;
};

/// What a client is: what it runs on, and how far it is.
struct ClientInfo {
  std::string version;
  /// "sync", "threads" or "mpi".
  std::string scheduler;
  unsigned slots = 0;
  RunCounts counts;
  std::vector<WorkerInfo> workers;
  /// Returns a few lines for people.
  std::string to_text() const;
};

/// Something worth noting that happened, with its time.
struct LoggedEvent {
  std::chrono::system_clock::time_point time;
  std::string text;
};

}  // namespace weft
