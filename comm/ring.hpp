#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "comm/shared_segment.hpp"

namespace weft::comm {

// Rings of one writer and one reader in shared memory. Memory orders: the writer stores `written` with release after
// the bytes, the reader loads it with acquire before them; the reader stores `read` with release after it has done with
// the bytes, the writer loads it with acquire before it writes there again. A process that is killed between the bytes
// and the counter has written nothing. Neither side believes the other's counter before it has checked it.

/// Writes records: u32 payload bytes, u8 kind, padding to 8; contiguous, so that they are read in place.
/// Owns: nothing. Threading: one writer.
class RecordWriter {
 public:
  RecordWriter(RingCounters& counters, std::span<std::byte> ring) : counters_(counters), ring_(ring) {}

  /// A record never takes more than a quarter of the ring.
  std::size_t most_payload() const { return ring_.size() / 4 - kHead; }

  /// Returns the place of a payload, or null while there is no room. `commit` makes it a record.
  std::byte* reserve(std::size_t payload, std::uint8_t kind) {
    const std::size_t need = kHead + ((payload + 7) & ~std::size_t{7});
    std::size_t at = position_ & (ring_.size() - 1);
    const std::size_t to_end = ring_.size() - at;
    const std::size_t skip = to_end < need ? to_end : 0;
    if (!room(skip + need)) return nullptr;
    if (skip > 0) {
      head(at, static_cast<std::uint32_t>(skip - kHead), kSkip);
      position_ += skip;
      at = 0;
    }
    head(at, static_cast<std::uint32_t>(payload), kind);
    reserved_ = need;
    return ring_.data() + at + kHead;
  }
  void commit() { position_ += reserved_; }

  std::uint64_t unpublished() const { return position_ - published_; }
  void publish() {
    published_ = position_;
    counters_.written.store(position_, std::memory_order_release);
  }
  bool has_room() { return room(ring_.size() / 4 + kHead); }

  static constexpr std::size_t kHead = 8;
  static constexpr std::uint8_t kSkip = 0xff;

 private:
  bool room(std::size_t bytes) {
    if (position_ + bytes - seen_read_ <= ring_.size()) return true;
    const std::uint64_t read = counters_.read.load(std::memory_order_acquire);
    // A counter that runs ahead or back is not believed: the ring then stays full.
    if (read >= seen_read_ && read <= position_) seen_read_ = read;
    return position_ + bytes - seen_read_ <= ring_.size();
  }
  void head(std::size_t at, std::uint32_t bytes, std::uint8_t kind) {
    const std::uint64_t word = bytes | std::uint64_t{kind} << 32;
    std::memcpy(ring_.data() + at, &word, sizeof word);
  }

  RingCounters& counters_;
  const std::span<std::byte> ring_;
  std::uint64_t position_ = 0;
  std::uint64_t published_ = 0;
  std::uint64_t seen_read_ = 0;
  std::size_t reserved_ = 0;
};

/// Reads the records of a RecordWriter in place.
/// Owns: nothing. Threading: one reader.
class RecordReader {
 public:
  struct Record {
    std::uint8_t kind = 0;
    std::span<const std::byte> payload;
  };

  RecordReader(RingCounters& counters, std::span<const std::byte> ring) : counters_(counters), ring_(ring) {}

  bool readable() const { return counters_.written.load(std::memory_order_relaxed) != position_; }

  /// Returns whether there is a record; it stays in place until `release`.
  bool next(Record& record) {
    for (;;) {
      if (position_ == seen_written_) {
        const std::uint64_t written = counters_.written.load(std::memory_order_acquire);
        if (written == position_) return false;
        if (written < position_ || written - position_ > ring_.size() || (written & 7) != 0) return damage();
        seen_written_ = written;
      }
      const std::size_t at = position_ & (ring_.size() - 1);
      std::uint64_t word;
      std::memcpy(&word, ring_.data() + at, sizeof word);
      const auto bytes = static_cast<std::uint32_t>(word);
      const std::size_t need = RecordWriter::kHead + ((std::size_t{bytes} + 7) & ~std::size_t{7});
      if (need > ring_.size() - at || need > seen_written_ - position_) return damage();
      position_ += need;
      record.kind = static_cast<std::uint8_t>(word >> 32);
      if (record.kind == RecordWriter::kSkip) continue;
      record.payload = {ring_.data() + at + RecordWriter::kHead, bytes};
      return true;
    }
  }
  /// Gives back everything that was read.
  void release() {
    if (released_ == position_) return;
    released_ = position_;
    counters_.read.store(position_, std::memory_order_release);
  }
  /// What was written makes no sense; nothing more is read.
  bool damaged() const { return damaged_; }

 private:
  bool damage() {
    damaged_ = true;
    return false;
  }

  RingCounters& counters_;
  const std::span<const std::byte> ring_;
  std::uint64_t position_ = 0;
  std::uint64_t seen_written_ = 0;
  std::uint64_t released_ = 0;
  bool damaged_ = false;
};

/// A ring of plain bytes, for the data of blocks: the sizes are known from their offers.
/// Owns: nothing. Threading: one writer.
class BytesWriter {
 public:
  BytesWriter(RingCounters& counters, std::span<std::byte> ring) : counters_(counters), ring_(ring) {}

  /// Returns a free and contiguous place of at most so many bytes; empty while there is none.
  std::span<std::byte> place(std::size_t most) {
    const std::uint64_t read = counters_.read.load(std::memory_order_acquire);
    if (read >= seen_read_ && read <= position_) seen_read_ = read;
    const std::size_t room = ring_.size() - (position_ - seen_read_);
    const std::size_t at = position_ & (ring_.size() - 1);
    return ring_.subspan(at, std::min({most, room, ring_.size() - at}));
  }
  void publish(std::size_t bytes) {
    position_ += bytes;
    counters_.written.store(position_, std::memory_order_release);
  }

 private:
  RingCounters& counters_;
  const std::span<std::byte> ring_;
  std::uint64_t position_ = 0;
  std::uint64_t seen_read_ = 0;
};

/// Owns: nothing. Threading: one reader.
class BytesReader {
 public:
  BytesReader(RingCounters& counters, std::span<const std::byte> ring) : counters_(counters), ring_(ring) {}

  bool readable() const { return counters_.written.load(std::memory_order_relaxed) != position_; }
  /// Returns what is there and contiguous, at most so many bytes.
  std::span<const std::byte> piece(std::size_t most) {
    const std::uint64_t written = counters_.written.load(std::memory_order_acquire);
    if (written < position_ || written - position_ > ring_.size()) {
      damaged_ = true;
      return {};
    }
    const std::size_t at = position_ & (ring_.size() - 1);
    return ring_.subspan(at, std::min({most, static_cast<std::size_t>(written - position_), ring_.size() - at}));
  }
  void release(std::size_t bytes) {
    position_ += bytes;
    counters_.read.store(position_, std::memory_order_release);
  }
  bool damaged() const { return damaged_; }

 private:
  RingCounters& counters_;
  const std::span<const std::byte> ring_;
  std::uint64_t position_ = 0;
  bool damaged_ = false;
};

}  // namespace weft::comm
