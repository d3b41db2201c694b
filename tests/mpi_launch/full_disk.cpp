/// A library to preload: the disk of one worker is full, that of the rank which FULL_DISK_RANK names. For
/// bad_days_test.py.

#include <dlfcn.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace {

using Pwritev = ssize_t (*)(int, const iovec*, int, off_t);

/// Found out as the library is loaded: a worker takes the variable that says what it is out of its environment.
const bool is_full = [] {
  const char* const rank = std::getenv("FULL_DISK_RANK");
  if (rank == nullptr || std::getenv("WEFT_INTERNAL_WORKER") == nullptr) return false;
  // Its supervisor is the rank.
  std::ifstream file("/proc/" + std::to_string(::getppid()) + "/environ");
  const std::string supervisor{std::istreambuf_iterator<char>(file), {}};
  return supervisor.find("OMPI_COMM_WORLD_RANK=" + std::string(rank) + '\0') != std::string::npos;
}();

}  // namespace

extern "C" ssize_t pwritev(int file, const iovec* pieces, int count, off_t offset) {
  if (is_full) {
    static std::atomic<bool> said{false};
    if (!said.exchange(true)) std::fputs("a write was refused: this disk is full\n", stderr);
    errno = ENOSPC;
    return -1;
  }
  static const auto next = reinterpret_cast<Pwritev>(::dlsym(RTLD_NEXT, "pwritev"));
  return next(file, pieces, count, offset);
}
