#include "core/memory/disk.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <ctime>
#include <string>

namespace weft {

namespace {

/// Turns the signal that a write over RLIMIT_FSIZE raises into the plain error EFBIG: blocks it for this thread and
/// takes back one that came meanwhile. The handlers of the application stay as they are.
class FileSizeSignalBlocked {
 public:
  FileSizeSignalBlocked() {
    sigemptyset(&signal_);
    sigaddset(&signal_, SIGXFSZ);
    sigset_t pending;
    was_pending_ = ::sigpending(&pending) == 0 && sigismember(&pending, SIGXFSZ) == 1;
    ::pthread_sigmask(SIG_BLOCK, &signal_, &before_);
  }
  ~FileSizeSignalBlocked() {
    const int keep = errno;
    sigset_t pending;
    if (!was_pending_ && ::sigpending(&pending) == 0 && sigismember(&pending, SIGXFSZ) == 1) {
      const timespec now{};
      while (::sigtimedwait(&signal_, nullptr, &now) == -1 && errno == EINTR) {
      }
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = keep;
  }
  FileSizeSignalBlocked(const FileSizeSignalBlocked&) = delete;
  FileSizeSignalBlocked& operator=(const FileSizeSignalBlocked&) = delete;

 private:
  sigset_t signal_;
  sigset_t before_;
  bool was_pending_ = false;
};

template <class Call>
auto again_if_interrupted(Call call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

int open_and_unlink(const std::string& directory, int flags) {
  static std::atomic<unsigned> count{0};
  for (int round = 0; round < 100; ++round) {
    const std::string path = directory + "/weft-spill-" + std::to_string(::getpid()) + "-" + std::to_string(count++);
    const int file = again_if_interrupted([&] { return ::open(path.c_str(), flags | O_CREAT | O_EXCL, 0600); });
    if (file != -1) {
      ::unlink(path.c_str());
      return file;
    }
    if (errno != EEXIST) return -1;
  }
  return -1;
}

}  // namespace

int Disk::open_nameless(const char* directory, bool direct) {
  const int flags = O_RDWR | O_CLOEXEC | (direct ? O_DIRECT : 0);
  const int file = again_if_interrupted([&] { return ::open(directory, flags | O_TMPFILE, 0600); });
  if (file != -1) return file;
  // EISDIR: a kernel or file system that does not know nameless files.
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) return -1;
  return open_and_unlink(directory, flags);
}

int Disk::close(int file) { return ::close(file); }

ssize_t Disk::write(int file, const iovec* pieces, int count, off_t offset) {
  const FileSizeSignalBlocked blocked;
  return again_if_interrupted([&] { return ::pwritev(file, pieces, count, offset); });
}

ssize_t Disk::read(int file, const iovec* pieces, int count, off_t offset) {
  return again_if_interrupted([&] { return ::preadv(file, pieces, count, offset); });
}

int Disk::punch(int file, off_t offset, off_t bytes) {
  return again_if_interrupted(
      [&] { return ::fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, bytes); });
}

int Disk::truncate(int file, off_t bytes) {
  return again_if_interrupted([&] { return ::ftruncate(file, bytes); });
}

int Disk::make_buffered(int file) {
  const int flags = ::fcntl(file, F_GETFL);
  return flags == -1 ? -1 : ::fcntl(file, F_SETFL, flags & ~O_DIRECT);
}

void Disk::drop_cache(int file, off_t offset, off_t bytes) {
  ::sync_file_range(file, offset, bytes,
                    SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
  ::posix_fadvise(file, offset, bytes, POSIX_FADV_DONTNEED);
}

std::size_t Disk::free_bytes(const char* directory) {
  struct statvfs space {};
  if (::statvfs(directory, &space) != 0) return 0;
  return static_cast<std::size_t>(space.f_bavail) * space.f_frsize;
}

Disk& Disk::system() {
  static Disk disk;
  return disk;
}

}  // namespace weft
