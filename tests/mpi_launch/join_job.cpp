/// A program whose job others join, for join_test.py: `join_job WHAT`. `serve` waits for lines on its standard input.

#include <weft/weft.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <thread>

namespace {

using namespace weft;

std::int64_t increment(std::int64_t x) { return x + 1; }
std::int64_t add(std::int64_t a, std::int64_t b) { return a + b; }
std::int64_t slow_increment(std::int64_t x, double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  return x + 1;
}
std::int64_t process_of(std::int64_t) { return slow_increment(::getpid() - 1, 0.002); }
std::vector<double> ramp(std::int64_t first) {
  std::this_thread::sleep_for(std::chrono::milliseconds(5));  // long enough for every worker to get some
  std::vector<double> values(50'000);
  std::iota(values.begin(), values.end(), static_cast<double>(first));
  return values;
}
double total(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

void print(const std::string& what, std::int64_t value) {
  std::printf("%s %lld\n", what.c_str(), static_cast<long long>(value));
  std::fflush(stdout);
}

/// Runs some tasks and tells how many processes they ran in.
void count_processes(Client& client) {
  std::vector<std::int64_t> items(400);
  std::set<std::int64_t> seen;
  for (const std::int64_t process : client.gather(client.map(&process_of, items))) seen.insert(process);
  print("processes", static_cast<std::int64_t>(seen.size()));
}

std::int64_t waits_for_file(const std::string& file) {
  while (::access(file.c_str(), F_OK) != 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return 0;
}
std::vector<double> ramp_after(std::int64_t, int first) { return ramp(first); }

/// Obeys words on the standard input until "end".
void serve(Client& client) {
  std::map<std::string, Future<std::vector<double>>> kept;
  for (std::string word; std::cout << "ready\n" << std::flush, std::cin >> word;) {
    if (word == "end") return;
    if (word == "processes") count_processes(client);
    if (word == "workers") {
      for (const WorkerInfo& worker : client.info().workers)
        std::printf("worker %s slots %u\n", worker.name.c_str(), worker.slots);
      print("workers", static_cast<std::int64_t>(client.info().workers.size()));
    }
    if (word == "wait") {
      std::size_t count = 0;
      std::cin >> count;
      client.wait_for_workers(count);
      print("there", static_cast<std::int64_t>(client.info().workers.size()));
    }
    if (word == "keep") {
      for (int i = 0; i < 40; ++i) kept["k" + std::to_string(i)] = client.submit(&ramp, i);
      for (const auto& [name, value] : kept) static_cast<void>(value.exception());
      print("kept", 40);
    }
    if (word == "spread") {
      std::set<std::string> names;
      for (const auto& [name, value] : kept) {
        for (const std::string& holder : client.who_has(value)) names.insert(holder);
      }
      print("holders", static_cast<std::int64_t>(names.size()));
    }
    if (word == "stand") {
      std::string file;
      std::cin >> file;
      const auto held = client.submit(&waits_for_file, file);
      for (int i = 0; i < 20; ++i) kept["s" + std::to_string(i)] = client.submit(&ramp_after, held, i);
      while (processing(client).begin()->second.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      print("standing", 1);
    }
    if (word == "sum") {
      double sum = 0;
      for (const auto& [name, value] : kept) sum += client.submit(&total, value).result();
      print("sum", static_cast<std::int64_t>(sum));
    }
    if (word == "publish") {
      publish(client, "x", client.submit(&slow_increment, 0, 0.5));
      print("published", 1);
    }
    if (word == "published") {
      for (const std::string& name : list_published(client)) std::printf("name %s\n", name.c_str());
      print("z", client.submit(&increment, get_published<std::int64_t>(client, "y")).result());
    }
    if (word == "lock") print("locked", Lock(client, "door").is_locked() ? 1 : 0);
    if (word == "counts") print("unfinished", static_cast<std::int64_t>(client.counts().total - client.counts().done));
  }
}

/// Writes its number and place where it is run, in the order in which that happens.
std::int64_t traced(std::int64_t x, std::int64_t chain, const std::string& file) {
  std::FILE* const out = std::fopen(file.c_str(), "a");
  std::fprintf(out, "%lld:%lld ", static_cast<long long>(chain), static_cast<long long>(x));
  std::fclose(out);
  return x + 1;
}

/// Chains x -> x + 1 -> x + 2 whose links two clients submit in turns, by name, with nothing run yet: "first" makes x
/// and x + 2, "second" x + 1.
void chains(Client& client, const std::string& who, const std::string& file) {
  constexpr std::int64_t kChains = 8;
  const auto name = [](const char* link, std::int64_t chain) { return link + std::to_string(chain); };
  std::vector<Future<std::int64_t>> ends;
  const auto wait_for = [&](const std::string& link) {
    for (;; std::this_thread::sleep_for(std::chrono::milliseconds(5))) {
      const std::vector<std::string> names = list_published(client);
      if (std::find(names.begin(), names.end(), link) != names.end()) return get_published<std::int64_t>(client, link);
    }
  };
  const auto held = who == "first" ? client.submit(&waits_for_file, file + ".go") : Future<std::int64_t>();
  for (std::int64_t chain = 0; chain < kChains; ++chain) {
    if (who == "first") {
      publish(client, name("x", chain), client.submit(&traced, std::int64_t{0}, chain, file));
      ends.push_back(client.submit(&traced, wait_for(name("y", chain)), chain, file));
    } else {
      publish(client, name("y", chain), client.submit(&traced, wait_for(name("x", chain)), chain, file));
    }
  }
  std::printf("submitted\n");
  std::fflush(stdout);
  for (const auto& end : ends) print("end", end.result());
}

/// The second client's part of x -> x + 1 -> x + 2: neither waits for the other's result.
void trace(Client& client) {
  const auto x = get_published<std::int64_t>(client, "x");
  publish(client, "y", client.submit(&increment, x));
  print("unresolved", x.done() ? 0 : 1);
  print("y", get_published<std::int64_t>(client, "y").result());
}

/// A guest's graphs: a tree that runs twice, large values, a task that fails, an array's worth of small ones.
void graphs(Client& client) {
  Graph graph;
  const auto given = graph.add(&increment, std::int64_t{0});
  std::vector<Delayed<std::int64_t>> level;
  for (std::int64_t i = 0; i < 256; ++i) level.push_back(graph.add(&add, given, i));
  while (level.size() > 1) {
    std::vector<Delayed<std::int64_t>> next;
    for (std::size_t i = 0; i + 1 < level.size(); i += 2) next.push_back(graph.add(&add, level[i], level[i + 1]));
    level = next;
  }
  const auto large = graph.add(&ramp, std::int64_t{3});
  const auto of_large = graph.add(&total, large);
  for (int run = 0; run < 2; ++run) {
    client.run(graph);
    print("tree", level.front().value());
    print("large", static_cast<std::int64_t>(total(large.value()) - of_large.value()));
  }
  Graph failing;
  const auto bad = failing.add([](int x) { return x > 0 ? throw std::runtime_error("not in a graph") : x; }, 1);
  const auto behind = failing.add([](int x) { return x; }, bad);
  try {
    client.run(failing);
  } catch (const std::exception& error) {
    std::printf("graph failed %s\n",
                std::string(error.what()).find("not in a graph") != std::string::npos ? "well" : error.what());
  }
  try {
    rerun_locally(behind);
  } catch (const std::runtime_error& error) {
    std::printf("graph again %s\n", error.what());
  }
  const std::string once = "/tmp/weft_join_job_" + std::to_string(::getpid());
  const auto unlucky = [](const std::vector<double>& values, const std::string& file) {
    if (::access(file.c_str(), F_OK) != 0) {
      std::fclose(std::fopen(file.c_str(), "w"));
      throw std::runtime_error("not the first time");
    }
    ::unlink(file.c_str());
    return static_cast<std::int64_t>(values[1]);
  };
  const auto submitted = client.submit(unlucky, client.submit(&ramp, std::int64_t{3}), once);
  static_cast<void>(submitted.exception());
  print("tried again", client.retry(submitted).result());
  Graph flaky;
  const auto in_graph = flaky.add(unlucky, flaky.add(&ramp, std::int64_t{4}), once);
  try {
    client.run(flaky);
  } catch (const std::exception&) {
    print("tried again in a graph", client.retry(client.persist(in_graph)).result());
  }
  print("lazy", client.compute(delayed(&add)(delayed(&increment)(std::int64_t{1}), std::int64_t{2})));
}

struct Counter {
  explicit Counter(std::int64_t from) : now(from) {}
  std::int64_t add(std::int64_t more) { return now += more; }
  std::int64_t take(std::int64_t less) {
    if (less > now) throw std::runtime_error("there are not so many");
    return now -= less;
  }
  std::int64_t where() const { return ::getpid(); }
  std::int64_t now = 0;
};

void actors(Client& client) {
  const Actor<Counter> counter(client, std::int64_t{10});
  Future<std::int64_t> last;
  for (std::int64_t i = 0; i < 5; ++i) last = counter.call(&Counter::add, i);
  print("actor", last.result());
  print("given", counter.call(&Counter::add, client.submit(&increment, std::int64_t{4})).result());
  print("elsewhere", counter.call(&Counter::where).result() != ::getpid() ? 1 : 0);
  const auto caller = [](std::int64_t more, const Actor<Counter>& from) {
    return from.call(&Counter::add, more).result();
  };
  print("called by a task", client.submit(caller, std::int64_t{1}, counter).result());
  const auto calls = client.map(caller, std::vector<std::int64_t>(60, 1), counter);
  print("calls answered", static_cast<std::int64_t>(client.gather(calls).size()));
  print("called by many", counter.call(&Counter::add, std::int64_t{0}).result());
  const auto refused = [](const Actor<Counter>& from) {
    try {
      return from.call(&Counter::take, std::int64_t{1000}).result();
    } catch (const std::exception& error) {
      return std::string(error.what()).find("not so many") != std::string::npos ? std::int64_t{1} : std::int64_t{0};
    }
  };
  print("told of a failure", client.submit(refused, counter).result());
}

/// Gives futures to tasks and takes theirs, ended or not.
void futures_in_queues(Client& client) {
  const Queue<Future<std::int64_t>> queue(client, "futures");
  const Event go(client, "let the futures end");
  go.clear();  // a client before this one has set it
  queue.put(client.submit([](const Event& gate) { return gate.wait(), std::int64_t{20}; }, go));
  const auto taker = client.submit(
      [](const Queue<Future<std::int64_t>>& futures, const Event& gate) {
        const Future<std::int64_t> taken = futures.get();
        futures.put(this_task::client().submit(&add, taken, 1));
        const bool pending = !taken.done();
        gate.set();
        return pending ? taken.result() : -1;
      },
      queue, go);
  const std::int64_t taken = taker.result();
  const Future<std::int64_t> sum = queue.get();
  print("futures", taken + client.submit(&add, sum, 1).result());
  const Variable<std::vector<Future<std::int64_t>>> both(client, "both");
  both.set({sum, client.submit(&increment, 1)});
  const std::vector<Future<std::int64_t>> back = both.get();
  print("futures back", back[0].result() + back[1].result());
}

void guest(Client& client) {
  count_processes(client);
  static_cast<void>(client.info());
  print("slots", client.slots());
  const auto big = client.submit(&ramp, 7);
  print("total", static_cast<std::int64_t>(client.submit(&total, big).result()));
  print("value", static_cast<std::int64_t>(total(big.result())));
  std::vector<Future<std::int64_t>> level = client.map(&increment, std::vector<std::int64_t>(2000, 1));
  std::int64_t sum = 0;
  for (const std::int64_t value : client.gather(level)) sum += value;
  print("sum", sum);
  const auto failing = client.submit([](int x) { return x > 0 ? throw std::runtime_error("too much") : x; }, 1);
  try {
    client.submit([](int x) { return x; }, failing).result();
  } catch (const std::exception& error) {
    std::printf("failed %s\n", std::string(error.what()).find("too much") != std::string::npos ? "well" : error.what());
  }
  try {
    client.submit(&increment, get_published<std::int64_t>(client, "nothing")).result();
  } catch (const std::exception& error) {
    std::printf("unpublished %s\n", error.what());
  }
  Queue<int> queue(client, "numbers");
  const auto put = client.submit(
      [](Queue<int> to) {
        to.put(41);
        return 1;
      },
      queue);
  print("queue", queue.get() + put.result());
  futures_in_queues(client);
  graphs(client);
  actors(client);
  client.replicate(big, 2);
  client.rebalance(std::vector{big});
  print("held", static_cast<std::int64_t>(client.who_has(big).size()) > 0 ? 1 : 0);
  int seen = 0;
  for (const auto& done : as_completed(client.map(&increment, std::vector<std::int64_t>{1, 2, 3})))
    seen += static_cast<int>(done.result());
  print("completed", seen);
}

/// Runs so many tasks of a fifth of a millisecond, and tells when they began and ended on a clock that all clients
/// share.
void share(Client& client, std::size_t count) {
  const auto now = [] {
    return static_cast<std::int64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
            .count());
  };
  client.submit(&slow_increment, std::int64_t{1}, 0.0002).result();
  const auto tasks = client.map(&slow_increment, std::vector<std::int64_t>(count, 1), 0.0002);
  print("begun", now());
  client.gather(tasks);
  print("ended", now());
}

/// Goes away without a word, with tasks that wait and a lock that it holds.
[[noreturn]] void vanish(Client& client) {
  Lock(client, "door").lock();
  static std::vector<Future<std::int64_t>> mine = client.map(&slow_increment, std::vector<std::int64_t>(500), 0.05);
  static_cast<void>(mine.front().result());
  std::printf("vanishing\n");
  std::fflush(stdout);
  ::_exit(9);
}

void body(Client& client, const Args& args) {
  const std::string what = args.at(0);
  if (what == "serve") serve(client);
  if (what == "trace") trace(client);
  if (what == "guest") guest(client);
  if (what == "chains") chains(client, args.at(1), args.at(2));
  if (what == "share") share(client, static_cast<std::size_t>(std::stoul(args.at(1))));
  if (what == "vanish") vanish(client);
}

}  // namespace

int main(int argc, char** argv) { return weft::run(argc, argv, &body); }
