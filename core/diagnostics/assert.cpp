#include "core/diagnostics/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace weft {

void assertion_failed(const char* condition, const char* promise, const char* file, int line) noexcept {
  std::fprintf(stderr, "weft: internal error: %s (%s) at %s:%d\n", promise, condition, file, line);
  std::abort();
}

}  // namespace weft
