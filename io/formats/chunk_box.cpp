#include "io/formats/chunk_box.hpp"

#include "io/formats/format.hpp"

#include <algorithm>
#include <memory>

namespace weft::io {
namespace {

/// Grows without copying, and without zeros.
class Scratch {
 public:
  std::span<std::byte> of(std::uint64_t bytes) {
    if (bytes > size_) {
      held_ = std::make_unique_for_overwrite<std::byte[]>(bytes);
      size_ = bytes;
    }
    return {held_.get(), bytes};
  }

 private:
  std::unique_ptr<std::byte[]> held_;
  std::uint64_t size_ = 0;
};

}  // namespace

std::span<std::byte> stored_memory(std::uint64_t bytes) {
  thread_local Scratch scratch;
  return scratch.of(bytes);
}

std::span<std::byte> decoded_memory(std::uint64_t bytes) {
  thread_local Scratch scratch;
  return scratch.of(bytes);
}

ChunkPart::ChunkPart(const std::vector<std::int64_t>& at, const std::vector<std::int64_t>& chunk,
                     const std::vector<std::int64_t>& chunk_strides, const OpenBox& box, std::size_t element_bytes)
    : chunk_strides_(chunk_strides),
      strides_(box.strides),
      element_bytes_(element_bytes),
      extent_(chunk.size()),
      out_(box.out) {
  for (std::size_t axis = 0; axis < chunk.size(); ++axis) {
    const std::int64_t begin = at[axis] * chunk[axis];
    const std::int64_t low = std::max(begin, box.start[axis]);
    extent_[axis] = std::min(begin + chunk[axis], box.start[axis] + box.extent[axis]) - low;
    inside_ += (low - begin) * chunk_strides[axis];
    out_ += (low - box.start[axis]) * box.strides[axis];
    whole_ = whole_ && extent_[axis] == chunk[axis] && (box.strides[axis] == chunk_strides[axis] || chunk[axis] == 1);
  }
}

void ChunkPart::fill(const std::byte* element) const {
  fill_box(out_, strides_.data(), extent_.data(), extent_.size(), element, element_bytes_);
}

void ChunkPart::copy(const std::byte* chunk) const {
  copy_box(out_, strides_.data(), chunk + inside_, chunk_strides_.data(), extent_.data(), extent_.size(),
           element_bytes_);
}

}  // namespace weft::io
