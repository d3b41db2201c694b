#include "core/scheduler/packets.hpp"

#include <cstdlib>
#include <new>

namespace weft::machine {

namespace {

constexpr std::size_t kSpareBlocks = 8;
constexpr std::uint32_t kMostChunks = 1u << (32 - EdgeChunks::kChunkBits);

void* allocate_block(std::size_t bytes) {
  constexpr std::size_t kAlignment = 4096;
  void* block = std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

}  // namespace

void PacketPages::Free::operator()(Page* page) const { std::free(page); }

PacketPages::PagePointer PacketPages::make_page() {
  auto* page = static_cast<Page*>(allocate_block(sizeof(Page)));
  for (PacketRecord& record : page->records) record.bits = 0;
  page->known = 0;
  return PagePointer(page);
}

PacketRecord& PacketPages::add(PacketId id) {
  const std::uint32_t index = id >> kPageBits;
  if (index >= pages_.size()) pages_.resize(index + 1);
  PagePointer& page = pages_[index];
  if (!page) {
    if (spare_.empty()) {
      page = make_page();
    } else {
      page = std::move(spare_.back());
      spare_.pop_back();
    }
    ++page_total_;
  }
  PacketRecord& record = page->records[id & (kPageSize - 1)];
  WEFT_ASSERT(!record.is(packet_bits::kKnown), "an id is used again only after Forget");
  record.bits = packet_bits::kKnown;
  ++page->known;
  return record;
}

void PacketPages::remove(PacketId id) {
  PagePointer& page = pages_[id >> kPageBits];
  page->records[id & (kPageSize - 1)].bits = 0;
  if (--page->known != 0) return;
  --page_total_;
  if (spare_.size() < kSpareBlocks) {
    spare_.push_back(std::move(page));
  } else {
    page.reset();
  }
}

std::uint64_t PacketPages::memory_bytes() const {
  return (page_total_ + spare_.size()) * sizeof(Page) + pages_.capacity() * sizeof(PagePointer);
}

EdgeChunks::~EdgeChunks() {
  for (Chunk& chunk : chunks_) {
    if (chunk.run != 0) std::free(chunk.edges);
  }
  for (Edge* block : spare_) std::free(block);
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
  if (run == 1 && !spare_.empty()) {
    block = spare_.back();
    spare_.pop_back();
  } else {
    block = static_cast<Edge*>(allocate_block(std::size_t{run} * kChunkSize * sizeof(Edge)));
  }
  for (std::uint32_t i = 0; i != run; ++i) chunks_[first + i] = {block + std::size_t{i} * kChunkSize, 0, i == 0 ? run : 0};
  chunk_total_ += run;
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
  if (run == 1 && spare_.size() < kSpareBlocks) {
    spare_.push_back(chunks_[index].edges);
  } else {
    std::free(chunks_[index].edges);
  }
  for (std::uint32_t i = 0; i != run; ++i) chunks_[index + i] = {};
  chunk_total_ -= run;
}

}  // namespace weft::machine
