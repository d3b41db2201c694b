#include "mpi_launch/command/farm/child.hpp"

#include "mpi_launch/command/farm/descendants.hpp"
#include "mpi_launch/supervise/child.hpp"

#include <weft/error.hpp>
#include <weft/journal.hpp>
#include <weft/this_task.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <thread>
#include <vector>

extern char** environ;

namespace weft::command::farm {
namespace {

using Clock = std::chrono::steady_clock;
using FloatSeconds = std::chrono::duration<double>;

/// Output that comes back lies in memory meanwhile.
constexpr std::size_t kMostOutput = std::size_t{64} << 20;
constexpr double kGrace = 10;

[[noreturn]] void refuse(const std::string& what) { throw Error(what + ": " + std::strerror(errno)); }

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }
  bool open() const { return number_ >= 0; }
  void reset(int number) {
    close();
    number_ = number;
  }
  void close() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }

 private:
  int number_ = -1;
};

/// Where one of the child's streams goes.
struct Stream {
  Descriptor read;
  Descriptor write;
  std::string text;

  void open(const std::string& file) {
    if (!file.empty()) {
      write.reset(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
      if (!write.open()) refuse("'" + file + "' cannot be written");
      return;
    }
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) refuse("no pipe for a child process");
    read.reset(ends[0]);
    write.reset(ends[1]);
    ::fcntl(read.get(), F_SETFL, O_NONBLOCK);
  }
  /// Takes what is there.
  void take() {
    char part[65536];
    while (read.open() && text.size() <= kMostOutput) {
      const ssize_t got = ::read(read.get(), part, sizeof part);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) return read.close();
      text.append(part, static_cast<std::size_t>(got));
    }
  }
};

/// In the child, which has the parent's memory until it is another program: changes nothing there.
[[noreturn]] void become(char* const* words, char* const* variables, int input, int out, int err, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  struct sigaction usual {};
  usual.sa_handler = SIG_DFL;
  for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD}) ::sigaction(signal, &usual, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::dup2(input, 0);
  ::dup2(out, 1);
  ::dup2(err, 2);
#ifdef SYS_close_range
  ::syscall(SYS_close_range, 3u, ~0u, 0u);
#endif
  ::execve(words[0], words, variables);
  ::_exit(127);
}

/// By vfork: a fork would make every thread of this process copy the pages that it writes to next. No signal may come
/// before the child has none of this program's handlers.
pid_t spawn(char* const* words, char* const* variables, int input, int out, int err) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t parent = ::getpid();
  const pid_t pid = ::vfork();
  if (pid == 0) become(words, variables, input, out, err, parent);
  const int error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return pid;
}

/// Lets what is started from here use the processors of the process; a slot may be bound to one.
class AllProcessors {
 public:
  explicit AllProcessors(bool wanted) : wanted_(wanted && ::sched_getaffinity(0, sizeof before_, &before_) == 0) {
    cpu_set_t all;
    if (wanted_ && ::sched_getaffinity(::getpid(), sizeof all, &all) == 0) ::sched_setaffinity(0, sizeof all, &all);
  }
  ~AllProcessors() {
    if (wanted_) ::sched_setaffinity(0, sizeof before_, &before_);
  }
  AllProcessors(const AllProcessors&) = delete;
  AllProcessors& operator=(const AllProcessors&) = delete;

 private:
  cpu_set_t before_;
  const bool wanted_;
};

pid_t start(const ChildOrders& orders, int out, int err) {
  std::string shell = "/bin/sh", option = "-c", command = orders.command;
  char* const words[] = {shell.data(), option.data(), command.data(), nullptr};
  // A child is no rank of this job.
  std::vector<std::string> kept = launch::worker_environment(environ);
  std::vector<char*> variables;
  for (std::string& one : kept) variables.push_back(one.data());
  variables.push_back(nullptr);
  const Descriptor input(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const AllProcessors all(orders.many_cores);
  const pid_t pid = spawn(words, variables.data(), input.get(), out, err);
  if (pid < 0) refuse("no process can be started for '" + orders.command + "'");
  return pid;
}

/// Waits for a delay that a cancelled task does not sit out; its slot runs others meanwhile. Returns false for such
/// one.
bool sit_out(double seconds) {
  for (const Clock::time_point end = Clock::now() + std::chrono::duration_cast<Clock::duration>(FloatSeconds(seconds));
       Clock::now() < end;) {
    if (this_task::cancelled()) return false;
    const auto pause = std::min<Clock::duration>(end - Clock::now(), std::chrono::milliseconds(100));
    this_task::secede([&] { std::this_thread::sleep_for(pause); });
  }
  return true;
}

/// Ends a process that is not wanted: asked first, then not asked.
class Ending {
 public:
  explicit Ending(pid_t pid) : pid_(pid) {}
  void ask() {
    if (asked_) return;
    asked_ = true;
    since_ = Clock::now();
    signal_tree(pid_, SIGTERM);
  }
  void insist() {
    if (!asked_ || insisted_ || FloatSeconds(Clock::now() - since_).count() < kGrace) return;
    insisted_ = true;
    signal_tree(pid_, SIGKILL);
  }

 private:
  pid_t pid_;
  bool asked_ = false, insisted_ = false;
  Clock::time_point since_;
};

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "";
}

/// The last words of what went to a file.
std::string tail_of(const std::string& path) {
  constexpr std::streamoff kMost = 2000;
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return {};
  const std::streamoff size = file.tellg();
  std::string text(static_cast<std::size_t>(std::min(size, kMost)), '\0');
  file.seekg(size - static_cast<std::streamoff>(text.size()));
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  return text;
}

}  // namespace

ChildEnd run_child(const ChildOrders& orders) {
  this_task::has_effect();
  ChildEnd end;
  end.host = host_name();
  if (!sit_out(orders.delay)) {
    end.stopped = true;
    return end;
  }
  Stream out, err;
  out.open(orders.out_file);
  err.open(orders.err_file);
  const Clock::time_point begin = Clock::now();
  const auto passed = [&] { return FloatSeconds(Clock::now() - begin).count(); };
  const pid_t pid = start(orders, out.write.get(), err.write.get());
  out.write.close();
  err.write.close();
#ifdef SYS_pidfd_open
  const Descriptor ended(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
#else
  const Descriptor ended;
#endif
  Ending ending(pid);
  int status = 0;
  for (bool gone = false; !gone;) {
    pollfd seen[] = {{ended.get(), POLLIN, 0}, {out.read.get(), POLLIN, 0}, {err.read.get(), POLLIN, 0}};
    ::poll(seen, 3, ended.open() ? 50 : 5);
    // Asked before its pipes are emptied: what it wrote is in them then.
    pid_t reaped = ::waitpid(pid, &status, WNOHANG);
    gone = reaped == pid || (reaped < 0 && errno != EINTR);
    out.take();
    err.take();
    if (gone) break;
    if (out.text.size() + err.text.size() > kMostOutput) {
      end.trouble = "wrote more than 64 MiB: send its output to a file, or give --results FOLDER";
    } else if (orders.longest > 0 && passed() > orders.longest && end.trouble.empty()) {
      end.trouble = "took longer than the timeout";
    } else if (this_task::cancelled()) {
      end.stopped = true;
    }
    if (end.stopped || !end.trouble.empty()) ending.ask();
    ending.insist();
  }
  end.seconds = passed();
  end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  end.code = end.signal != 0 ? 128 + end.signal : WEXITSTATUS(status);
  // A command that ended well after it was told to end has failed all the same.
  if (!end.trouble.empty() && end.code == 0) end.code = 124;
  end.out = std::move(out.text);
  end.err = orders.err_file.empty() ? std::move(err.text) : tail_of(orders.err_file);
  return end;
}

}  // namespace weft::command::farm
