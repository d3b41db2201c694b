#include "gpu/driver/cuda_graphs.hpp"

#include <algorithm>
#include <cstddef>

namespace weft::gpu {
namespace {

/// Shapes that are kept: batches of five sizes, a few kinds of each.
constexpr std::size_t kMostShapes = 32;

bool shape_of(cudaGraph_t graph, std::vector<cudaGraphNodeType>& shape) noexcept {
  std::size_t count = 0;
  if (cudaGraphGetNodes(graph, nullptr, &count) != cudaSuccess) return false;
  std::vector<cudaGraphNode_t> nodes(count);
  if (count != 0 && cudaGraphGetNodes(graph, nodes.data(), &count) != cudaSuccess) return false;
  shape.resize(count);
  for (std::size_t i = 0; i < count; ++i)
    if (cudaGraphNodeGetType(nodes[i], &shape[i]) != cudaSuccess) return false;
  return true;
}

cudaError_t take_over(cudaGraphExec_t kept, cudaGraph_t graph) noexcept {
#if CUDART_VERSION >= 12000
  cudaGraphExecUpdateResultInfo told{};
  return cudaGraphExecUpdate(kept, graph, &told);
#else
  cudaGraphNode_t node{};
  cudaGraphExecUpdateResult told{};
  return cudaGraphExecUpdate(kept, graph, &node, &told);
#endif
}

}  // namespace

GraphUse CudaGraphs::launch(cudaGraph_t graph, cudaStream_t stream) noexcept {
  std::vector<cudaGraphNodeType> shape;
  if (!shape_of(graph, shape)) return GraphUse::None;
  if (shape.empty()) return GraphUse::Kept;
  GraphUse use = GraphUse::Made;
  auto mine = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& one) { return one.shape == shape; });
  if (mine != kept_.end()) {
    if (take_over(mine->graph, graph) == cudaSuccess) {
      use = GraphUse::Kept;
    } else {
      cudaGetLastError();
      retire(mine->graph, stream);
      kept_.erase(mine);
      mine = kept_.end();
    }
  }
  if (mine == kept_.end()) {
    cudaGraphExec_t made = nullptr;
    if (cudaGraphInstantiateWithFlags(&made, graph, 0) != cudaSuccess) return GraphUse::None;
    if (kept_.size() == kMostShapes) {
      retire(kept_.back().graph, stream);
      kept_.pop_back();
    }
    kept_.push_front({std::move(shape), made});
    mine = kept_.begin();
  }
  kept_.splice(kept_.begin(), kept_, mine);
  return cudaGraphLaunch(mine->graph, stream) == cudaSuccess ? use : GraphUse::None;
}

/// All are launched on one stream: when it has nothing to do, none of them runs.
void CudaGraphs::retire(cudaGraphExec_t graph, cudaStream_t stream) noexcept {
  retired_.push_back(graph);
  if (cudaStreamQuery(stream) == cudaSuccess) {
    for (cudaGraphExec_t one : retired_) cudaGraphExecDestroy(one);
    retired_.clear();
  }
  cudaGetLastError();
}

void CudaGraphs::clear() noexcept {
  for (const Kept& one : kept_) cudaGraphExecDestroy(one.graph);
  for (cudaGraphExec_t one : retired_) cudaGraphExecDestroy(one);
  kept_.clear();
  retired_.clear();
}

}  // namespace weft::gpu
