#include "core/executor/signal_stack.hpp"

#include <sys/mman.h>

#include <csignal>

namespace weft {

namespace {
constexpr std::size_t kBytes = std::size_t{64} << 10;
}

SignalStack::SignalStack() noexcept {
  stack_t before{};
  if (::sigaltstack(nullptr, &before) != 0 || (before.ss_flags & SS_DISABLE) == 0) return;
  void* const memory = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  stack_t own{};
  own.ss_sp = memory;
  own.ss_size = kBytes;
  if (::sigaltstack(&own, nullptr) == 0) {
    memory_ = memory;
  } else {
    ::munmap(memory, kBytes);
  }
}

SignalStack::~SignalStack() {
  if (memory_ == nullptr) return;
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  if (::sigaltstack(&none, nullptr) == 0) ::munmap(memory_, kBytes);
}

}  // namespace weft
