/// Programs as users write them, for client_test.py: `client_job WHAT [FOLDER]` under mpirun.

#include <weft/weft.hpp>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <thread>

namespace {

using namespace weft;

std::int64_t square(std::int64_t x) { return x * x; }
std::int64_t add(std::int64_t a, std::int64_t b) { return a + b; }
std::int64_t process_of(std::int64_t) { return ::getpid(); }

std::int64_t slow(std::int64_t x, double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  return x;
}

/// True for whoever asks first in this folder, in any process.
bool first(const std::string& folder, const std::string& what) {
  return std::fclose(std::fopen((folder + "/lock").c_str(), "a")) == 0 &&
         ::symlink("x", (folder + "/" + what).c_str()) == 0;
}

/// Uses its stack up.
std::int64_t falls(const volatile char* before, std::int64_t depth) {
  volatile char frame[4096];
  frame[0] = *before;
  return depth == 0 ? 0 : falls(frame, depth + 1) + frame[0];
}

std::int64_t dies_once(std::int64_t x, const std::string& how, const std::string& folder) {
  if (x == 50 && first(folder, "died")) {
    if (how == "exit") std::exit(7);
    if (how == "exit-as-restarted") std::exit(77);
    if (how == "segv") std::raise(SIGSEGV);
    if (how == "kill") ::kill(::getpid(), SIGKILL);
    if (how == "fall") return falls(how.data(), 1);
    if (how == "fork" && ::fork() == 0) {
      std::this_thread::sleep_for(std::chrono::seconds(100));
      ::_exit(0);
    }
  }
  return slow(x, 0.002);
}

/// Ends in any process but the one that it began in.
std::int64_t leaves(std::int64_t x, const std::string& folder) {
  const std::string me = std::to_string(::getpid());
  const std::string home = folder + "/home";
  char first[32] = "";
  if (::symlink(me.c_str(), home.c_str()) == 0 || ::readlink(home.c_str(), first, sizeof first - 1) < 0 || first == me)
    throw Reschedule();
  return x;
}

std::int64_t fails(std::int64_t x) {
  if (x == 3) throw std::runtime_error("three is no good");
  return x;
}

std::int64_t fib(std::int64_t n) {
  if (n < 2) return n;
  return fib(n - 1) + fib(n - 2);
}

/// About a megabyte that shrinks well.
std::vector<std::int64_t> row_of(std::int64_t x, std::size_t size) {
  std::vector<std::int64_t> values(size);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = x + static_cast<std::int64_t>(i / 1024);
  return values;
}

std::vector<std::int64_t> row(std::int64_t x) { return row_of(x, 131'072); }
std::vector<std::int64_t> wide_row(std::int64_t x) { return row_of(x, 1 << 20); }

std::int64_t first_of(const std::vector<std::int64_t>& a, const std::vector<std::int64_t>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] - a[0] != b[i] - b[0]) return -1'000'000'000;
  }
  return a.front() + b.back() - static_cast<std::int64_t>(b.size() - 1) / 1024;
}

/// Each call is a task that submits two and waits for them.
std::int64_t nested_fib(std::int64_t n) {
  if (n < 2) return n;
  const Client& client = this_task::client();
  const Future<std::int64_t> one = client.submit(&nested_fib, n - 1);
  const Future<std::int64_t> two = client.submit(&nested_fib, n - 2);
  return one.result() + two.result();
}

/// Takes memory that weft does not manage, 4 MiB at a time or all at once, until somebody stops it; once, in any
/// process.
std::int64_t hogs(std::int64_t x, const std::string& folder, const std::string& how) {
  if (x != 50 || !first(folder, "hogged")) return slow(x, 0.002);
  if (how == "at once") return static_cast<std::int64_t>(std::vector<char>(std::size_t{4} << 30, 'x').size());
  for (std::vector<std::vector<char>> all;; std::this_thread::sleep_for(std::chrono::milliseconds(25)))
    all.emplace_back(std::size_t{4} << 20, 'x');
}

/// One of many short tasks that takes its worker along, whenever it runs.
std::int64_t poisoned(std::int64_t x, const std::string& how) {
  if (x == 500 && how == "segv") std::raise(SIGSEGV);
  if (x == 500 && how == "kill") ::kill(::getpid(), SIGKILL);
  return x;
}

std::vector<std::int64_t> numbers(std::int64_t count) {
  std::vector<std::int64_t> all;
  for (std::int64_t i = 0; i < count; ++i) all.push_back(i);
  return all;
}

void print(const char* what, std::int64_t value) {
  std::printf("%s %lld\n", what, static_cast<long long>(value));
  std::fflush(stdout);
}

void plain(Client& client) {
  print("submit", client.submit(&square, 12).result());
  std::int64_t sum = 0;
  for (const std::int64_t value : client.gather(client.map(&square, numbers(1000)))) sum += value;
  print("map", sum);
  const auto a = client.submit(&square, 3);
  const auto b = client.submit(&square, 4);
  print("chain", client.submit(&add, a, b).result());
  std::vector<Delayed<std::int64_t>> level;
  for (std::int64_t i = 0; i < 64; ++i) level.push_back(delayed(&square)(i));
  while (level.size() > 1) {
    std::vector<Delayed<std::int64_t>> next;
    for (std::size_t i = 0; i + 1 < level.size(); i += 2) next.push_back(delayed(&add)(level[i], level[i + 1]));
    level = next;
  }
  print("delayed", client.compute(level.front()));
  std::set<std::int64_t> processes;
  for (const std::int64_t process : client.gather(client.map(&process_of, numbers(3000)))) processes.insert(process);
  print("elsewhere", processes.count(::getpid()) == 0 ? 1 : 0);
}

void dying(Client& client, const std::string& how, const std::string& folder) {
  std::int64_t sum = 0;
  for (const std::int64_t value : client.gather(client.map(&dies_once, numbers(400), how, folder))) sum += value;
  print("sum", sum);
}

void watched(Client& client) {
  std::printf("working\n");
  std::fflush(stdout);
  std::vector<Future<std::int64_t>> level = client.map(&slow, numbers(1500), 0.002);
  while (level.size() > 1) {
    std::vector<Future<std::int64_t>> next;
    for (std::size_t i = 0; i + 1 < level.size(); i += 2) next.push_back(client.submit(&add, level[i], level[i + 1]));
    if (level.size() % 2 == 1) next.push_back(level.back());
    level = next;
  }
  print("sum", level.front().result());
}

/// Moves rows of 8 MB between workers for some seconds, so that one that is stopped is in the middle of a transfer.
void stalling(Client& client) {
  constexpr std::size_t kRows = 12;
  std::printf("working\n");
  std::fflush(stdout);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(4);
  std::int64_t wrong = 0;
  do {
    const std::vector<Future<std::vector<std::int64_t>>> rows = client.map(&wide_row, numbers(kRows));
    std::vector<Future<std::int64_t>> pairs;
    for (std::size_t i = 0; i < kRows; ++i)
      pairs.push_back(client.submit(&first_of, rows[i], rows[(i * 7 + 3) % kRows]));
    for (std::size_t i = 0; i < kRows; ++i) {
      const std::size_t expected = i + (i * 7 + 3) % kRows;
      wrong += pairs[i].result() == static_cast<std::int64_t>(expected) ? 0 : 1;
    }
  } while (std::chrono::steady_clock::now() < end);
  print("wrong", wrong);
}

/// Pairs of rows that mostly lie in different processes.
void moving(Client& client, std::int64_t count) {
  std::printf("working\n");
  std::fflush(stdout);
  const std::vector<Future<std::vector<std::int64_t>>> rows = client.map(&row, numbers(count));
  std::vector<Future<std::int64_t>> pairs;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    pairs.push_back(client.submit(&first_of, rows[i], rows[(i * 7 + 3) % rows.size()]));
  }
  std::int64_t sum = 0;
  for (const std::int64_t value : client.gather(pairs)) sum += value;
  print("moved", sum);
}

std::int64_t notes(std::int64_t n) {
  this_task::client().log_event("steps", "step " + std::to_string(n));
  if (n == 0) this_task::client().set_metadata("made by", "a task");
  return this_task::client().metadata("model") == "v1" ? n : -1;
}

/// What the client sees of its workers, and what tasks note in it.
std::int64_t process(int) { return ::getpid(); }
std::int64_t long_task(std::int64_t n) {
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  return n;
}
std::atomic<int> prepared{0};
int is_prepared(int) { return prepared; }
std::int64_t asks_scheduler(int) {
  try {
    return this_task::client().run_on_scheduler([] { return 1; });
  } catch (const Error&) {
    return -1;
  }
}

/// Has all workers restarted, more often than they may die, while tasks run there.
void restarts(const Client& client) {
  const WorkerPlugin plugin(client, "prepared", [] { ++prepared; });
  std::vector<std::string> names;
  for (const WorkerInfo& worker : client.info().workers) names.push_back(worker.name);
  const std::map<std::string, std::int64_t> before = client.run_on_workers(&process, 0);
  const auto running = client.map(&long_task, numbers(6));
  for (int round = 0; round < 4; ++round) client.restart_workers(names);
  const std::map<std::string, std::int64_t> after = client.run_on_workers(&process, 0);
  std::int64_t fresh = 0;
  for (const auto& [name, pid] : after) fresh += before.at(name) != pid ? 1 : 0;
  print("fresh", fresh);
  std::int64_t sum = 0;
  for (const std::int64_t one : client.gather(running)) sum += one;
  print("sum", sum);
  std::int64_t ready = 0;
  for (const auto& [name, count] : client.run_on_workers(&is_prepared, 0)) ready += count;
  print("prepared", ready);
  print("scheduler", client.run_on_scheduler(&process, 0) == ::getpid() ? 1 : 0);
  print("from a task", client.submit(&asks_scheduler, 0).result());
}

void looking(Client& client) {
  client.set_metadata("model", "v1");
  TaskStream stream(client);
  ResourceProfile profile(client, {.interval = std::chrono::milliseconds(10)});
  std::int64_t sum = 0;
  for (const std::int64_t value : client.gather(client.map(&notes, numbers(10)))) sum += value;
  print("sum", sum);
  print("events", static_cast<std::int64_t>(client.events("steps").size()));
  print("metadata", client.metadata("made by") == "a task" ? 1 : 0);
  client.gather(client.with({.name = "napping"}).map(&slow, numbers(50), 0.002));
  std::set<std::string> workers;
  std::int64_t streamed = 0;
  for (const RanTask& task : stream.tasks()) {
    workers.insert(task.worker);
    streamed += task.name.starts_with("napping") && task.seconds >= 0.002 ? 1 : 0;
  }
  print("streamed", streamed);
  print("workers", static_cast<std::int64_t>(workers.size()));
  const auto held = client.with({.name = "held"}).submit(&slow, 1, 0.5);
  std::int64_t held_seen = 0;
  while (!held.done() && held_seen == 0) {
    for (const auto& [worker, running] : processing(client)) {
      for (const RunningTask& task : running) held_seen += task.name.starts_with("held") ? 1 : 0;
    }
  }
  print("processing", held_seen);
  profile.stop();
  print("profiled", static_cast<std::int64_t>(profile.worker_samples().size()));
  print("logs", static_cast<std::int64_t>(worker_logs(client).size()));
}

void many(Client& client) {
  std::int64_t sum = 0;
  for (const std::int64_t value : client.gather(client.map(&slow, numbers(4000), 0.01))) sum += value;
  print("sum", sum);
}

/// Says in a file of its own that it began, and that it ended.
std::int64_t noted(std::int64_t x, double seconds, const std::string& folder, const std::string& kind) {
  const std::string name = folder + "/" + kind + std::to_string(x);
  std::ofstream(name + ".begun") << x;
  slow(x, seconds);
  std::ofstream(name + ".ended") << x;
  return x;
}

/// Long tasks of which most cannot end in time, behind them short ones that can. `how`: the long ones are urgent, or
/// each of them is read by more tasks than workers are given at once.
void timely(Client& client, const std::string& folder, const std::string& how) {
  std::vector<Future<std::int64_t>> far;
  for (std::int64_t i = 0; i < 12; ++i) {
    if (how == "urgent") {
      far.push_back(client.with({.priority = 1}).submit(&noted, i, 3.0, folder, "far"));
    } else {
      far.push_back(client.submit(&noted, i, 3.0, folder, "far"));
    }
  }
  std::vector<Future<std::int64_t>> readers;
  for (int i = 0; how == "read" && i < 120; ++i) readers.push_back(client.submit(&square, far[i % far.size()]));
  std::vector<Future<std::int64_t>> near;
  for (std::int64_t i = 0; i < 20; ++i) near.push_back(client.submit(&noted, i, 0.05, folder, "near"));
  for (const auto& one : near) static_cast<void>(one.result());
  print("near", static_cast<std::int64_t>(near.size()));
  if (!readers.empty()) print("read", static_cast<std::int64_t>(client.gather(readers).size()));
  print("far", static_cast<std::int64_t>(client.gather(far).size()));
}

template <class Result>
void count_good(const std::vector<Result>& results, const auto& value_of) {
  std::int64_t good = 0;
  std::int64_t sum = 0;
  for (const Result& result : results) {
    try {
      sum += value_of(result);
      ++good;
    } catch (const std::exception& error) {
      std::printf("failed: %s\n", error.what());
    }
  }
  print("good", good);
  print("sum", sum);
}

/// A killer among a thousand short tasks, each read by another one.
void poison(Client& client, const std::string& how, const std::string& as) {
  if (as == "map") {
    const auto values = client.map(&poisoned, numbers(1000), how);
    std::vector<Future<std::int64_t>> squares;
    for (const auto& value : values) squares.push_back(client.submit(&square, value));
    count_good(values, [](const auto& value) { return value.result(); });
    return count_good(squares, [](const auto& value) { return value.result(); });
  }
  Graph graph;
  std::vector<Delayed<std::int64_t>> values;
  std::vector<Delayed<std::int64_t>> squares;
  for (const std::int64_t x : numbers(1000)) values.push_back(graph.add(&poisoned, x, how));
  for (const auto& value : values) squares.push_back(graph.add(&square, value));
  try {
    client.run(graph);
    std::printf("the graph did not fail\n");
  } catch (const std::exception& error) {
    std::printf("graph: %s\n", error.what());
  }
  count_good(values, [](const auto& value) { return value.value(); });
  count_good(squares, [](const auto& value) { return value.value(); });
}

/// Asks for one answer after the other by `done()` alone; before each, an answer is waited for in `result()`, for some
/// milliseconds in every other round. Prints how long they took.
void polling(Client& client) {
  constexpr int kRounds = 400;
  std::vector<double> taken_ms;
  std::int64_t wrong = 0;
  for (std::int64_t round = 0; round < kRounds; ++round) {
    const double waited_s = round % 2 == 0 ? 0.008 : 0;
    wrong += client.submit(&slow, round, waited_s).result() == round ? 0 : 1;
    const auto begin = std::chrono::steady_clock::now();
    const Future<std::int64_t> answer = client.submit(&square, round);
    while (!answer.done()) std::this_thread::sleep_for(std::chrono::microseconds(20));
    taken_ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    wrong += answer.result() == round * round ? 0 : 1;
  }
  std::sort(taken_ms.begin(), taken_ms.end());
  const auto late = std::count_if(taken_ms.begin(), taken_ms.end(), [](double ms) { return ms > 100; });
  std::printf("polled: middle %.3f ms, longest %.3f ms, %lld later than 100 ms\n", taken_ms[kRounds / 2],
              taken_ms.back(), static_cast<long long>(late));
  print("wrong", wrong);
}

/// Describes a graph that another run loads.
/// In the worker of the rank that CLIENT_JOB_WITHOUT_WORKER names: it ends before it can start.
[[maybe_unused]] const bool has_worker = [] {
  const char* const rank = std::getenv("CLIENT_JOB_WITHOUT_WORKER");
  if (rank == nullptr || std::getenv("WEFT_INTERNAL_WORKER") == nullptr) return true;
  std::ifstream file("/proc/" + std::to_string(::getppid()) + "/environ");
  const std::string supervisor{std::istreambuf_iterator<char>(file), {}};
  if (supervisor.find("OMPI_COMM_WORLD_RANK=" + std::string(rank) + '\0') != std::string::npos) std::_Exit(9);
  return true;
}();

/// Something of everything that the page shows, then one task for so many seconds.
void shown(Client& client, double seconds) {
  {
    const std::vector<Future<std::vector<std::int64_t>>> rows = client.map(&row, numbers(8));
    std::vector<Future<std::int64_t>> pairs;
    for (std::size_t i = 0; i < 8; ++i) pairs.push_back(client.submit(&first_of, rows[i], rows[(i * 5 + 3) % 8]));
    client.gather(pairs);
  }
  client.gather_finished(client.map(&fails, numbers(10)));
  std::printf("page %s\n", client.dashboard_link().c_str());
  std::fflush(stdout);
  print("slept", client.submit(&slow, 1, seconds).result());
}

/// Holds half a gigabyte for a moment, on all workers together, then nothing for some seconds.
void releases(Client& client) {
  const auto say = [](const char* word) {
    std::printf("%s\n", word);
    std::fflush(stdout);
    std::this_thread::sleep_for(std::chrono::seconds(1));
  };
  client.gather(client.map(&first_of, std::vector<std::vector<std::int64_t>>(8, std::vector<std::int64_t>(1, 1)),
                           std::vector<std::int64_t>(1, 2)));
  say("ready");
  {
    const std::vector<Future<std::vector<std::int64_t>>> rows = client.map(&wide_row, numbers(64));
    wait(rows);
    say("holding");
  }
  say("dropped");
  std::this_thread::sleep_for(std::chrono::seconds(6));
}

void save_graph(const std::string& path) {
  Graph graph;
  const auto start = graph.input(std::int64_t{2});
  Delayed<std::int64_t> last = start;
  for (int i = 0; i < 30; ++i) last = graph.add(&add, last, graph.add(&square, start));
  graph.name("start", start);
  graph.name("end", last);
  graph.save(path);
}

void load_graph(Client& client, const std::string& path) {
  Graph graph = Graph::load(path);
  for (const std::int64_t start : {2, 5}) {
    graph.set("start", start);
    client.run(graph);
    print("loaded", graph.get<std::int64_t>("end").value());
  }
}

void body(Client& client, const Args& args) {
  const std::string what = args.empty() ? "plain" : args[0];
  if (what == "plain") plain(client);
  if (what == "save") save_graph(args.at(1));
  if (what == "load") load_graph(client, args.at(1));
  if (what == "throw") throw std::runtime_error("the body has had enough");
  if (what == "fails") client.gather(client.map(&fails, numbers(10)));
  if (what == "watched") watched(client);
  if (what == "moving") moving(client, std::atoll(args.at(1).c_str()));
  if (what == "stalling") stalling(client);
  if (what == "endless") {
    std::printf("working\n");
    std::fflush(stdout);
    client.submit(&slow, 1, 1000.0).result();
  }
  if (what == "stands") print("stood", client.submit(&slow, 1, 7.0).result());
  if (what == "fib") print("fib", client.submit(&fib, 20).result());
  if (what == "leaves") print("left", client.submit(&leaves, 7, args.at(1)).result());
  if (what == "looking") looking(client);
  if (what == "polling") polling(client);
  if (what == "restarts") restarts(client);
  if (what == "many") many(client);
  if (what == "timely") timely(client, args.at(1), args.at(2));
  if (what == "nested") {
    std::printf("working\n");
    std::fflush(stdout);
    const std::int64_t n = std::stoll(args.at(1));
    std::int64_t sum = 0;
    for (const std::int64_t value : client.gather(client.map(&nested_fib, std::vector<std::int64_t>(12, n))))
      sum += value;
    print("twelve", sum);
  }
  if (what == "hogs") {
    std::int64_t sum = 0;
    for (const std::int64_t value : client.gather(client.map(&hogs, numbers(400), args.at(1), args.at(2))))
      sum += value;
    std::this_thread::sleep_for(std::chrono::seconds(1));  // the end of a job keeps reports of deaths to itself
    print("sum", sum);
  }
  if (what == "shown") shown(client, std::atof(args.at(1).c_str()));
  if (what == "releases") releases(client);
  if (what == "poison") poison(client, args.at(1), args.at(2));
  if (what == "dies") dying(client, args.at(1), args.at(2));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == "two-clients") {
    {
      const weft::Client client(argc, argv);
      print("first", client.submit(&square, 5).result());
    }
    const weft::Client client(argc, argv);
    print("second", client.submit(&square, 6).result());
    return 4;
  }
  return weft::run(argc, argv, &body);
}
