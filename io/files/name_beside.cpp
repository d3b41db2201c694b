#include "io/files/name_beside.hpp"

#include <unistd.h>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <random>

namespace weft::io {

std::string name_beside(const std::string& path) {
  // Process numbers repeat from machine to machine, and in containers their names do, too.
  static const std::uint32_t here = std::random_device{}();
  static std::atomic<unsigned> next{0};
  char ending[64];
  std::snprintf(ending, sizeof ending, ".part-%08x-%d-%u", here, static_cast<int>(::getpid()), next.fetch_add(1));
  return path + ending;
}

}  // namespace weft::io
