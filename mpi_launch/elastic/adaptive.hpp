#pragma once

#include "core/cluster/cluster.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace weft::launch {

/// Decides how many workers a cluster should have. Pure: time and demand come in, wishes go out.
///
/// For: `Cluster::adapt`. Owns: what it has seen. Threading: one thread.
class Adaptive {
 public:
  struct Bounds {
    std::size_t minimum = 0;
    std::size_t maximum = 0;
    double idle_s = 5;
    double worth_s = 5;
    /// Of a worker that is still to come.
    std::size_t slots = 1;
  };
  struct Wish {
    std::size_t start = 0;
    /// Of those that are still to come.
    std::size_t cancel = 0;
    std::vector<std::string> retire = {};

    bool operator==(const Wish&) const = default;
  };

  explicit Adaptive(const Bounds& bounds) : bounds_(bounds) {}

  /// `coming`: workers that were started and have not joined.
  Wish decide(double now_s, const ClusterDemand& demand, std::size_t coming);

 private:
  std::size_t wanted(double now_s, const ClusterDemand& demand, std::size_t here, std::size_t all) const;
  std::vector<std::string> to_retire(double now_s, const ClusterDemand& demand, std::size_t keep);

  const Bounds bounds_;
  std::map<std::string, double> idle_since_s_;  // by worker
  std::optional<double> spare_since_s_;         // more are coming than are wanted
  std::optional<double> seen_s_;
  std::uint64_t seen_done_ = 0;
};

}  // namespace weft::launch
