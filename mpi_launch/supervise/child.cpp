#include "mpi_launch/supervise/child.hpp"

#include "core/memory/limits.hpp"
#include "mpi_launch/supervise/spawn_plan.hpp"

#include <weft/error.hpp>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

extern char** environ;

namespace weft::launch {

namespace {

std::atomic<int> last_child_group{0};

/// A pipe whose ends are away from the numbers that a child's descriptors get.
struct Pipe {
  int read = -1;
  int write = -1;

  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw Error(std::string("no pipe for a worker: ") + std::strerror(errno));
    read = moved(ends[0]);
    write = moved(ends[1]);
  }
  ~Pipe() {
    close_read();
    close_write();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_read() {
    if (read >= 0) ::close(read);
    read = -1;
  }
  void close_write() {
    if (write >= 0) ::close(write);
    write = -1;
  }
  int take_read() { return std::exchange(read, -1); }

 private:
  static int moved(int descriptor) {
    if (descriptor > kStatusDescriptor) return descriptor;
    const int high = ::fcntl(descriptor, F_DUPFD_CLOEXEC, kStatusDescriptor + 1);
    ::close(descriptor);
    return high;
  }
};

/// Returns the words this program was started with: a worker gets the same, so that nobody is surprised who reads them.
std::vector<std::string> own_words() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\0', at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  if (words.empty()) words.push_back("weft-worker");
  return words;
}

int spawn_worker(SpawnPlan& plan, const std::string& executable, std::vector<std::string>& words,
                 std::vector<std::string>& variables) {
  ::posix_spawn_file_actions_addopen(&plan.files, 0, "/dev/null", O_RDONLY, 0);
#if defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
  // What the launcher's library left open belongs to this process alone.
  ::posix_spawn_file_actions_addclosefrom_np(&plan.files, kStatusDescriptor + 1);
#endif
#endif
  const std::vector<char*> argv = SpawnPlan::pointers(words);
  const std::vector<char*> environment = SpawnPlan::pointers(variables);
  pid_t pid = -1;
  const char* const path = executable.empty() ? "/proc/self/exe" : executable.c_str();
  const int error = ::posix_spawn(&pid, path, &plan.files, &plan.attributes, argv.data(), environment.data());
  if (error != 0) {
    throw Error("no worker process can be started" + (executable.empty() ? "" : " from " + executable) + ": " +
                std::strerror(error));
  }
  return pid;
}

bool belongs_to_launcher(std::string_view name) {
  for (const std::string_view prefix :
       {"OMPI_", "PMIX_", "PMI_", "ORTE_", "OPAL_", "PRTE_", "MPI_", "MPIR_", "HYDRA_", "HYDI_", "SLURM_STEP",
        "SLURM_TASK", "SLURM_PMI", "SLURM_SRUN_COMM", "SLURM_LAUNCH", "WEFT_INTERNAL_"}) {
    if (name.substr(0, prefix.size()) == prefix) return true;
  }
  for (const std::string_view whole :
       {"SLURM_PROCID", "SLURM_LOCALID", "SLURM_NTASKS", "SLURM_NPROCS", "WEFT_RANK", "WEFT_RANKS"}) {
    if (name == whole) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> worker_environment(char** variables) {
  std::vector<std::string> result;
  for (char** at = variables; at != nullptr && *at != nullptr; ++at) {
    const std::string_view entry = *at;
    if (!belongs_to_launcher(entry.substr(0, entry.find('=')))) result.emplace_back(entry);
  }
  return result;
}

void share_library_threads(std::vector<std::string>& variables, const WorkerOrders& orders) {
  const std::size_t cores = std::max<std::size_t>(orders.processors.size(), orders.slots);
  const std::string threads = std::to_string(std::max<std::size_t>(1, cores / std::max(1u, orders.slots)));
  for (const char* name : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"}) {
    const std::string begin = std::string(name) + "=";
    if (std::any_of(variables.begin(), variables.end(), [&](const auto& one) { return one.starts_with(begin); }))
      continue;
    variables.push_back(begin + threads);
  }
}

void kill_last_child_group() noexcept {
  const int group = last_child_group.load();
  if (group > 1) ::kill(-group, SIGKILL);
}

Child::Child(const WorkerOrders& orders, const std::string& executable) {
  if (const auto count = read_oom_count()) {
    oom_kills_ = count->kills;
    oom_source_ = count->source;
  }
  Pipe orders_pipe;
  Pipe output;
  Pipe errors;
  SpawnPlan plan(POSIX_SPAWN_SETPGROUP);
  plan.pass(output.write, 1);
  plan.pass(errors.write, 2);
  plan.pass(orders_pipe.read, kOrdersDescriptor);
  const int status = ::fcntl(status_.descriptor(), F_DUPFD_CLOEXEC, kStatusDescriptor + 1);
  plan.pass(status, kStatusDescriptor);
  std::vector<std::string> words = own_words();
  std::vector<std::string> variables = worker_environment(environ);
  share_library_threads(variables, orders);
  variables.push_back(std::string(kWorkerVariable) + "=" + std::to_string(::getpid()));
  status_.page().beat_ns.store(machine_now_ns());
  pid_ = spawn_worker(plan, executable, words, variables);
  ::close(status);
  last_child_group.store(pid_);
#ifdef SYS_pidfd_open
  process_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
#endif
  output_ = output.take_read();
  errors_ = errors.take_read();
  for (const int descriptor : {output_, errors_}) ::fcntl(descriptor, F_SETFL, O_NONBLOCK);
  orders_pipe.close_read();
  write_orders(orders_pipe.write, orders);
}

/// A child that dies at once breaks the pipe; reap() will tell.
void Child::write_orders(int descriptor, const WorkerOrders& orders) {
  const std::string bytes = encode_orders(orders);
  sigset_t pipe;
  sigset_t before;
  ::sigemptyset(&pipe);
  ::sigaddset(&pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe, &before);
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t wrote = ::write(descriptor, bytes.data() + at, bytes.size() - at);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) break;
    at += static_cast<std::size_t>(wrote);
  }
  const timespec now{};
  while (::sigtimedwait(&pipe, nullptr, &now) > 0) {
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Child::~Child() {
  if (!reaped_ && pid_ > 0) {
    ::kill(pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
  }
  if (pid_ > 0) ::kill(-pid_, SIGKILL);
  int own = pid_;
  last_child_group.compare_exchange_strong(own, 0);
  for (const int descriptor : {process_, output_, errors_}) {
    if (descriptor >= 0) ::close(descriptor);
  }
}

void Child::kill(const std::string& why) {
  if (reaped_) return;
  if (killed_because_.empty()) killed_because_ = why;
  ::kill(pid_, SIGKILL);
}

void Child::ask_to_leave() {
  if (!reaped_) ::kill(pid_, SIGTERM);
}

std::optional<Death> Child::reap() {
  if (reaped_) return std::nullopt;
  int status = 0;
  const pid_t got = ::waitpid(pid_, &status, WNOHANG);
  if (got == 0 || (got < 0 && errno == EINTR)) return std::nullopt;
  reaped_ = true;
  ::kill(-pid_, SIGKILL);  // what a task left behind
  Death death;
  death.killed_because = killed_because_;
  if (got > 0 && WIFSIGNALED(status)) death.signal = WTERMSIG(status);
  if (got > 0 && WIFEXITED(status)) death.exit_code = WEXITSTATUS(status);
  if (got < 0) death.last_words = "how it ended is not known: the program takes the ends of its children away";
  death.expected = page().state.load() == WorkerState::Ended && death.signal == 0;
  read_page(page(), death);
  if (death.signal == SIGKILL && killed_because_.empty()) {
    if (const auto count = read_oom_count(); count && count->kills > oom_kills_) {
      death.out_of_memory = true;
      death.counter = count->source + " counts " + std::to_string(count->kills - oom_kills_) + " more";
    }
  }
  return death;
}

}  // namespace weft::launch
