#include <weft/plugin.hpp>

#include "core/client/open_plugin.hpp"
#include "core/diagnostics/error_report.hpp"
#include "core/executor/executor.hpp"
#include "core/executor/slot.hpp"
#include "core/runtime/plugins.hpp"
#include "core/runtime/runtime.hpp"

#include <weft/error.hpp>
#include <weft/log.hpp>
#include <weft/this_task.hpp>

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

namespace weft {
namespace {

/// The tasks that reach workers which are there already.
struct SetUpPlugin {
  void operator()(const std::string& description) const { plugins::set_up(current_slot()->executor(), description); }
};
struct TakeDownPlugin {
  void operator()(const std::string& key) const { plugins::take_down(current_slot()->executor(), key); }
};

/// Calls of one worker, before whatever else waits there.
class UrgentCalls : public detail::Submitting {
 public:
  UrgentCalls(Runtime& runtime, const std::string& worker)
      : Submitting(&runtime, runtime.serial(),
                   std::make_shared<const TaskOptions>(TaskOptions{.priority = kPriority, .workers = {worker}})) {}

 private:
  static constexpr int kPriority = 1'000'000;
};

bool is_there(Runtime& runtime, const std::string& name) {
  const std::vector<WorkerInfo> workers = runtime.worker_infos();
  return std::any_of(workers.begin(), workers.end(), [&](const WorkerInfo& worker) { return worker.name == name; });
}

/// Calls `F{}(argument)` once on each worker and waits for all. Throws what the first one threw; a worker that has gone
/// meanwhile has nothing to say.
template <class F>
void call_on_all(Runtime& runtime, const std::source_location& where, const std::string& argument) {
  std::vector<std::pair<std::string, Future<Nothing>>> calls;
  for (const WorkerInfo& worker : runtime.worker_infos()) {
    // A copy that is moved in: no user could do without it, as the warning of large arguments asks.
    calls.emplace_back(worker.name, UrgentCalls(runtime, worker.name).submit_at(where, F{}, std::string(argument)));
  }
  std::exception_ptr first;
  for (const auto& [worker, call] : calls) {
    const std::exception_ptr thrown = call.exception();
    if (thrown != nullptr && first == nullptr && is_there(runtime, worker)) first = thrown;
  }
  if (first != nullptr) std::rethrow_exception(first);
}

std::string fresh_key(std::uint32_t client) {
  static std::atomic<std::uint64_t> next{0};
  return std::to_string(client) + '/' + std::to_string(next.fetch_add(1));
}

}  // namespace

/// 1. Who joins from now on is told of it. 2. Who is there calls it. A worker that hears of it twice calls it once.
std::string open_plugin(const Client& client, const std::string& name, const std::string& calls,
                        const std::source_location& where) {
  static_cast<void>(client.slots());  // throws for a closed one
  Runtime& runtime = *Runtime::find(client.serial());
  if (runtime.far_client() != nullptr || this_task::running()) {
    throw Error(
        "the plugin \"" + name +
        "\" cannot be made here: a plugin is made by the program that opened the client, and not inside of tasks");
  }
  detail::check_may_compute("WorkerPlugin");
  const std::string key = fresh_key(client.serial());
  const std::string description = plugins::describe(key, name, calls);
  runtime.add_plugin(key, description);
  try {
    call_on_all<SetUpPlugin>(runtime, where, description);
  } catch (...) {
    runtime.remove_plugin(key);
    call_on_all<TakeDownPlugin>(runtime, where, key);
    throw;
  }
  return key;
}

void forget_plugin(std::uint32_t client, const std::string& key) noexcept {
  Runtime* const runtime = Runtime::find(client);
  if (runtime != nullptr && !runtime->closing()) runtime->remove_plugin(key);
}

void close_plugin(std::uint32_t client, const std::string& key) noexcept {
  Runtime* const runtime = Runtime::find(client);
  if (runtime == nullptr || runtime->closing()) return;
  try {
    runtime->remove_plugin(key);
    call_on_all<TakeDownPlugin>(*runtime, std::source_location::current(), key);
  } catch (...) {
    logging::error("client", "a plugin could not be taken down: ", describe(std::current_exception()).message);
  }
}

void write_plugin_call(Writer& writer, void (*call)(Reader&), const Writer& given) {
  Writer own;
  encode_address(own, reinterpret_cast<const void*>(call));
  own.bytes(given.data(), given.size());
  writer.count(own.size());
  writer.bytes(own.data(), own.size());
}

void WorkerPlugin::open(const Client& client, const std::string& name, const std::string& calls,
                        const std::source_location& where) {
  key_ = open_plugin(client, name, calls, where);
  client_ = client.serial();
}

WorkerPlugin::~WorkerPlugin() { close_plugin(client_, key_); }

}  // namespace weft
