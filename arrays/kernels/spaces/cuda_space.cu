// Passes on CUDA devices: the work items that the host's space runs, one a thread, or one a block whose threads share
// its elements. Kernels are instantiated here and nowhere else; compiled with --fmad=false, so that products are not
// fused into sums, as on the host.
#include "arrays/kernels/spaces/pass.hpp"

#include <algorithm>
#include <cstdint>

namespace weft::arrays::kernels {
namespace {

constexpr int kThreads = 128;
/// More blocks than are resident at once; what is left is looped over.
constexpr std::int64_t kMostBlocks = 1 << 16;
/// Shared memory of a block: with more, too few blocks fit to hide the memory's delay.
constexpr std::size_t kRoom = 40 << 10;

struct CudaStream {
  cudaStream_t stream;
};

/// As many elements as leave room for several blocks: each thread has several, so that choosing an instruction costs
/// little beside running it.
int block_of(const CudaStream&, const Pass& pass, int most) {
  int block = most;
  const auto bytes = [&] {
    return static_cast<std::size_t>(pass.registers) * pass.width * static_cast<std::size_t>(block);
  };
  while (block > kThreads && (bytes() > kRoom || block / 2 >= pass.extents[pass.axes - 1])) block /= 2;
  return block;
}
/// Each thread has one column: there are never enough of them.
int column_block_of(const CudaStream&, int) { return kThreads; }

template <class Item>
__global__ void __launch_bounds__(kThreads) run_items(const __grid_constant__ Item item, std::int64_t count) {
  if constexpr (Item::kOfBlock) {
    for (std::int64_t i = blockIdx.x; i < count; i += gridDim.x) item(i);
  } else {
    const std::int64_t step = std::int64_t{gridDim.x} * kThreads;
    for (std::int64_t i = blockIdx.x * std::int64_t{kThreads} + threadIdx.x; i < count; i += step) item(i);
  }
}

/// A launch that is refused leaves its error with the runtime; the driver of the device finds it at the next event.
template <class Item>
void each_item(CudaStream on, const char*, const Item& item) {
  const std::int64_t count = item.items();
  if (count == 0) return;
  std::int64_t blocks = count;
  std::size_t room = 0;
  if constexpr (Item::kOfBlock) {
    room = item.room();
  } else {
    blocks = (count + kThreads - 1) / kThreads;
  }
  blocks = std::min(blocks, kMostBlocks);
  run_items<<<static_cast<unsigned>(blocks), kThreads, room, on.stream>>>(item, count);
}

}  // namespace
}  // namespace weft::arrays::kernels

#include "arrays/kernels/spaces/pass_loops.hpp"

namespace weft::arrays::kernels {
namespace {

/// Elements of a block, at most: a tile, so that a fold brings it at once.
constexpr int kDeviceBlock = static_cast<int>(kPassTile);

CudaStream stream_of(void* stream) { return {static_cast<cudaStream_t>(stream)}; }

void copy_box(void* stream, const BoxCopy& box) { each_item(stream_of(stream), "weft::copy", CopyItem{box}); }
void write(void* stream, const Pass& pass, std::byte* out) { write_pass<kDeviceBlock>(stream_of(stream), pass, out); }
void begin(void* stream, const FoldOutputs& outputs, std::int64_t count) {
  each_item(stream_of(stream), "weft::begin", BeginItem{target_of(outputs), count});
}
void fold(void* stream, const Pass& pass, const FoldOutputs& outputs, const ReduceState& tiles) {
  fold_pass<kDeviceBlock>(stream_of(stream), pass, target_of(outputs), tiles);
}

void scale(void* stream, const Scaling& scaling) { each_item(stream_of(stream), "weft::scale", ScaleItem{scaling}); }

}  // namespace

const SpaceLoops* cuda_loops() {
  static constexpr SpaceLoops loops{copy_box, write, begin, fold, scale};
  return &loops;
}
std::string cuda_architectures() { return WEFT_CUDA_ARCHITECTURES_TEXT; }

}  // namespace weft::arrays::kernels
