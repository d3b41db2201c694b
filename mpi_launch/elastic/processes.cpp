#include "mpi_launch/elastic/processes.hpp"

#include "mpi_launch/supervise/spawn_plan.hpp"

#include <weft/error.hpp>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>

extern char** environ;

namespace weft::launch {

namespace {

int spawn(SpawnPlan& plan, std::vector<std::string> words) {
  const std::vector<char*> argv = SpawnPlan::pointers(words);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, argv[0], &plan.files, &plan.attributes, argv.data(), environ);
  if (error != 0) throw Error("'" + words[0] + "' cannot be run: " + std::strerror(error));
  return pid;
}

std::string end_text(int status) {
  if (WIFSIGNALED(status)) return "was killed by signal " + std::to_string(WTERMSIG(status));
  return "ended with exit code " + std::to_string(WEXITSTATUS(status));
}

/// Writes what fits into the socket's buffer; more is never written here.
void give(int socket, const std::string& text) {
  [[maybe_unused]] const ssize_t sent = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
}

void open_channel(int (&ends)[2]) {
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw Error(std::string("no channel to another process: ") + std::strerror(errno));
}

}  // namespace

Processes::~Processes() {
  std::vector<std::string> left;
  for (const auto& [id, process] : running_) left.push_back(id);
  for (const std::string& id : left) stop(id);
}

std::string Processes::start(const std::vector<std::string>& words, const std::string& input, const std::string& log) {
  int ends[2];
  open_channel(ends);
  give(ends[0], input);
  ::shutdown(ends[0], SHUT_WR);
  SpawnPlan plan(POSIX_SPAWN_SETPGROUP);
  ::posix_spawn_file_actions_adddup2(&plan.files, ends[1], 0);
  ::posix_spawn_file_actions_addopen(&plan.files, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::posix_spawn_file_actions_adddup2(&plan.files, 1, 2);
  int pid = -1;
  try {
    pid = spawn(plan, words);
  } catch (...) {
    ::close(ends[0]);
    ::close(ends[1]);
    throw;
  }
  ::close(ends[0]);
  ::close(ends[1]);
  const std::lock_guard lock(mutex_);
  const std::string id = std::to_string(pid);
  running_[id] = {pid, log};
  return id;
}

std::string Processes::ended(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found = running_.find(id);
  if (found == running_.end()) return "has ended";
  int status = 0;
  const int got = ::waitpid(found->second.first, &status, WNOHANG);
  if (got == 0) return "";
  const std::string said = last_words(found->second.second);
  running_.erase(found);
  // A program that ignores its children's ends is not told how they ended.
  return (got > 0 ? end_text(status) : "has ended") + (said.empty() ? "" : ": " + said);
}

void Processes::stop(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found = running_.find(id);
  if (found == running_.end()) return;
  ::kill(-found->second.first, SIGKILL);
  while (::waitpid(found->second.first, nullptr, 0) < 0 && errno == EINTR) {
  }
  running_.erase(found);
}

std::string Processes::stop_line(const std::string& id) { return "(sleep 1; kill -KILL -" + id + ") &"; }

std::string last_words(const std::string& log) {
  constexpr std::size_t kMost = 400;
  std::ifstream file(log, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::string line;
  for (const char letter : text.substr(text.size() > kMost ? text.size() - kMost : 0)) {
    const bool blank = static_cast<unsigned char>(letter) <= ' ';
    if (!blank) line += letter;
    if (blank && !line.empty() && line.back() != ' ') line += ' ';
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

std::pair<int, std::string> call_shell(const std::string& line) {
  std::FILE* const stream = ::popen(("{ " + line + "\n} 2>&1 </dev/null").c_str(), "re");
  if (stream == nullptr) return {127, std::string("'sh' cannot be run: ") + std::strerror(errno)};
  std::string text;
  char part[4096];
  for (std::size_t got = 0; (got = std::fread(part, 1, sizeof part, stream)) != 0;) text.append(part, got);
  const int status = ::pclose(stream);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 1, text};
}

// In a session of its own: Ctrl-C ends this process, not the one that clears up after it.
Keeper::Keeper() {
  int ends[2];
  open_channel(ends);
  SpawnPlan plan(POSIX_SPAWN_SETSID);
  ::posix_spawn_file_actions_adddup2(&plan.files, ends[1], 0);
  for (const int stream : {1, 2}) ::posix_spawn_file_actions_addopen(&plan.files, stream, "/dev/null", O_WRONLY, 0);
  try {
    pid_ =
        spawn(plan, {"sh", "-c", "trap '' HUP INT TERM; while IFS= read -r line; do last=$line; done; eval \"$last\""});
  } catch (...) {
    ::close(ends[0]);
    ::close(ends[1]);
    throw;
  }
  ::close(ends[1]);
  channel_ = ends[0];
}

Keeper::~Keeper() {
  keep(":");
  ::close(channel_);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void Keeper::keep(const std::string& line) { give(channel_, line + "\n"); }

}  // namespace weft::launch
