#include "mpi_launch/start/interruption.hpp"

#include "core/runtime/runtime.hpp"
#include "mpi_launch/supervise/signal_text.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <fstream>
#include <string>

namespace weft::launch {

namespace {

constexpr std::array<int, 3> kSignals = {SIGINT, SIGTERM, SIGHUP};

// What the handler looks at. Set before it is installed.
std::atomic<int> write_end{-1};
std::atomic<int> read_end{-1};
std::atomic<int> launchers_error{-1};
std::atomic<int> owner{0};
std::atomic<std::uint32_t> its_client{0};
std::atomic<std::uint64_t> begun_s{0};
std::string& journal_folder() {
  static auto* const kept = new std::string;
  return *kept;
}

/// The sentence has room for so much of the journal's path.
constexpr std::size_t kMostOfPath = 300;

std::uint64_t now_s() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec);
}

std::string_view name_of(int signal) {
  if (signal == SIGINT) return "Interrupt";
  return signal == SIGTERM ? "Terminated" : "Hangup";
}

bool write_all(int file, std::string_view line) {
  for (std::size_t said = 0; said < line.size();) {
    const ssize_t count = ::write(file, line.data() + said, line.size() - said);
    if (count <= 0) return false;
    said += static_cast<std::size_t>(count);
  }
  return true;
}

/// Past all buffers and locks: they may be held by whoever was interrupted. And past mpirun: Open MPI's often ends
/// without having read what its processes wrote last.
void tell(int signal) {
  SignalText text;
  text.add("weft: ended by signal ");
  text.add(static_cast<std::uint64_t>(signal));
  text.add(" (");
  text.add(name_of(signal));
  text.add(") after ");
  text.add(now_s() - begun_s.load());
  text.add(" s: ");
  if (Runtime* const runtime = Runtime::find(its_client.load())) {
    const Runtime::Counts counts = runtime->counts();
    text.add(counts.tasks_done);
    text.add(" of ");
    text.add(counts.tasks_total);
    text.add(counts.tasks_total == 1 ? " task was done" : " tasks were done");
    if (counts.tasks_failed != 0) {
      text.add(", ");
      text.add(counts.tasks_failed);
      text.add(" had failed");
    }
    if (!journal_folder().empty()) {
      text.add("; the same command goes on from the journal ");
      text.add(std::string_view(journal_folder()).substr(0, kMostOfPath));
    }
  } else {
    text.add("its client was closed already");
  }
  text.add("\n");
  const int launchers = launchers_error.load();
  if (launchers < 0 || !write_all(launchers, text.view())) write_all(STDERR_FILENO, text.view());
}

void end_by(int signal) {
  ::signal(signal, SIG_DFL);
  ::kill(::getpid(), signal);
}

/// Open MPI's mpirun sends SIGKILL some milliseconds after SIGTERM: on a busy machine no other thread would come to say
/// it. Where the runtime's counts are behind a lock there is one process, no mpirun, and time for the thread.
void on_signal(int signal) {
  const int keep = errno;
  Runtime* const runtime = Runtime::find(its_client.load());
  const auto code = static_cast<unsigned char>(signal);
  if (::getpid() != owner.load()) {
    end_by(signal);  // a process that a task or the body forked off
  } else if (runtime == nullptr || !runtime->alone()) {
    tell(signal);
    end_by(signal);
  } else if (::write(write_end.load(), &code, 1) != 1) {
    end_by(signal);
  }
  errno = keep;
}

/// The thread takes no signal itself: what it says must not be interrupted.
void wait_and_tell() {
  ::pthread_setname_np(::pthread_self(), "weft signals");
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
  unsigned char signal = 0;
  ssize_t count = 0;
  do count = ::read(read_end.load(), &signal, 1);
  while (count < 0 && errno == EINTR);
  if (count != 1) return;
  tell(signal);
  end_by(signal);
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

/// Returns the file that another process has open as its standard error, with the place up to where it has written it;
/// -1 where that is none, or the system does not give it away.
int share_error_file(pid_t process) {
#if defined(SYS_pidfd_open) && defined(SYS_pidfd_getfd)
  const auto handle = static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
  if (handle < 0) return -1;
  const auto file = static_cast<int>(::syscall(SYS_pidfd_getfd, handle, STDERR_FILENO, 0));
  ::close(handle);
  struct stat about {};
  if (file >= 0 && ::fstat(file, &about) == 0 && S_ISREG(about.st_mode)) return file;
  if (file >= 0) ::close(file);
#else
  (void)process;
#endif
  return -1;
}

/// Opens the standard error of mpirun, if that has started this process; -1 otherwise.
int open_launchers_error() {
  const std::string launcher = "/proc/" + std::to_string(::getppid());
  std::ifstream file(launcher + "/comm");
  std::string name;
  std::getline(file, name);
  if (name != "mpirun" && name != "mpiexec" && name != "orterun" && name != "prterun") return -1;
  // What was opened anew is written to from its end: in a file mpirun's next line would come over it.
  if (const int shared = share_error_file(::getppid()); shared >= 0) return shared;
  return ::open((launcher + "/fd/2").c_str(), O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

}  // namespace

Interruption::Interruption(std::uint32_t client, const std::string& journal) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return;  // signals end the program as ever
  read_end.store(ends[0]);
  write_end.store(ends[1]);
  launchers_error.store(open_launchers_error());
  owner.store(::getpid());
  its_client.store(client);
  begun_s.store(now_s());
  journal_folder() = journal;
  thread_ = std::thread(&wait_and_tell);
  install();
}

Interruption::~Interruption() {
  if (!thread_.joinable()) return;
  uninstall();
  ::close(write_end.exchange(-1));
  thread_.join();
  ::close(read_end.exchange(-1));
  if (const int launchers = launchers_error.exchange(-1); launchers >= 0) ::close(launchers);
}

}  // namespace weft::launch
