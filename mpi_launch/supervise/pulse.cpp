#include "mpi_launch/supervise/pulse.hpp"

#include "core/cluster/origins.hpp"
#include "core/executor/slot.hpp"
#include "core/memory/limits.hpp"
#include "mpi_launch/supervise/signal_text.hpp"
#include "mpi_launch/supervise/worker_main.hpp"

#include <weft/arena.hpp>
#include <weft/task_type.hpp>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string_view>
#include <thread>

namespace weft::launch {

namespace {

StatusPage* noted = nullptr;
int worker_pid = 0;

/// `is_own`: the calling thread runs it.
void add_task(SignalText& text, TaskId task, bool is_own) {
  const Site& where = site(arena::task(task).site);
  text.add("task #");
  text.add(task);
  cluster::Origin origin;
  if (is_own ? cluster::find_own_origin(task, origin) : cluster::find_origin(task, origin)) {
    text.add("<");
    text.add(origin.packet);
    text.add(".");
    text.add(origin.index);
    text.add(">");
  }
  if (where.file == nullptr) return;
  text.add(" of ");
  const std::string_view file(where.file);
  const std::size_t slash = file.rfind('/');
  text.add(slash == std::string_view::npos ? file : file.substr(slash + 1));
  text.add(":");
  text.add(where.line);
}

/// Adds the task that the calling thread runs; false where it runs none.
bool add_own_task(SignalText& text) {
  const Slot* const slot = current_slot();
  if (slot == nullptr || slot->running() == kNone) return false;
  add_task(text, slot->running(), true);
  return true;
}

void on_fault(int signal) {
  if (::getpid() == worker_pid) {
    SignalText text;
    text.add("the fault was in ");
    if (!add_own_task(text)) text.add("a thread that ran no task");
    noted->say_last_words(text.view());
  }
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

void on_exit_called() {
  // A process that a task forked off runs this too; its end is its own.
  if (::getpid() != worker_pid) return;
  if (noted->state.load() == WorkerState::Ended) return;
  SignalText text;
  text.add("exit was called by ");
  if (!add_own_task(text)) text.add("a thread that ran no task");
  noted->say_last_words(text.view());
  std::fflush(nullptr);
}

void note_tasks(StatusPage& page, std::array<TaskId, StatusPage::kSlots>& before) {
  std::array<TaskId, StatusPage::kSlots> now;
  now.fill(kNone);
  const unsigned seen = running_tasks(now.data(), StatusPage::kSlots);
  for (unsigned i = 0; i < StatusPage::kSlots; ++i) {
    const TaskId task = i < seen ? now[i] : kNone;
    if (task == before[i]) continue;
    before[i] = task;
    StatusPage::Slot& slot = page.tasks[i];
    slot.since_ns.store(0, std::memory_order_release);
    if (task == kNone) continue;
    SignalText text;
    add_task(text, task, false);
    const std::size_t count = std::min(text.size, slot.text.size() - 1);
    std::memcpy(slot.text.data(), text.bytes.data(), count);
    slot.text[count] = '\0';
    slot.since_ns.store(machine_now_ns(), std::memory_order_release);
  }
}

/// Ends a worker that has more than its share once next to nothing is left: the system would kill somebody at any
/// moment, without a word, and perhaps another process than the one to blame.
void end_before_the_system_does(StatusPage& page, std::uint64_t share_bytes) {
  constexpr std::size_t kLeast = std::size_t{16} << 20;
  const std::size_t resident = read_resident_bytes();
  if (share_bytes == 0 || resident < share_bytes - share_bytes / 10) return;
  const std::optional<MemoryRoom> room = read_memory_room();
  if (!room || room->left_bytes > std::max(kLeast, room->limit_bytes / 32)) return;
  SignalText text;
  text.add("it held ");
  text.add(resident >> 20);
  text.add(" MiB of the ");
  text.add(room->limit_bytes >> 20);
  text.add(" MiB of ");
  text.add(room->source);
  text.add(", of which ");
  text.add(room->left_bytes >> 20);
  text.add(" MiB were left, and ended itself before the system would have killed it");
  page.say_last_words(text.view());
  ::_exit(kExitOutOfMemory);
}

void beat(StatusPage& page, std::uint64_t share_bytes) {
  ::pthread_setname_np(::pthread_self(), "weft pulse");
  std::array<TaskId, StatusPage::kSlots> tasks;
  tasks.fill(kNone);
  for (std::uint32_t turn = 0;; ++turn) {
    page.beat_ns.store(machine_now_ns(), std::memory_order_relaxed);
    // Every half second: 64 samples are the last half minute.
    if (turn % 5 == 0) {
      const std::uint32_t sample = page.samples.load(std::memory_order_relaxed);
      StatusPage::Sample& place = page.memory[sample % StatusPage::kSamples];
      place.at_ns.store(machine_now_ns(), std::memory_order_relaxed);
      place.resident_bytes.store(read_resident_bytes(), std::memory_order_relaxed);
      page.samples.store(sample + 1, std::memory_order_release);
    }
    note_tasks(page, tasks);
    end_before_the_system_does(page, share_bytes);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

}  // namespace

void start_pulse(StatusPage& page, std::uint64_t share_bytes) {
  std::thread([&page, share_bytes] { beat(page, share_bytes); }).detach();  // ends with the process, as the page does
}

void report_fatal_signals(StatusPage& page) {
  noted = &page;
  worker_pid = ::getpid();
  struct sigaction action {};
  action.sa_handler = &on_fault;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER | SA_ONSTACK);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) ::sigaction(signal, &action, nullptr);
}

void report_unexpected_exit(StatusPage& page) {
  noted = &page;
  worker_pid = ::getpid();
  // on_exit knows the code, which a task meant for somebody to see.
  ::on_exit(
      [](int code, void*) {
        on_exit_called();
        if (::getpid() == worker_pid) ::_exit(code);
      },
      nullptr);
}

}  // namespace weft::launch
