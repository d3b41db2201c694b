#include "mpi_launch/supervise/worker_main.hpp"

#include "mpi_launch/supervise/child.hpp"
#include "mpi_launch/supervise/pulse.hpp"
#include "mpi_launch/supervise/status_page.hpp"

#include <weft/error.hpp>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>

namespace weft::launch {

namespace {

WorkerBody body = nullptr;
SchedulerBody scheduler_body = nullptr;
JoinBody join_body = nullptr;
StatusPage* page = nullptr;

std::string read_all(int descriptor) {
  std::string bytes;
  char part[4096];
  for (;;) {
    const ssize_t got = ::read(descriptor, part, sizeof part);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return bytes;
    bytes.append(part, static_cast<std::size_t>(got));
  }
}

bool has(char** variables, const char* name) noexcept {
  for (char** at = variables; at != nullptr && *at != nullptr; ++at) {
    if (std::strncmp(*at, name, std::strlen(name)) == 0) return true;
  }
  return false;
}

/// A worker without its supervisor would run on unseen; nobody would start it again or end it.
void die_with_supervisor() {
  const char* const text = std::getenv(kWorkerVariable);
  const int supervisor = text != nullptr ? std::atoi(text) : 0;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != supervisor) ::_exit(0);
  ::unsetenv(kWorkerVariable);
}

void bind_to(const std::vector<int>& processors) {
  if (processors.empty()) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int processor : processors) {
    if (processor >= 0 && processor < CPU_SETSIZE) CPU_SET(processor, &set);
  }
  ::sched_setaffinity(0, sizeof set, &set);  // a forbidden set leaves the worker where it is
}

}  // namespace

void set_worker_body(WorkerBody given) { body = given; }
bool started_as_worker(char** variables) noexcept { return has(variables, kWorkerVariable); }

void set_scheduler_body(SchedulerBody given) { scheduler_body = given; }

bool started_as_scheduler(char** variables) noexcept { return has(variables, kSchedulerVariable); }

int live_as_scheduler(int argc, char** argv) {
  ::unsetenv(kSchedulerVariable);
  if (scheduler_body != nullptr) return scheduler_body(argc, argv);
  std::fprintf(stderr, "weft: this program has no scheduler in it: it must include <weft/weft.hpp>\n");
  return 1;
}

void set_join_body(JoinBody given) { join_body = given; }

bool started_to_join(char** variables) noexcept { return has(variables, kJoinVariable); }

int live_as_joiner() {
  const char* const given = std::getenv(kJoinVariable);
  const std::string words = given != nullptr ? given : "";
  ::unsetenv(kJoinVariable);
  try {
    if (join_body == nullptr) throw Error("this program has no worker in it: it must include <weft/weft.hpp>");
    join_body(words);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "weft: %s\n", error.what());
    return 1;
  }
}

void worker_is_ready() noexcept {
  if (page != nullptr) page->state.store(WorkerState::Ready);
}

void worker_restarts() noexcept {
  if (page != nullptr) page->state.store(WorkerState::Restarts);
}

void cut_off(const char* why) noexcept {
  if (page != nullptr) page->say_last_words(why);
  std::fflush(nullptr);
  ::_exit(kExitCutOff);
}

void live_as_worker() {
  die_with_supervisor();
  ::prctl(PR_SET_NAME, "weft worker");
  ::fcntl(kOrdersDescriptor, F_SETFD, FD_CLOEXEC);
  ::fcntl(kStatusDescriptor, F_SETFD, FD_CLOEXEC);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  int code = kExitCannotStart;
  try {
    static StatusMapping status(kStatusDescriptor);
    page = &status.page();
    const WorkerOrders orders = decode_orders(read_all(kOrdersDescriptor));
    ::close(kOrdersDescriptor);
    bind_to(orders.processors);
    report_fatal_signals(*page);
    report_unexpected_exit(*page);
    start_pulse(*page, orders.memory_bytes);
    if (body == nullptr) throw Error("this program has no worker in it: it must include <weft/weft.hpp>");
    body(orders);
    page->state.store(WorkerState::Ended);
    code = 0;
  } catch (const std::exception& error) {
    if (page != nullptr) {
      page->say_last_words(error.what());
      page->state.store(WorkerState::CannotStart);
    }
  }
  std::fflush(nullptr);
  ::_exit(code);  // no destructor of the program's runs: its main never did
}

}  // namespace weft::launch
