// Real processes in the middle of traffic: killed, stopped, continued. The survivors neither abort nor hang, go on with
// each other, and nothing is left behind.

#include <gtest/gtest.h>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace weft {
namespace {

using Clock = std::chrono::steady_clock;

#ifdef WEFT_WRITE_CREDENTIALS
/// A folder with what traffic processes show each other under TLS; its name is in the environment.
class Credentials {
 public:
  Credentials() {
    if (::mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("no folder");
    const std::string command = WEFT_WRITE_CREDENTIALS " " + folder_ + " -86400 86400";
    if (std::system(command.c_str()) != 0) throw std::runtime_error("no certificates");
    ::setenv("WEFT_TEST_TLS", folder_.c_str(), 1);
  }
  ~Credentials() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

 private:
  std::string folder_ = (std::filesystem::temp_directory_path() / "weft-traffic-XXXXXX").string();
};
#endif

void provide_for([[maybe_unused]] const std::string& path) {
#ifdef WEFT_WRITE_CREDENTIALS
  if (path == "tls") {
    static const Credentials made;
  }
#endif
}

/// A traffic process with its input and output.
class Process {
 public:
  Process(const std::string& path, int stall_ms, unsigned seed, const char* lie = nullptr) {
    int in[2], out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    provide_for(path);
    const std::string stall = std::to_string(stall_ms), number = std::to_string(seed);
    id_ = ::fork();
    if (id_ == 0) {
      ::dup2(in[0], 0);
      ::dup2(out[1], 1);
      ::execl(WEFT_TRAFFIC, WEFT_TRAFFIC, path.c_str(), stall.c_str(), number.c_str(), lie, nullptr);
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    input_ = in[1];
    output_ = out[0];
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (id_ > 0) kill(SIGKILL), wait();
    if (input_ >= 0) ::close(input_);
    ::close(output_);
  }

  void kill(int signal) const { ::kill(id_, signal); }
  /// Returns the exit code, or minus the signal; -1000 if it does not end.
  int wait(double seconds = 20) {
    const auto until = Clock::now() + std::chrono::duration<double>(seconds);
    for (int status = 0; Clock::now() < until;) {
      const pid_t got = ::waitpid(id_, &status, WNOHANG);
      if (got == id_) {
        id_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
      }
      char none;
      pollfd one{output_, POLLIN, 0};
      ::poll(&one, 1, 1);
      if ((one.revents & POLLIN) != 0) [[maybe_unused]]
        const ssize_t got_bytes = ::read(output_, &none, 1);
    }
    return -1000;
  }
  void write(const std::string& text) const {
    [[maybe_unused]] const ssize_t wrote = ::write(input_, text.data(), text.size());
  }
  void end_input() {
    ::close(input_);
    input_ = -1;
  }
  /// Returns the next line, or an empty one after so long without.
  std::string line(double seconds = 20) {
    const auto until = Clock::now() + std::chrono::duration<double>(seconds);
    for (;;) {
      if (const std::size_t end = text_.find('\n'); end != std::string::npos) {
        std::string first = text_.substr(0, end);
        text_.erase(0, end + 1);
        met_ += first == "met";
        lost_ += first.starts_with("lost");
        return first;
      }
      const double left = std::chrono::duration<double>(until - Clock::now()).count();
      pollfd one{output_, POLLIN, 0};
      if (left <= 0 || ::poll(&one, 1, static_cast<int>(left * 1000) + 1) <= 0) return "";
      char bytes[4096];
      const ssize_t got = ::read(output_, bytes, sizeof bytes);
      if (got <= 0) return "";
      text_.append(bytes, static_cast<std::size_t>(got));
    }
  }
  /// Reads lines until one begins so; returns it, or an empty one where none came in so long, whatever else did.
  std::string until(const std::string& begin, double seconds = 20) {
    const auto end = Clock::now() + std::chrono::duration<double>(seconds);
    for (;;) {
      std::string next = line(std::max(0.0, std::chrono::duration<double>(end - Clock::now()).count()));
      if (next.empty() || next.starts_with(begin)) return next;
    }
  }
  /// Waits until it has met so many peers.
  void meet(int peers) {
    while (met_ < peers && !line().empty()) {
    }
    EXPECT_GE(met_, peers);
  }
  int met() const { return met_; }
  /// Waits until it has lost so many peers.
  void lose(int peers, double seconds = 20) {
    for (const auto end = Clock::now() + std::chrono::duration<double>(seconds); lost_ < peers && Clock::now() < end;)
      if (line().empty()) break;
    EXPECT_GE(lost_, peers);
  }
  /// Forgets what it has said so far.
  void forget() {
    while (!line(0).empty()) {
    }
  }

 private:
  pid_t id_ = -1;
  int input_ = -1, output_ = -1;
  std::string text_;
  int met_ = 0, lost_ = 0;
};

struct Three {
  Three(const std::string& path, int stall_ms, unsigned seed) {
    std::string before;
    for (unsigned i = 0; i < 3; ++i) {
      all.push_back(std::make_unique<Process>(path, stall_ms, seed * 3 + i));
      const std::string address = all.back()->line();
      EXPECT_TRUE(address.starts_with("weft1/")) << address;
      all.back()->write(before + "\n");
      before += address + " ";
    }
  }
  /// Waits until all have met and blocks arrive everywhere. Only who has been met can be lost, and blocks may move
  /// between two before the third has proven itself to both.
  void meet() {
    for (auto& one : all) one->meet(2);
    for (auto& one : all) EXPECT_EQ(one->until("moving"), "moving");
  }
  void end() {
    for (auto& one : all)
      if (one != nullptr) {
        one->end_input();
        EXPECT_EQ(one->wait(), 0);
      }
  }
  std::vector<std::unique_ptr<Process>> all;
};

std::set<std::string> shared_files() {
  std::set<std::string> names;
  if (DIR* folder = ::opendir("/dev/shm"); folder != nullptr) {
    while (const dirent* entry = ::readdir(folder))
      if (std::string_view(entry->d_name).find("weft") != std::string_view::npos) names.insert(entry->d_name);
    ::closedir(folder);
  }
  return names;
}

/// What was seen in rounds of three processes of which one is killed.
struct Seen {
  int killed_while_moving = 0;                // rounds
  int told = 0, went_on = 0, ended_well = 0;  // survivors: two a round
  std::set<std::string> left;                 // in shared memory
  std::string first_problem;
};

bool kill_one(const std::string& path, unsigned seed, std::mt19937& random, Seen& seen) {
  Three three(path, 30'000, seed);
  three.meet();
  const std::size_t victim = random() % 3;
  for (unsigned lines = random() % 3; lines > 0; --lines) three.all[victim]->until("moving");
  const auto moment = Clock::now() + std::chrono::microseconds(random() % 2000);
  while (Clock::now() < moment) {
  }
  three.all[victim]->kill(SIGKILL);
  const int end = three.all[victim]->wait();
  three.all[victim].reset();
  if (end == -SIGKILL) ++seen.killed_while_moving;
  const auto check = [&](bool good, int& count, const char* otherwise) {
    if (good) ++count;
    if (!good && seen.first_problem.empty()) seen.first_problem = otherwise + (", seed " + std::to_string(seed));
    return good;
  };
  bool good = true;
  for (auto& one : three.all) {
    if (one == nullptr || !good) continue;
    good = check(!one->until("lost").empty(), seen.told, "a survivor was not told") &&
           check(one->until("moving") == "moving", seen.went_on, "a survivor does not go on");
  }
  for (auto& one : three.all) {
    if (one == nullptr || !good) continue;
    one->end_input();
    check(one->wait() == 0, seen.ended_well, "a survivor ended with another code than 0");
  }
  return good && seen.first_problem.empty();
}

Seen kill_in_the_middle(const std::string& path, int times, unsigned seed) {
  std::mt19937 random(seed);
  const std::set<std::string> before = shared_files();
  Seen seen;
  for (int i = 0; i < times && kill_one(path, seed + static_cast<unsigned>(i), random, seen); ++i) {
  }
  for (const std::string& name : shared_files())
    if (before.count(name) == 0) seen.left.insert(name);
  return seen;
}

void expect_all_survived(const Seen& seen, int times) {
  EXPECT_EQ(seen.first_problem, "");
  EXPECT_EQ(seen.killed_while_moving, times);
  EXPECT_EQ(seen.told, 2 * times) << "survivors that heard of the death";
  EXPECT_EQ(seen.went_on, 2 * times) << "survivors that went on with each other";
  EXPECT_EQ(seen.ended_well, 2 * times) << "survivors that ended with 0: no abort, no wrong byte";
  EXPECT_TRUE(seen.left.empty()) << *seen.left.begin() << " was left in /dev/shm";
}

class NetworkTransportKillTest : public ::testing::TestWithParam<const char*> {};
class NetworkTransportKillSlow : public ::testing::TestWithParam<const char*> {};

TEST_P(NetworkTransportKillTest, KilledInTheMiddleOfTrafficThirtyTimes) {
  expect_all_survived(kill_in_the_middle(GetParam(), 30, 1), 30);
}
TEST_P(NetworkTransportKillSlow, KilledInTheMiddleOfTrafficAThousandTimes) {
  expect_all_survived(kill_in_the_middle(GetParam(), 1000, 1000), 1000);
}

// Before all have met, too: whoever had met it is told, whoever had not goes on as if it had never been.
TEST_P(NetworkTransportKillTest, KilledWhileItIsBeingMetThirtyTimes) {
  std::mt19937 random(11);
  int met_before = 0;
  for (unsigned round = 0; round < 30; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Three three(GetParam(), 30'000, 200 + round * 3);
    const std::size_t victim = random() % 3;
    const auto moment = Clock::now() + std::chrono::microseconds(random() % 8000);
    while (Clock::now() < moment) {
    }
    three.all[victim]->kill(SIGKILL);
    ASSERT_EQ(three.all[victim]->wait(), -SIGKILL);
    three.all.erase(three.all.begin() + static_cast<std::ptrdiff_t>(victim));
    for (auto& one : three.all) one->meet(1);
    for (auto& one : three.all) {
      ASSERT_EQ(one->until("moving"), "moving");
      met_before += one->met() - 1;
      one->lose(one->met() - 1);
    }
    three.end();
  }
  RecordProperty("met_before", met_before);
}

// What the tests here rest on: a process of theirs does notice a byte that is not what it should be.
TEST_P(NetworkTransportKillTest, ATrafficProcessEndsWithTwoWhenAByteDiffers) {
  Process honest(GetParam(), 30'000, 1);
  const std::string address = honest.line();
  honest.write("\n");
  Process liar(GetParam(), 30'000, 2, "lie");
  EXPECT_TRUE(liar.line().starts_with("weft1/"));
  liar.write(address + "\n");
  EXPECT_EQ(honest.wait(), 2);
}

TEST_P(NetworkTransportKillTest, StoppedProcessIsLostAndComesBackAlone) {
  Three three(GetParam(), 1500, 7);
  three.meet();
  three.all[0]->kill(SIGSTOP);
  for (std::size_t i = 1; i < 3; ++i) {
    const std::string lost = three.all[i]->until("lost");
    EXPECT_TRUE(lost.starts_with("lost nothing moved for 1.5 s on ")) << lost;
    three.all[i]->forget();
    EXPECT_EQ(three.all[i]->until("moving"), "moving");
  }
  three.all[0]->kill(SIGCONT);
  EXPECT_NE(three.all[0]->until("lost"), "");
  EXPECT_NE(three.all[0]->until("lost"), "");
  three.end();
}

TEST_P(NetworkTransportKillTest, DeathIsToldAtOnce) {
  std::vector<double> seconds;
  for (unsigned i = 0; i < 10; ++i) {
    Three three(GetParam(), 30'000, 50 + i);
    three.meet();
    three.all[1]->forget();
    three.all[0]->kill(SIGKILL);
    const auto start = Clock::now();
    ASSERT_NE(three.all[1]->until("lost"), "");
    seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
    three.all.erase(three.all.begin());
    three.end();
  }
  std::sort(seconds.begin(), seconds.end());
  // A busy machine may not schedule the survivor at once: the middle one counts.
  EXPECT_LT(seconds[5], 0.1) << "seconds from the kill to the word of it";
  RecordProperty("median_us", static_cast<int>(seconds[5] * 1e6));
}

const auto kPaths = ::testing::Values("shm", "tcp"
#ifdef WEFT_HAS_UCX
                                      ,
                                      "ucx"
#endif
#ifdef WEFT_WRITE_CREDENTIALS
                                      ,
                                      "tls"
#endif
);
INSTANTIATE_TEST_SUITE_P(Paths, NetworkTransportKillTest, kPaths);
INSTANTIATE_TEST_SUITE_P(Paths, NetworkTransportKillSlow, kPaths);

}  // namespace
}  // namespace weft
