#pragma once

namespace weft {

/// Prints the broken promise with its place and aborts. Only for the programmer's own faults.
[[noreturn]] void assertion_failed(const char* condition, const char* promise, const char* file, int line) noexcept;

}  // namespace weft

/// States what must hold; checked in every build. For user input and the environment throw weft::Error instead.
#define WEFT_ASSERT(condition, promise)              \
  (__builtin_expect(static_cast<bool>(condition), 1) \
       ? static_cast<void>(0)                        \
       : ::weft::assertion_failed(#condition, promise, __FILE__, __LINE__))
