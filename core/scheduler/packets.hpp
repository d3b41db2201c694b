#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/diagnostics/assert.hpp"
#include "core/messages/packet.hpp"

namespace weft::machine {

/// The bits of PacketRecord::bits, beside those of PacketSpec::flags.
namespace packet_bits {
inline constexpr std::uint8_t kKnown = 1;        // the slot is in use
inline constexpr std::uint8_t kCopies = 2;       // replicas_ has an entry
inline constexpr std::uint8_t kRecalled = 4;     // a recall of this attempt is unanswered
inline constexpr std::uint8_t kSettled = 8;      // a recall of this attempt was refused
inline constexpr std::uint8_t kDoubted = 16;     // a consumer did not find this attempt once
inline constexpr std::uint8_t kRefused = 32;     // the client knows that nobody can run it
inline constexpr std::uint8_t kParked = 64;      // Ready, but in no queue: nobody can run it
inline constexpr std::uint8_t kNoLineage = 128;  // its inputs are no longer known
}  // namespace packet_bits

/// The bits of PacketRecord::traits: whether the details are worth a look.
namespace packet_traits {
inline constexpr std::uint8_t kAffinity = 1;   // has neighbours
inline constexpr std::uint8_t kLearn = 2;      // its time was unknown: the layer learns from it
inline constexpr std::uint8_t kDeadEdges = 4;  // some edges in its list of readers are of consumers that are forgotten
inline constexpr std::uint8_t kHasTails = 8;   // tails were split off it: SchedulerState::tails has an entry
inline constexpr std::uint8_t kMoved = 16;  // counts how often a worker gave it up, up to kMovedMost: not stolen then,
inline constexpr std::uint8_t kMovedMost = 48;  // or it could go round for ever
inline constexpr std::uint8_t kPart = 64;       // was taken out of a packet that may be a killer: reads what it reads
inline constexpr std::uint8_t kEnded = 128;     // has nothing to run: if it is needed again, it is InMemory at kKeeper
}  // namespace packet_traits

/// What the scheduler touches on every event about a packet: one cache line.
struct alignas(64) PacketRecord {
  std::uint32_t first_edge;
  std::uint32_t edge_count;
  std::uint32_t readers;        // first edge of the list of readers, see Edge
  std::uint32_t readers_epoch;  // counts how often that list was dropped
  std::uint32_t linked;         // how many known packets read it
  std::uint32_t open;           // how many of them are unfinished: cached size of a set, see check_invariants()
  std::uint32_t waiting;        // of an unfinished packet: inputs that are neither Running nor InMemory
  WorkerId worker;              // where it runs or is kept
  std::uint32_t position;       // in its worker's queue, while it runs
  std::uint32_t kind;           // its class in the ready queue
  std::int32_t priority;
  float expected_ns;
  float output_bytes;
  float peak_bytes;
  Attempt attempt;
  PacketState state;
  std::uint8_t flags;
  std::uint8_t bits;
  std::uint8_t retries;
  std::uint8_t kills;
  std::uint8_t traits;

  [[nodiscard]] bool has(std::uint8_t flag) const { return (flags & flag) != 0; }
  [[nodiscard]] bool is(std::uint8_t bit) const { return (bits & bit) != 0; }
  [[nodiscard]] bool wanted() const { return has(packet_flags::kWanted); }
  [[nodiscard]] bool needed() const { return open != 0 || wanted(); }
  [[nodiscard]] bool available() const { return state == PacketState::Running || state == PacketState::InMemory; }
  [[nodiscard]] bool is_kept_at(WorkerId place) const { return state == PacketState::InMemory && worker == place; }
  [[nodiscard]] bool unfinished() const {
    return state == PacketState::Waiting || state == PacketState::Ready || state == PacketState::Running;
  }
};
static_assert(sizeof(PacketRecord) == 64);

/// What is needed only to deal the packet.
struct PacketDetails {
  TaskId first_task;
  std::uint32_t task_count;
  std::uint32_t layer;
  std::uint32_t affinity;
  Nanoseconds expected_ns;
  std::uint64_t output_bytes;
  std::uint64_t peak_bytes;
  PacketId age;
  std::uint32_t turn;
};

/// Blocks of one size, visited at random: carved from larger and larger slabs, large ones on huge pages, which saves
/// most misses of address translation. Blocks are used again; slabs stay until the end.
/// Owns: the slabs.  Threading: none.
class BlockPool {
 public:
  explicit BlockPool(std::size_t block_bytes) : block_bytes_((block_bytes + 63) / 64 * 64) {}
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  void* allocate();
  void release(void* block) { free_.push_back(block); }
  [[nodiscard]] std::uint64_t memory_bytes() const { return slab_bytes_; }

 private:
  const std::size_t block_bytes_;
  std::vector<void*> slabs_;
  std::vector<void*> free_;  // last one is used next
  std::uint64_t slab_bytes_ = 0;
  std::uint32_t next_blocks_ = 1;
};

/// Packets by id, in pages that go when all their packets have gone.
/// Owns: the pages.  Threading: none.
class PacketPages {
 public:
  static constexpr std::uint32_t kPageBits = 12;
  static constexpr std::uint32_t kPageSize = 1u << kPageBits;

  PacketPages() = default;
  PacketPages(const PacketPages&) = delete;
  PacketPages& operator=(const PacketPages&) = delete;

  [[nodiscard]] bool knows(PacketId id) const { return find(id) != nullptr; }
  /// The record of a known packet, else nullptr.
  [[nodiscard]] PacketRecord* find(PacketId id) const {
    const std::uint32_t page = id >> kPageBits;
    if (page >= pages_.size() || pages_[page] == nullptr) return nullptr;
    PacketRecord& record = pages_[page]->records[id & (kPageSize - 1)];
    return record.is(packet_bits::kKnown) ? &record : nullptr;
  }
  PacketRecord& operator[](PacketId id) { return pages_[id >> kPageBits]->records[id & (kPageSize - 1)]; }
  const PacketRecord& operator[](PacketId id) const { return pages_[id >> kPageBits]->records[id & (kPageSize - 1)]; }
  PacketDetails& details(PacketId id) { return pages_[id >> kPageBits]->details[id & (kPageSize - 1)]; }
  const PacketDetails& details(PacketId id) const { return pages_[id >> kPageBits]->details[id & (kPageSize - 1)]; }

  void prefetch(PacketId id) const {
    const std::uint32_t page = id >> kPageBits;
    if (page < pages_.size() && pages_[page] != nullptr) {
      __builtin_prefetch(&pages_[page]->records[id & (kPageSize - 1)], 1);
    }
  }

  /// Makes room for a packet that is not known; its record is not initialised but for kKnown.
  PacketRecord& add(PacketId id);
  void remove(PacketId id);

  /// Calls `look(id, record)` for each known packet, in the order of their ids.
  template <class Look>
  void for_each(Look&& look) const {
    for (std::uint32_t page = 0; page != pages_.size(); ++page) {
      if (pages_[page] == nullptr) continue;
      for (std::uint32_t i = 0; i != kPageSize; ++i) {
        PacketRecord& record = pages_[page]->records[i];
        if (record.is(packet_bits::kKnown)) look((page << kPageBits) | i, record);
      }
    }
  }
  [[nodiscard]] std::uint64_t memory_bytes() const { return pool_.memory_bytes() + pages_.capacity() * sizeof(Page*); }

 private:
  struct Page {
    PacketRecord records[kPageSize];
    PacketDetails details[kPageSize];
    std::uint32_t known;
  };

  BlockPool pool_{sizeof(Page)};
  std::vector<Page*> pages_;
  std::uint32_t spare_ = kNone;
};

/// "consumer reads `bytes` of producer". Lies with the consumer's other edges.
///
/// While the consumer is unfinished, the edge is also in the producer's list of readers. That list is only ever added
/// to, so that neither adding nor ending touches a neighbour. It may hold edges of consumers that have finished since,
/// which are passed over, and dead ones (consumer kNone) of consumers that are forgotten, which keep their place in
/// memory until the list is purged of them. When nobody unfinished reads the producer the whole list is dropped: its
/// epoch moves on. So an edge is in the list exactly if there is one and the epochs agree.
struct Edge {
  PacketId producer;
  PacketId consumer;
  std::uint32_t next;   // in the list of readers
  std::uint32_t epoch;  // of that list
  float bytes;
};

/// Edges by id; those of one consumer are contiguous. Chunks go when all their edges have been given back.
/// Owns: the chunks.  Threading: none.
class EdgeChunks {
 public:
  static constexpr std::uint32_t kChunkBits = 14;
  static constexpr std::uint32_t kChunkSize = 1u << kChunkBits;

  EdgeChunks() = default;
  ~EdgeChunks();
  EdgeChunks(const EdgeChunks&) = delete;
  EdgeChunks& operator=(const EdgeChunks&) = delete;

  Edge& operator[](std::uint32_t id) { return chunks_[id >> kChunkBits].edges[id & (kChunkSize - 1)]; }
  const Edge& operator[](std::uint32_t id) const { return chunks_[id >> kChunkBits].edges[id & (kChunkSize - 1)]; }

  /// Returns the id of the first of `count` > 0 contiguous edges, uninitialised.
  std::uint32_t allocate(std::uint32_t count) {
    if (count > kChunkSize - used_ || current_ == kNone) begin_chunk(count);
    const std::uint32_t first = (current_ << kChunkBits) + used_;
    used_ = count < kChunkSize - used_ ? used_ + count : kChunkSize;
    chunks_[current_].live += count;
    return first;
  }

  /// Gives back `count` of the edges that one allocate() returned, of which `id` is one. They may be given back one by
  /// one in any order.
  void release(std::uint32_t id, std::uint32_t count) {
    std::uint32_t index = id >> kChunkBits;
    while (chunks_[index].run == 0) --index;  // an edge of one large packet
    chunks_[index].live -= count;
    if (chunks_[index].live == 0) free_chunk(index);
  }

  void prefetch(std::uint32_t id) const {
    if (id != kNone) __builtin_prefetch(&chunks_[id >> kChunkBits].edges[id & (kChunkSize - 1)], 1);
  }
  /// The edges of one consumer.
  [[nodiscard]] const Edge* block(std::uint32_t first) const {
    return &chunks_[first >> kChunkBits].edges[first & (kChunkSize - 1)];
  }
  [[nodiscard]] Edge* block(std::uint32_t first) {
    return &chunks_[first >> kChunkBits].edges[first & (kChunkSize - 1)];
  }

  [[nodiscard]] std::uint64_t memory_bytes() const { return pool_.memory_bytes() + large_bytes_; }

 private:
  struct Chunk {
    Edge* edges = nullptr;  // of a run of chunks for one large packet: into the first one's block
    std::uint32_t live = 0;
    std::uint32_t run = 0;  // how many chunks the block spans; 0 for one that follows
  };

  void begin_chunk(std::uint32_t count);
  void free_chunk(std::uint32_t index);
  std::uint32_t find_free_run(std::uint32_t length);

  static constexpr std::size_t kChunkBytes = kChunkSize * sizeof(Edge);

  BlockPool pool_{kChunkBytes};
  std::vector<Chunk> chunks_;
  std::uint32_t current_ = kNone;
  std::uint32_t used_ = 0;
  std::uint32_t search_from_ = 0;
  std::uint64_t large_bytes_ = 0;  // in blocks of several chunks
};

}  // namespace weft::machine
