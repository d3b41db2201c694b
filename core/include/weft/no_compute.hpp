#pragma once

namespace weft {

/// While one is open in a thread, computing anything in that thread is an error: shows hidden computations.
class NoCompute {
 public:
  NoCompute();
  ~NoCompute();
  NoCompute(const NoCompute&) = delete;
  NoCompute& operator=(const NoCompute&) = delete;
};

}  // namespace weft
