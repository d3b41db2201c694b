#pragma once

#include "gpu/driver/driver.hpp"

#include <cuda_runtime_api.h>

#include <cstdint>
#include <list>
#include <vector>

namespace weft::gpu {

/// Graphs that were made executable, which costs much more than launching them: one of the same shape, which is the
/// kinds of its nodes in their order, takes over the new one's kernels, arguments and places.
/// Owns: the executable graphs.  Threading: one thread at a time, which has selected the device.
class CudaGraphs {
 public:
  /// Puts the graph on the stream; the caller keeps it. None where it was refused: then nothing of it is done.
  GraphUse launch(cudaGraph_t graph, cudaStream_t stream) noexcept;
  /// Forgets all. Before the device's streams end.
  void clear() noexcept;

 private:
  struct Kept {
    std::vector<cudaGraphNodeType> shape;
    cudaGraphExec_t graph = nullptr;
  };
  void retire(cudaGraphExec_t graph, cudaStream_t stream) noexcept;

  std::list<Kept> kept_;                  // the last used first
  std::vector<cudaGraphExec_t> retired_;  // may still be running
};

}  // namespace weft::gpu
