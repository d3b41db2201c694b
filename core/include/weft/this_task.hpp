#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace weft {
class Client;
}

namespace weft::this_task {

namespace detail {
void call_without_slot(void (*call)(void*), void* argument);
}

/// Returns the client that runs the task, so that it can submit others; throws Error outside of tasks.
const Client& client();

/// Returns whether the calling thread runs a task.
bool running() noexcept;
/// Returns whether somebody asked to cancel the running task, so that a long one can end early by throwing or
/// returning.
bool cancelled();
/// Returns the slot that runs the task; 0 outside of tasks.
unsigned slot() noexcept;

/// Calls `function` while the task's slot runs other tasks, and returns what it returns: for what waits for a network,
/// a disk or another program and takes no processor. Inside of it no task runs: nothing can be submitted there. Where
/// there is no other thread (sync), or outside of tasks, it is a plain call.
template <class F>
decltype(auto) secede(F&& function) {
  using Result = std::invoke_result_t<F&>;
  if constexpr (std::is_void_v<Result>) {
    detail::call_without_slot([](void* call) { (*static_cast<std::remove_reference_t<F>*>(call))(); },
                              const_cast<void*>(static_cast<const void*>(std::addressof(function))));
  } else {
    std::optional<std::decay_t<Result>> result;
    auto keep = [&] { result.emplace(function()); };
    detail::call_without_slot([](void* call) { (*static_cast<decltype(keep)*>(call))(); }, &keep);
    return std::decay_t<Result>(std::move(*result));
  }
}

}  // namespace weft::this_task
