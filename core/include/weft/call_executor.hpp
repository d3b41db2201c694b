#pragma once

#include <weft/client.hpp>

#include <memory>
#include <ranges>
#include <vector>

namespace weft {

/// For libraries that take an executor: what is submitted through it runs on a client, and `shutdown` waits for it.
///
///     CallExecutor executor = get_executor(client, {.retries = 2});
///     Future<double> one = executor.submit(f, x);
///     for (const Future<double>& each : executor.map(f, items)) use(each.result());
///     executor.shutdown();                         // or its end: waits for all of them
///
/// Owns: a use of what was submitted and has not ended.  Threading: any thread submits; one ends it. It must end before
/// its client does.
class CallExecutor : private detail::Submitting {
 public:
  explicit CallExecutor(const Client& client, TaskOptions options = {});
  /// The client of a future, whichever that is.
  explicit CallExecutor(const Handle& future, TaskOptions options = {});
  CallExecutor(CallExecutor&&) = default;
  CallExecutor& operator=(CallExecutor&&) = delete;
  ~CallExecutor();

#define WEFT_CALL(TYPES, PARAMETERS, ARGUMENTS)                                                                     \
  /** Starts a call and returns its future. Throws Error after `shutdown`. */                                       \
  template <class F TYPES>                                                                                          \
  auto submit(F&& function PARAMETERS, const std::source_location& where = std::source_location::current()) const { \
    require_running();                                                                                              \
    auto future = submit_at(where, std::forward<F>(function) ARGUMENTS);                                            \
    note(future);                                                                                                   \
    return future;                                                                                                  \
  }                                                                                                                 \
  /** Starts one call for each element and returns their futures in order. */                                       \
  template <class F, std::ranges::input_range Range TYPES>                                                          \
  auto map(const F& function, Range&& items PARAMETERS,                                                             \
           const std::source_location& where = std::source_location::current()) const {                             \
    require_running();                                                                                              \
    auto futures = map_at(where, function, std::forward<Range>(items) ARGUMENTS);                                   \
    for (const auto& future : futures) note(future);                                                                \
    return futures;                                                                                                 \
  }
#include <weft/call_overloads.def>
#undef WEFT_CALL

  struct Shutdown {
    /// Returns when all that was submitted has ended; failures are for who reads the futures.
    bool wait = true;
    /// Cancels first what has not begun.
    bool cancel_futures = false;
  };
  /// Takes no more calls.
  void shutdown(const Shutdown& how) const;
  void shutdown() const { shutdown(Shutdown{}); }

 private:
  struct Running;
  void require_running() const;
  void note(const Handle& future) const;

  std::unique_ptr<Running> running_;
};

/// Returns an executor of the client, or of the client that a future is of.
inline CallExecutor get_executor(const Client& client, TaskOptions options = {}) {
  return CallExecutor(client, std::move(options));
}
inline CallExecutor get_executor(const Handle& future, TaskOptions options = {}) {
  return CallExecutor(future, std::move(options));
}

}  // namespace weft
