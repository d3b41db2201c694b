#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>

namespace weft {

/// The system calls that spilling makes, so that a test can make a disk full, slow or faulty.
/// Every function is as its system call: -1 and errno on failure.
/// Owns: nothing.  Threading: any thread.
class Disk {
 public:
  virtual ~Disk() = default;

  /// Opens a new file without a name in `directory` (created, then unlinked at once where the file system cannot make
  /// nameless ones), so that nothing is left of it after any kind of end.
  virtual int open_nameless(const char* directory, bool direct);
  virtual int close(int file);
  virtual ssize_t write(int file, const iovec* pieces, int count, off_t offset);
  virtual ssize_t read(int file, const iovec* pieces, int count, off_t offset);
  /// Gives the blocks of a range back to the file system; the file keeps its length.
  virtual int punch(int file, off_t offset, off_t bytes);
  virtual int truncate(int file, off_t bytes);
  /// Takes O_DIRECT from an open file.
  virtual int make_buffered(int file);
  /// Writes a range through and forgets the cached pages; for files that are not direct.
  virtual void drop_cache(int file, off_t offset, off_t bytes);
  /// Returns the free bytes of the file system for this user, 0 if unknown.
  virtual std::size_t free_bytes(const char* directory);

  static Disk& system();
};

}  // namespace weft
