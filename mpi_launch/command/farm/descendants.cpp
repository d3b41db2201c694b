#include "mpi_launch/command/farm/descendants.hpp"

#include <dirent.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace weft::command::farm {
namespace {

/// Processes by the one that they descend from.
std::multimap<pid_t, pid_t> read_children() {
  std::multimap<pid_t, pid_t> children;
  DIR* const folder = ::opendir("/proc");
  if (folder == nullptr) return children;
  while (const dirent* const entry = ::readdir(folder)) {
    pid_t pid = 0;
    const char* const end = entry->d_name + std::strlen(entry->d_name);
    if (std::from_chars(entry->d_name, end, pid).ptr != end) continue;
    std::ifstream file(std::string("/proc/") + entry->d_name + "/stat");
    std::string line;
    std::getline(file, line);
    // The name stands in brackets and may hold anything; behind it are the state and the parent.
    const std::size_t name_end = line.rfind(')');
    pid_t parent = 0;
    if (name_end == std::string::npos || std::sscanf(line.c_str() + name_end + 1, " %*c %d", &parent) != 1) continue;
    children.emplace(parent, pid);
  }
  ::closedir(folder);
  return children;
}

/// `all` and what descends from them is stopped, so that none starts another unseen, then sent the signal.
void signal_all(std::set<pid_t> all, pid_t spared, int signal) {
  for (std::size_t known = 0; known != all.size();) {
    known = all.size();
    const std::multimap<pid_t, pid_t> children = read_children();
    for (std::vector<pid_t> next(all.begin(), all.end()); !next.empty();) {
      const auto [begin, end] = children.equal_range(next.back());
      next.pop_back();
      for (auto at = begin; at != end; ++at) {
        if (!all.insert(at->second).second) continue;
        ::kill(at->second, SIGSTOP);
        next.push_back(at->second);
      }
    }
  }
  all.erase(spared);
  for (const pid_t one : all) ::kill(one, signal);
  for (const pid_t one : all) ::kill(one, SIGCONT);
}

}  // namespace

void signal_tree(pid_t root, int signal) {
  ::kill(root, SIGSTOP);
  signal_all({root}, 0, signal);
}

struct EndingTogether::Watch {
  sigset_t signals{};
  sigset_t before{};
  std::atomic<bool> over{false};
  std::thread thread;
};

EndingTogether::EndingTogether() : watch_(new Watch) {
  ::sigemptyset(&watch_->signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction now {};
    ::sigaction(signal, nullptr, &now);
    // What nohup and others have switched off stays so.
    if (now.sa_handler != SIG_IGN) ::sigaddset(&watch_->signals, signal);
  }
  ::pthread_sigmask(SIG_BLOCK, &watch_->signals, &watch_->before);
  watch_->thread = std::thread([watch = watch_] {
    const timespec pause{0, 50'000'000};
    while (!watch->over.load()) {
      const int signal = ::sigtimedwait(&watch->signals, nullptr, &pause);
      if (signal <= 0) continue;
      signal_all({::getpid()}, ::getpid(), SIGTERM);
      ::signal(signal, SIG_DFL);
      ::pthread_sigmask(SIG_UNBLOCK, &watch->signals, nullptr);
      ::raise(signal);
    }
  });
}

EndingTogether::~EndingTogether() {
  watch_->over.store(true);
  watch_->thread.join();
  ::pthread_sigmask(SIG_SETMASK, &watch_->before, nullptr);
  delete watch_;
}

}  // namespace weft::command::farm
