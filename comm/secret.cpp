#include "comm/secret.hpp"

#include <weft/error.hpp>

#include <sys/random.h>

#include <cerrno>
#include <cstring>

namespace weft::comm {

void fill_random(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = ::getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw Error(std::string("no random bytes from the system: ") + std::strerror(errno));
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

bool equal_digests(const Digest& a, const Digest& b) {
  std::byte differ{0};
  for (std::size_t i = 0; i < a.size(); ++i) differ |= a[i] ^ b[i];
  return differ == std::byte{0};
}

}  // namespace weft::comm
