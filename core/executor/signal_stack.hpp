#pragma once

#include <cstddef>

namespace weft {

/// A stack of its own for the handlers of signals (SA_ONSTACK) of the thread that makes it: so that a task which has
/// used its stack up can still be named.
/// Owns: the memory, until it ends, on the same thread.  Threading: one thread.
class SignalStack {
 public:
  SignalStack() noexcept;
  ~SignalStack();
  SignalStack(const SignalStack&) = delete;
  SignalStack& operator=(const SignalStack&) = delete;

 private:
  void* memory_ = nullptr;  // null: the thread has one already, or none can be had
};

}  // namespace weft
