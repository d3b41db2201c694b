#include "core/scheduler/packets.hpp"

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <new>

namespace weft::machine {

namespace {

constexpr std::uint32_t kMostChunks = 1u << (32 - EdgeChunks::kChunkBits);
constexpr std::uint32_t kMostBlocksInSlab = 32;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

void* allocate_aligned(std::size_t bytes, std::size_t alignment) {
  void* memory = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

BlockPool::~BlockPool() {
  for (void* slab : slabs_) std::free(slab);
}

void* BlockPool::allocate() {
  if (free_.empty()) {
    const std::size_t bytes = next_blocks_ * block_bytes_;
    const bool huge = bytes >= 2 * kHugePage;
    auto* slab = static_cast<std::byte*>(allocate_aligned(bytes, huge ? kHugePage : 64));
    slabs_.push_back(slab);
    if (huge) ::madvise(slab, bytes, MADV_HUGEPAGE);  // a hint: its failure changes nothing
    slab_bytes_ += bytes;
    for (std::uint32_t i = next_blocks_; i-- != 0;) free_.push_back(slab + i * block_bytes_);
    if (next_blocks_ < kMostBlocksInSlab) next_blocks_ *= 2;
  }
  void* block = free_.back();
  free_.pop_back();
  return block;
}

PacketRecord& PacketPages::add(PacketId id) {
  const std::uint32_t index = id >> kPageBits;
  if (index >= pages_.size()) pages_.resize(index + 1);
  Page*& page = pages_[index];
  if (page == nullptr) {
    page = static_cast<Page*>(pool_.allocate());
    for (PacketRecord& record : page->records) record.bits = 0;
    page->known = 0;
  }
  PacketRecord& record = page->records[id & (kPageSize - 1)];
  WEFT_ASSERT(!record.is(packet_bits::kKnown), "an id is used again only after Forget");
  record.bits = packet_bits::kKnown;
  ++page->known;
  return record;
}

void PacketPages::remove(PacketId id) {
  Page*& page = pages_[id >> kPageBits];
  page->records[id & (kPageSize - 1)].bits = 0;
  if (--page->known != 0) return;
  // The page emptied last stays: a stream of single packets would else clear a whole page for each.
  const std::uint32_t index = id >> kPageBits;
  if (spare_ != kNone && spare_ != index && pages_[spare_] != nullptr && pages_[spare_]->known == 0) {
    pool_.release(pages_[spare_]);
    pages_[spare_] = nullptr;
  }
  spare_ = index;
}

EdgeChunks::~EdgeChunks() {
  for (Chunk& chunk : chunks_) {
    if (chunk.run > 1) std::free(chunk.edges);
  }
}

/// Returns the first of `length` consecutive chunk numbers that are free.
std::uint32_t EdgeChunks::find_free_run(std::uint32_t length) {
  std::uint32_t start = search_from_;
  bool wrapped = false;
  for (std::uint32_t found = 0, index = start;; ++index) {
    if (index >= kMostChunks) {
      WEFT_ASSERT(!wrapped, "fewer than four billion edges are live");
      wrapped = true;
      index = start = found = 0;
    }
    const bool free = index >= chunks_.size() || chunks_[index].edges == nullptr;
    if (!free) {
      found = 0;
      start = index + 1;
    } else if (++found == length) {
      search_from_ = start + length;
      return start;
    }
  }
}

void EdgeChunks::begin_chunk(std::uint32_t count) {
  // An empty current chunk would never be freed by release().
  if (current_ != kNone && chunks_[current_].live == 0) {
    const std::uint32_t old = current_;
    current_ = kNone;
    free_chunk(old);
  }
  const std::uint32_t run = (count + kChunkSize - 1) >> kChunkBits;
  const std::uint32_t first = find_free_run(run);
  if (first + run > chunks_.size()) chunks_.resize(first + run);
  Edge* block = nullptr;
  if (run == 1) {
    block = static_cast<Edge*>(pool_.allocate());
  } else {
    block = static_cast<Edge*>(allocate_aligned(run * kChunkBytes, 64));
    large_bytes_ += run * kChunkBytes;
  }
  for (std::uint32_t i = 0; i != run; ++i)
    chunks_[first + i] = {block + std::size_t{i} * kChunkSize, 0, i == 0 ? run : 0};
  current_ = first;
  used_ = 0;
}

void EdgeChunks::free_chunk(std::uint32_t index) {
  if (index == current_) {
    if (chunks_[index].run == 1) {
      used_ = 0;
      return;
    }
    current_ = kNone;
  }
  const std::uint32_t run = chunks_[index].run;
  if (run == 1) {
    pool_.release(chunks_[index].edges);
  } else {
    std::free(chunks_[index].edges);
    large_bytes_ -= run * kChunkBytes;
  }
  for (std::uint32_t i = 0; i != run; ++i) chunks_[index + i] = {};
}

}  // namespace weft::machine
