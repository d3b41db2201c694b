#pragma once

#include "core/memory/disk.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>

namespace weft {

/// The real disk with faults on demand.
class FaultyDisk final : public Disk {
 public:
  /// Calls fail with this errno while it is not 0.
  std::atomic<int> open_error{0};
  std::atomic<int> write_error{0};
  std::atomic<int> read_error{0};
  std::atomic<int> punch_error{0};
  /// Refuses O_DIRECT at opening, or only when bytes are written.
  std::atomic<bool> refuse_direct_open{false};
  std::atomic<bool> refuse_direct_write{false};
  /// Moves at most this many bytes in a call.
  std::atomic<std::size_t> most_at_once{~std::size_t{0}};
  /// Flips one bit of what is read.
  std::atomic<bool> damage{false};
  /// Bytes this disk has room for; a write beyond gives ENOSPC.
  std::atomic<std::size_t> room{~std::size_t{0}};

  /// Writes wait while this is true; `held_writes` have begun to.
  std::atomic<bool> hold_writes{false};
  std::atomic<int> held_writes{0};

  std::atomic<std::size_t> writes{0};
  std::atomic<std::size_t> reads{0};
  std::atomic<std::size_t> bytes_written{0};
  std::atomic<std::size_t> bytes_punched{0};

  int open_nameless(const char* directory, bool direct) override {
    if (open_error != 0) return failed(open_error);
    if (direct && refuse_direct_open) return failed(EINVAL);
    return Disk::open_nameless(directory, direct && !refuse_direct_write);
  }
  ssize_t write(int file, const iovec* pieces, int count, off_t offset) override {
    if (hold_writes) {
      ++held_writes;
      hold_writes.wait(true);
    }
    if (write_error != 0) return failed(write_error);
    if (refuse_direct_write && !buffered) return failed(EINVAL);
    if (bytes_written >= room) return failed(ENOSPC);
    ++writes;
    iovec first = pieces[0];
    if (first.iov_len > most_at_once) {
      first.iov_len = most_at_once;
      return counted(Disk::write(file, &first, 1, offset));
    }
    return counted(Disk::write(file, pieces, most_at_once == ~std::size_t{0} ? count : 1, offset));
  }
  ssize_t read(int file, const iovec* pieces, int count, off_t offset) override {
    if (read_error != 0) return failed(read_error);
    ++reads;
    iovec first = pieces[0];
    const bool part = first.iov_len > most_at_once;
    if (part) first.iov_len = most_at_once;
    const ssize_t done = part ? Disk::read(file, &first, 1, offset) : Disk::read(file, pieces, count, offset);
    if (done > 0 && damage) *static_cast<unsigned char*>(first.iov_base) ^= 4;
    return done;
  }
  int punch(int file, off_t offset, off_t bytes) override {
    if (punch_error != 0) return failed(punch_error);
    bytes_punched += static_cast<std::size_t>(bytes);
    return Disk::punch(file, offset, bytes);
  }
  int make_buffered(int file) override {
    buffered = true;
    return Disk::make_buffered(file);
  }

 private:
  static int failed(int error_number) {
    errno = error_number;
    return -1;
  }
  ssize_t counted(ssize_t done) {
    if (done > 0) bytes_written += static_cast<std::size_t>(done);
    return done;
  }

  std::atomic<bool> buffered{false};
};

}  // namespace weft
