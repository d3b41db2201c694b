#pragma once

#include <sys/resource.h>

#include <cerrno>
#include <cstdint>
#include <limits>

namespace weft::io {

/// Tells whether a file of this process may be `size` long (`ulimit -f`), and sets errno to EFBIG where it may not. A
/// call that went beyond would end the process by a signal before it could say why.
inline bool within_size_limit(std::uint64_t size) noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || size <= limit.rlim_cur) return true;
  errno = EFBIG;
  return false;
}

}  // namespace weft::io
