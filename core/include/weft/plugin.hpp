#pragma once

#include <weft/callable.hpp>
#include <weft/client.hpp>

#include <memory>
#include <source_location>
#include <string>

namespace weft {

namespace detail {

struct NothingToDo {
  void operator()() const {}
};

/// Calls a callable that has travelled as an encoding.
template <class F>
void call_travelled(Reader& reader) {
  const F function = decode_callable<F>(reader);
  static_cast<void>(function());
}

/// Appends a callable with what finds the call of it again in another process.
template <class F>
void write_call(Writer& writer, const F& function, const std::source_location& where) {
  static_assert(std::is_invocable_v<const F&>, "weft: WorkerPlugin: setup and teardown are called without arguments");
  require_callable_travels<F>();
  Writer own;
  encode_address(own, reinterpret_cast<const void*>(&call_travelled<F>));
  encode_callable(own, function, where);
  writer.count(own.size());
  writer.bytes(own.data(), own.size());
}

}  // namespace detail

/// Prepares each worker of a client, those that join later or come back too, before any task runs there:
///
///     WorkerPlugin licences(client, "licences", [] { open_licences(); }, [] { close_licences(); });
///
/// The constructor returns when `setup` has been called once in the process of each worker that is there, and throws
/// what it threw. In a worker that joins, what it throws is logged, noted among the events of "workers", and that
/// worker leaves again. `teardown` is called when the plugin ends, or when its worker or its client does, whichever
/// comes first; what it throws is logged. Both must travel, as a task's function must. For what happens in the
/// scheduler there are Subscriptions to "workers" and "failures". Made in the program itself, not in tasks. Owns: a
/// share of what it notes.  Threading: any thread makes and ends it; setup runs in the workers' threads.
class WorkerPlugin {
 public:
  template <class Setup, class Teardown = detail::NothingToDo>
  WorkerPlugin(const Client& client, const std::string& name, const Setup& setup, const Teardown& teardown = {},
               const std::source_location& where = std::source_location::current()) {
    Writer calls;
    detail::write_call<std::decay_t<Setup>>(calls, setup, where);
    detail::write_call<std::decay_t<Teardown>>(calls, teardown, where);
    open(client, name, std::string(reinterpret_cast<const char*>(calls.data()), calls.size()), where);
  }
  /// Waits until `teardown` has been called on each worker.
  ~WorkerPlugin();
  WorkerPlugin(const WorkerPlugin&) = delete;
  WorkerPlugin& operator=(const WorkerPlugin&) = delete;

 private:
  void open(const Client& client, const std::string& name, const std::string& calls, const std::source_location& where);

  std::uint32_t client_ = 0;
  /// Tells it from all others of the workers' processes.
  std::string key_;
};

}  // namespace weft
