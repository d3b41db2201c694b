#include <weft/tokenize.hpp>

#include "core/memory/checksum.hpp"

#include <fmt/format.h>

namespace weft {

std::string detail::digest_text(const void* bytes, std::size_t size) {
  // Two functions that have nothing in common: CRC32C lanes, and FNV-1a.
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (std::size_t i = 0; i < size; ++i) {
    hash = (hash ^ static_cast<const unsigned char*>(bytes)[i]) * 0x100000001b3u;
  }
  return fmt::format("{:016x}{:016x}", Checksum::of(bytes, size), hash);
}

}  // namespace weft
