#pragma once

#include "core/memory/disk.hpp"

#include <weft/buffer.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace weft {

/// Where bytes lie in a spill file, and how to know them again.
struct SpillTicket {
  static constexpr std::uint32_t kNoSegment = 0xffff'ffffu;

  std::uint32_t segment = kNoSegment;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::uint64_t checksum = 0;

  bool valid() const { return segment != kNoSegment; }
};

struct SpillFileOptions {
  std::string directory;
  /// Length at which a segment is closed for writing; larger for each 32 segments that live, so that files stay few.
  std::size_t segment_bytes = std::size_t{512} << 20;
  /// Pass the page cache by where the file system can.
  bool direct = true;
  Disk* disk = &Disk::system();
};

struct SpillFileCounts {
  /// Of living tickets, and with the freed ranges that the disk still holds.
  std::size_t live_bytes = 0;
  std::size_t disk_bytes = 0;
  std::size_t segments = 0;
  std::size_t written_bytes = 0;
  std::size_t read_bytes = 0;
  /// Time in which at least one write, or read, was under way.
  double write_seconds = 0;
  double read_seconds = 0;
  bool direct = false;

  double write_rate() const { return write_seconds > 0 ? static_cast<double>(written_bytes) / write_seconds : 0; }
  double read_rate() const { return read_seconds > 0 ? static_cast<double>(read_bytes) / read_seconds : 0; }
};

/// Keeps bytes on a disk of this node in a few large files without names: nothing is left of them after any end.
///
/// Every piece begins at a block of 4 KiB, so that page-aligned buffers go to the disk as they are; other bytes pass
/// through a bounce buffer. Freed ranges are given back by punching holes once they add up to half a segment (or, where
/// the file system cannot, are written again), and a segment without living bytes is closed: the disk holds the living
/// bytes and at most a segment more.
/// Owns: the open files and a bounce buffer of 2 MiB for each thread that wrote or read at once.
/// Threading: any thread; mutex_ guards the map of the files and is not held while bytes move. A ticket is read or
/// freed by one thread at a time.
class SpillFile {
 public:
  static constexpr std::size_t kBlock = 4096;

  /// Throws MemoryError where no file can be made in the directory.
  explicit SpillFile(SpillFileOptions options);
  ~SpillFile();
  SpillFile(const SpillFile&) = delete;
  SpillFile& operator=(const SpillFile&) = delete;

  /// Writes pieces side by side, in one go if they fit a segment, and gives a ticket for each. Throws MemoryError and
  /// keeps nothing of them when the disk is full or fails; earlier tickets stay good.
  void write(std::span<const std::span<const std::byte>> pieces, std::span<SpillTicket> tickets);
  SpillTicket write(std::span<const std::byte> bytes);
  /// Reads back what was written; `into` has the ticket's size. Throws MemoryError on damaged bytes.
  void read(const SpillTicket& ticket, std::span<std::byte> into);
  void free(const SpillTicket& ticket) noexcept;
  /// Gives all freed ranges back to the file system now.
  void punch_freed() noexcept;

  /// Writes and reads `bytes` of noise once, so that a rate can be told before anything was spilled.
  void measure(std::size_t bytes = std::size_t{32} << 20);

  const std::string& directory() const { return options_.directory; }
  SpillFileCounts counts() const;

 private:
  struct Segment {
    int file = -1;
    std::uint64_t end = 0;
    std::uint64_t limit = 0;
    std::uint64_t live = 0;
    // Freed and not yet given back: offset and length, neighbours joined.
    std::map<std::uint64_t, std::uint64_t> freed;
  };
  struct Extent {
    std::uint32_t segment = 0;
    int file = -1;
    std::uint64_t offset = 0;
  };
  /// Adds up the time in which something was under way.
  struct Meter {
    int active = 0;
    double since = 0;
    double seconds = 0;
    std::size_t bytes = 0;

    void begin(double now);
    void end(double now, std::size_t moved);
  };
  class Bounce;
  class Writing;

  Extent reserve(std::uint64_t bytes);
  bool reserve_freed(std::uint64_t bytes, Extent& extent);
  std::uint32_t open_segment(std::uint64_t bytes);
  void give_back(std::uint32_t segment, std::uint64_t offset, std::uint64_t bytes) noexcept;
  void note_freed(Segment& segment, std::uint64_t offset, std::uint64_t bytes);
  void punch_locked() noexcept;
  void write_extent(const Extent& extent, std::span<const std::span<const std::byte>> pieces,
                    std::span<SpillTicket> tickets);
  void write_once(std::span<const std::span<const std::byte>> pieces, std::span<SpillTicket> tickets,
                  std::uint64_t bytes);
  void read_aligned(const Extent& extent, std::span<std::byte> into, Bounce& bounce);
  void read_bounced(const Extent& extent, std::span<std::byte> into, Bounce& bounce);
  void read_blocks(int file, std::span<iovec> list, std::uint64_t offset);
  [[noreturn]] void fail(int error_number, std::uint64_t wanted) const;

  // Constant after construction.
  const SpillFileOptions options_;
  Disk& disk_;
  // Guarded by mutex_.
  mutable std::mutex mutex_;
  std::vector<Segment> segments_;
  std::uint32_t open_ = SpillTicket::kNoSegment;
  std::uint64_t freed_bytes_ = 0;
  bool punches_ = true;
  bool direct_ = true;
  Meter writing_;
  Meter reading_;
  std::vector<Buffer> bounces_;
};

}  // namespace weft
