// recover: the same work twice; in the second run one worker is killed when so much of it is done.

#include <weft/client.hpp>
#include <weft/this_task.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "bench/cases.hpp"
#include "bench/metg.hpp"

namespace weft::bench {
namespace {

/// Where the tally of a run lies; travels with every task.
struct TallyName {
  std::array<char, 48> path{};
  std::uint64_t run = 0;
};

/// Which task ran how often, and which process was the first: written by all processes of this host.
/// Owns: a mapped file. Threading: any thread of any process.
class Tally {
 public:
  static constexpr std::size_t kMost = std::size_t{1} << 20;
  struct Entry {
    std::atomic<std::uint32_t> times;
    std::atomic<std::uint32_t> first;  // process
  };
  struct Shared {
    std::atomic<std::uint64_t> done;
    Entry entries[kMost];
  };

  explicit Tally(const char* path) {
    const int file = ::open(path, O_RDWR | O_CLOEXEC);
    void* const place =
        file < 0 ? MAP_FAILED : ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (file >= 0) ::close(file);
    if (place == MAP_FAILED) throw std::runtime_error(std::string("no tally at ") + path);
    shared_ = static_cast<Shared*>(place);
  }
  ~Tally() { ::munmap(shared_, sizeof(Shared)); }
  Tally(const Tally&) = delete;
  Tally& operator=(const Tally&) = delete;

  Shared& operator*() const { return *shared_; }
  Shared* operator->() const { return shared_; }

 private:
  Shared* shared_;
};

/// Notes the end of a task.
void note(const TallyName& name, std::uint64_t index) {
  static const Tally tally(name.path.data());
  Tally::Entry& entry = tally->entries[index % Tally::kMost];
  std::uint32_t nobody = 0;
  entry.first.compare_exchange_strong(nobody, static_cast<std::uint32_t>(::getpid()), std::memory_order_relaxed);
  if (entry.times.fetch_add(1, std::memory_order_relaxed) == 0) tally->done.fetch_add(1, std::memory_order_relaxed);
}

/// Works for a while on a value; the sum of all results does not depend on where they were found.
std::uint64_t spin(std::uint64_t value, std::uint64_t rounds) {
  for (std::uint64_t i = 0; i < rounds; ++i) value = value * 6364136223846793005u + 1442695040888963407u;
  return value;
}

std::uint64_t leaf(std::uint64_t index, std::uint64_t rounds, const TallyName& name) {
  const std::uint64_t value = spin(index, rounds);
  note(name, index);
  return value;
}

std::uint64_t add(std::uint64_t left, std::uint64_t right, std::uint64_t index, const TallyName& name) {
  note(name, index);
  return left + right;
}

std::uint64_t sum_of(const std::vector<std::uint64_t>& values, std::uint64_t index, const TallyName& name) {
  std::uint64_t sum = 0;
  for (const std::uint64_t value : values) sum += value;
  note(name, index);
  return sum;
}

std::uint64_t nested(std::uint64_t n, const TallyName& name) {
  if (n < 2) return n;
  const Client& client = this_task::client();
  const Future<std::uint64_t> left = client.submit(&nested, n - 1, name);
  const Future<std::uint64_t> right = client.submit(&nested, n - 2, name);
  const std::uint64_t sum = left.result() + right.result();
  note(name, 0);
  return sum;
}

struct Work {
  std::string shape;
  std::uint64_t tasks = 0;  // leaves; pieces of a move; n of fib(n)
  std::uint64_t rounds = 0;
};

std::uint64_t run_tree(const Client& client, const Work& work, const TallyName& name,
                       std::vector<Future<std::uint64_t>> level) {
  std::uint64_t index = work.tasks;
  while (level.size() > 1) {
    std::vector<Future<std::uint64_t>> next;
    for (std::size_t i = 0; i + 1 < level.size(); i += 2)
      next.push_back(client.submit(&add, level[i], level[i + 1], index++, name));
    if (level.size() % 2 == 1) next.push_back(std::move(level.back()));
    level = std::move(next);
  }
  return level.front().result();
}

/// Each target takes a piece of each source, which is a task of its own.
std::uint64_t run_move(const Client& client, const Work& work, const TallyName& name,
                       const std::vector<Future<std::uint64_t>>& pieces) {
  std::uint64_t side = 1;
  while (side * side < work.tasks) ++side;
  std::vector<std::vector<Future<std::uint64_t>>> rows(side);
  for (std::size_t i = 0; i < pieces.size(); ++i) rows[i % side].push_back(pieces[i]);
  std::vector<Future<std::uint64_t>> targets;
  std::uint64_t index = work.tasks;
  for (const auto& row : rows) targets.push_back(client.submit(&sum_of, row, index++, name));
  std::uint64_t sum = 0;
  for (const std::uint64_t value : client.gather(targets)) sum += value;
  return sum;
}

std::uint64_t run_once(const Client& client, const Work& work, const TallyName& name) {
  if (work.shape == "nested") return client.submit(&nested, work.tasks, name).result();
  std::vector<std::uint64_t> indices;
  for (std::uint64_t i = 0; i < work.tasks; ++i) indices.push_back(i);
  std::vector<Future<std::uint64_t>> leaves = client.map(&leaf, indices, work.rounds, name);
  if (work.shape == "tree") return run_tree(client, work, name, std::move(leaves));
  if (work.shape == "move") return run_move(client, work, name, leaves);
  std::uint64_t sum = 0;
  for (const std::uint64_t value : client.gather(leaves)) sum += value;
  return sum;
}

std::uint64_t fibonacci(std::uint64_t n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

std::uint64_t expected_of(const Work& work) {
  if (work.shape == "nested") return fibonacci(work.tasks);
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < work.tasks; ++i) sum += spin(i, work.rounds);
  return sum;
}

/// How often a task is noted in an undisturbed run.
std::uint64_t notes_of(const Work& work) {
  if (work.shape == "tree") return 2 * work.tasks - 1;
  if (work.shape != "move") return work.tasks;
  std::uint64_t side = 1;
  while (side * side < work.tasks) ++side;
  return work.tasks + side;
}

int threads_of(std::uint32_t process) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("Threads:")) return std::atoi(line.c_str() + 8);
  return 0;
}

/// Watches the tally; kills one worker when `at` tasks are done.
/// Owns: a thread, which ends with it. Threading: the one that made it.
class Killer {
 public:
  Killer(const Tally& tally, std::uint64_t at, std::uint64_t looked_at)
      : tally_(tally), at_(at), looked_at_(looked_at), thread_([this] { watch(); }) {}
  ~Killer() { end(); }
  Killer(const Killer&) = delete;
  Killer& operator=(const Killer&) = delete;

  void end() {
    over_.store(true);
    if (thread_.joinable()) thread_.join();
  }
  /// After `end`: whom it killed, how many tasks that one had done, the most threads of a worker.
  std::uint32_t victim() const { return victim_; }
  std::uint64_t lost() const { return lost_; }
  int most_threads() const { return most_threads_; }

 private:
  void watch() {
    for (int turn = 0; !over_.load(); ++turn) {
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      if (turn % 64 == 0) count_threads();
      if (at_ == 0 || victim_ != 0) continue;
      const std::uint64_t done = looked_at_ == 1 ? tally_->entries[0].times.load() : tally_->done.load();
      if (done >= at_) kill_one();
    }
  }
  std::set<std::uint32_t> processes() const {
    std::set<std::uint32_t> all;
    for (std::uint64_t i = 0; i < looked_at_; ++i)
      if (const std::uint32_t one = tally_->entries[i].first.load(); one != 0) all.insert(one);
    return all;
  }
  void count_threads() {
    for (const std::uint32_t one : processes()) most_threads_ = std::max(most_threads_, threads_of(one));
  }
  void kill_one() {
    const std::set<std::uint32_t> all = processes();
    if (all.empty() || *all.rbegin() == static_cast<std::uint32_t>(::getpid())) return;
    victim_ = *all.rbegin();
    ::kill(static_cast<pid_t>(victim_), SIGKILL);
    for (std::uint64_t i = 0; i < looked_at_; ++i)
      if (tally_->entries[i].first.load() == victim_) ++lost_;
  }

  const Tally& tally_;
  const std::uint64_t at_, looked_at_;
  std::uint32_t victim_ = 0;
  std::uint64_t lost_ = 0;
  int most_threads_ = 0;
  std::atomic<bool> over_{false};
  std::thread thread_;
};

/// Owns: the file of a tally, which is removed with it.
class TallyFile {
 public:
  TallyFile() {
    const char* const folder = std::getenv("TMPDIR");
    path_ = std::string(folder != nullptr ? folder : "/tmp") + "/weft-tally-XXXXXX";
    if (path_.size() + 1 > TallyName{}.path.size()) path_ = "/tmp/weft-tally-XXXXXX";
    const int file = ::mkstemp(path_.data());
    if (file < 0 || ::ftruncate(file, sizeof(Tally::Shared)) != 0) throw std::runtime_error("no file for the tally");
    ::close(file);
  }
  ~TallyFile() { ::unlink(path_.c_str()); }
  TallyFile(const TallyFile&) = delete;
  TallyFile& operator=(const TallyFile&) = delete;
  TallyName name() const {
    TallyName name;
    std::memcpy(name.path.data(), path_.data(), path_.size());
    return name;
  }

 private:
  std::string path_;
};

void run_recover(const Case& self, const Arguments& arguments, const Output& output) {
  Work work{arguments.text("shape"), static_cast<std::uint64_t>(arguments.integer("tasks")),
            static_cast<std::uint64_t>(arguments.integer("rounds"))};
  if (work.shape == "nested") work.tasks = static_cast<std::uint64_t>(arguments.integer("n"));
  if (notes_of(work) > Tally::kMost) throw std::invalid_argument("--tasks is at most 500,000");
  const Client client(client_options(arguments));
  const std::uint64_t expected = expected_of(work);
  const TallyFile file;
  const TallyName name = file.name();
  const Tally tally(name.path.data());
  const bool one_place = work.shape == "nested";
  std::uint64_t noted = notes_of(work);
  for (int run = 0; run < 2; ++run) {
    for (std::uint64_t i = 0; i < Tally::kMost; ++i) {
      tally->entries[i].times.store(0);
      tally->entries[i].first.store(0);
    }
    tally->done.store(0);
    const double part = run == 0 ? 0 : arguments.real("kill");
    Killer killer(tally, static_cast<std::uint64_t>(part * static_cast<double>(noted)), one_place ? 1 : notes_of(work));
    const double begin = seconds_now();
    if (run_once(client, work, name) != expected) wrong_result("recover");
    Samples samples;
    samples.add(seconds_now() - begin);
    killer.end();
    if (one_place) noted = tally->entries[0].times.load();
    std::uint64_t again = 0;
    for (std::uint64_t i = 0; i < notes_of(work) && !one_place; ++i)
      again += std::max(1u, tally->entries[i].times.load()) - 1;
    Line line(self.name);
    line.param("shape", work.shape).param("tasks", static_cast<std::int64_t>(work.tasks));
    line.param("run", static_cast<std::int64_t>(run)).seconds(samples);
    line.number("seconds", samples.min()).integer("killed", killer.victim() != 0 ? 1 : 0);
    // Of nested tasks only one place is noted: how far the run is.
    if (!one_place) {
      line.integer("lost_tasks", static_cast<std::int64_t>(killer.lost()));
      line.integer("recomputed_tasks", static_cast<std::int64_t>(again));
      line.number("recomputed_per_lost",
                  killer.lost() == 0 ? 0 : static_cast<double>(again) / static_cast<double>(killer.lost()));
    }
    line.integer("most_threads_of_a_worker", killer.most_threads()).peak();
    output.print(line);
  }
}

}  // namespace

std::vector<Case> recover_cases() {
  return {
      {"recover",
       "the same work twice; in the second run one worker is killed",
       {{"tasks", "100000", "tasks"},
        {"rounds", "20000", "rounds of arithmetic in each (1,000 are about 1 us)"},
        {"shape", "independent", "independent, tree, move (many to many), or nested"},
        {"n", "20", "of nested: fib(n)"},
        {"kill", "0.5", "when so much is done; 0: never"},
        kScheduler,
        kThreads},
       &run_recover},
  };
}

}  // namespace weft::bench
