#include "core/runtime/runtime.hpp"

#include "core/runtime/local_runtime.hpp"
#include "core/runtime/look.hpp"
#include "core/runtime/machine.hpp"

#include <weft/arena.hpp>
#include <weft/error.hpp>
#include <weft/submitting.hpp>

#include <unistd.h>

#include <atomic>

namespace weft {
namespace {

constexpr std::uint32_t kMostClients = 256;

std::atomic<Runtime*> open_runtimes[kMostClients];
std::atomic<std::uint32_t> next_serial{1};

RuntimeMaker& maker() {
  static RuntimeMaker* const instance = new RuntimeMaker;
  return *instance;
}

}  // namespace

namespace detail {
std::atomic<std::uint32_t> open_client_count{0};
}

Runtime::~Runtime() { unlist(); }

Runtime* Runtime::find(std::uint32_t serial) noexcept {
  Runtime* const runtime = open_runtimes[serial % kMostClients].load(std::memory_order_acquire);
  return runtime != nullptr && runtime->serial_ == serial ? runtime : nullptr;
}

std::vector<WorkerInfo> Runtime::worker_infos() {
  const MemoryReport memory = memory_report();
  WorkerInfo worker;
  worker.name = "worker-0";
  char host[256] = "localhost";
  if (::gethostname(host, sizeof host - 1) == 0) worker.host = host;
  worker.slots = slots();
  worker.memory_bytes = memory.budget_bytes;
  worker.used_bytes = memory.used_bytes;
  worker.spill_directory = memory.spill_directory;
  return {worker};
}

std::vector<WorkerLook> Runtime::look(const LookOrder&) {
  throw Error(
      "the workers of this client cannot be looked at from here: they are those of another program, which it is "
      "attached to; look from there");
}

std::vector<std::string> Runtime::who_has(TaskId task) {
  const std::uint64_t word = arena::task(task).word.load(std::memory_order_acquire);
  if ((word & task_word::kDone) == 0 || (word & task_word::kFailed) != 0) return {};
  return {worker_infos().front().name};
}

void Runtime::replicate(const std::vector<TaskId>&, std::size_t) {}

void Runtime::retire(std::string_view name) {
  throw Error("worker \"" + std::string(name) +
              "\" cannot be retired: this client runs in one process; close it instead");
}

void Runtime::restart_workers(const std::vector<std::string>& names, Seconds) {
  if (names.empty()) return;
  throw Error("worker \"" + names.front() +
              "\" cannot be restarted: this client runs in one process; client.restart() begins anew in it");
}

void Runtime::add_plugin(const std::string&, const std::string&) {}
void Runtime::remove_plugin(const std::string&) noexcept {}

void Runtime::open() {
  for (std::uint32_t tries = 0; tries < kMostClients; ++tries) {
    std::uint32_t serial = next_serial.fetch_add(1, std::memory_order_relaxed);
    if (serial == 0) continue;
    serial_ = serial;
    Runtime* expected = nullptr;
    if (open_runtimes[serial % kMostClients].compare_exchange_strong(expected, this)) {
      detail::open_client_count.fetch_add(1, std::memory_order_relaxed);
      return;
    }
  }
  throw Error("too many clients are open in this process (256): close one first");
}

void Runtime::unlist() noexcept {
  Runtime* expected = this;
  if (open_runtimes[serial_ % kMostClients].compare_exchange_strong(expected, nullptr))
    detail::open_client_count.fetch_sub(1, std::memory_order_relaxed);
}

void Runtime::launch_needed(TaskId task, const TaskOptions* options) {
  machine::check_needed({&task, 1}, settings());
  constexpr std::uint64_t settled = task_word::kLaunched | task_word::kDone | task_word::kKept;
  // Depth first over what is only described; a task is written down after its inputs.
  struct Visit {
    TaskId task;
    std::uint32_t next_input;
  };
  std::vector<TaskId> order;
  std::vector<Visit> stack;
  const auto claim = [](TaskId id) {
    std::atomic<std::uint64_t>& word = arena::task(id).word;
    std::uint64_t seen = word.load(std::memory_order_acquire);
    while ((seen & settled) == 0) {
      if (word.compare_exchange_weak(seen, (seen | task_word::kLaunched) + task_word::kUse)) return true;
    }
    return false;
  };
  if (claim(task)) stack.push_back({task, 0});
  while (!stack.empty()) {
    Visit& top = stack.back();
    const TaskRecord& record = arena::task(top.task);
    if (top.next_input == record.input_count) {
      order.push_back(top.task);
      stack.pop_back();
      continue;
    }
    const TaskId producer = arena::edge(record.first_input + top.next_input++).producer;
    if (claim(producer)) stack.push_back({producer, 0});
  }
  if (order.size() == 1) return launch(order.front(), options);
  if (!order.empty()) launch(order, options);
}

void set_runtime_maker(RuntimeMaker made) { maker() = std::move(made); }

std::shared_ptr<Runtime> make_runtime(Settings settings, std::map<std::string, std::uint32_t> resources) {
  if (maker() && (settings.scheduler == "mpi" || settings.scheduler == "auto")) {
    if (std::shared_ptr<Runtime> made = maker()(settings, resources)) return made;
  }
  if (settings.scheduler == "mpi") {
    throw ConfigError(
        "--weft-scheduler=mpi: there are no other processes; start the program with mpirun or srun and use weft::run, "
        "or set the scheduler to threads");
  }
  return std::make_shared<LocalRuntime>(std::move(settings), std::move(resources));
}

}  // namespace weft
