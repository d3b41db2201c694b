#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/simulate/busy_meter.hpp"
#include "core/simulate/timeline.hpp"
#include "core/simulate/workload.hpp"

namespace weft::sim {

/// What all parts of one simulated cluster share.
/// Owns: virtual time, the graph, what went wrong.  Threading: none.
struct Context {
  Timeline timeline;
  Workload workload;
  /// By task: what its value must be.
  std::vector<Value> expected;
  /// How often each packet was broken by a flaky task so far, by task.
  std::vector<std::uint8_t> broken;
  /// Null: busy cores are not counted.
  BusyMeter* meter = nullptr;
  bool trace = false;

  /// Sentences, each with its virtual time; at most kMostViolations.
  std::vector<std::string> violations;
  static constexpr std::size_t kMostViolations = 20;

  void violate(const std::string& sentence);
};

}  // namespace weft::sim
