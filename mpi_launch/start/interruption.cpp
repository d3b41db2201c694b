#include "mpi_launch/start/interruption.hpp"

#include "core/diagnostics/progress_meter.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

namespace weft::launch {

namespace {

constexpr std::array<int, 3> kSignals = {SIGINT, SIGTERM, SIGHUP};

// What the handler may look at. Set before it is installed.
std::atomic<int> write_end{-1};
std::atomic<int> read_end{-1};
std::atomic<int> owner{0};

void on_signal(int signal) {
  const int keep = errno;
  // A process that a task or the body forked off has no thread that would end it.
  const auto code = static_cast<unsigned char>(signal);
  if (::getpid() != owner.load() || ::write(write_end.load(), &code, 1) != 1) {
    ::signal(signal, SIG_DFL);
    ::raise(signal);
  }
  errno = keep;
}

void install() {
  for (const int signal : kSignals) {
    struct sigaction now {};
    if (::sigaction(signal, nullptr, &now) != 0 || now.sa_handler != SIG_DFL) continue;
    struct sigaction ours {};
    ours.sa_handler = &on_signal;
    ours.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);
    ::sigaction(signal, &ours, nullptr);
  }
}

void uninstall() {
  for (const int signal : kSignals) {
    struct sigaction now {};
    if (::sigaction(signal, nullptr, &now) == 0 && now.sa_handler == &on_signal) ::signal(signal, SIG_DFL);
  }
}

/// Past all buffers and locks: they may be held by whoever was interrupted.
void say(const std::string& line) {
  std::size_t said = 0;
  while (said < line.size()) {
    const ssize_t count = ::write(STDERR_FILENO, line.data() + said, line.size() - said);
    if (count <= 0) return;
    said += static_cast<std::size_t>(count);
  }
}

}  // namespace

std::string how_far_text(std::uint64_t done, std::uint64_t failed, std::uint64_t total) {
  if (total == 0) return "no task had been given to it";
  std::string text = fmt::format("{} of {} task{} were done", done, total, total == 1 ? "" : "s");
  if (failed != 0) text += fmt::format(", {} had failed", failed);
  return text;
}

Interruption::Interruption(std::function<std::string()> how_far) : how_far_(std::move(how_far)) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return;  // signals end the program as ever
  read_end.store(ends[0]);
  write_end.store(ends[1]);
  owner.store(::getpid());
  thread_ = std::thread([this] { wait_and_tell(); });
  install();
}

Interruption::~Interruption() {
  if (!thread_.joinable()) return;
  uninstall();
  ::close(write_end.exchange(-1));
  thread_.join();
  ::close(read_end.exchange(-1));
}

/// The thread takes no signal itself: what it says must not be interrupted.
void Interruption::wait_and_tell() {
  ::pthread_setname_np(::pthread_self(), "weft signals");
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
  const auto begin = std::chrono::steady_clock::now();
  unsigned char signal = 0;
  ssize_t count = 0;
  do count = ::read(read_end.load(), &signal, 1);
  while (count < 0 && errno == EINTR);
  if (count != 1) return;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  say(fmt::format("weft: ended by signal {} ({}) after {}: {}\n", signal, ::strsignal(signal), time_text(seconds),
                  how_far_()));
  ::signal(signal, SIG_DFL);
  ::kill(::getpid(), signal);
}

}  // namespace weft::launch
