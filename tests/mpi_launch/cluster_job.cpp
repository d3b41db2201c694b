/// A program that starts its own workers, for own_cluster_test.py and slurm_test.py:
/// `cluster_job KIND WHAT [WORDS...]`, where KIND is local, ssh:HOST,HOST..., a batch system, or spec:SCRIPT.

#include <weft/cluster.hpp>
#include <weft/weft.hpp>

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

using namespace weft;

int square_slowly(int x) {
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  return x * x;
}
int process_of(int) {
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return ::getpid();
}
std::string folder_of_worker() {
  char path[4096];
  return ::getcwd(path, sizeof path) != nullptr ? path : "";
}

void say(const std::string& words) {
  std::printf("%s\n", words.c_str());
  std::fflush(stdout);
}

/// Waits at most 60 s for something.
bool await(const std::function<bool()>& done) {
  for (int i = 0; i < 6000 && !done(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return done();
}

std::unique_ptr<Cluster> make(const std::string& kind) {
  ClusterOptions options{.slots = 1, .replacements = 3};
  if (const char* const text = std::getenv("WEFT_TEST_PATIENCE")) options.patience = Seconds(std::atof(text));
  if (kind == "local") return std::make_unique<LocalCluster>(2, options);
  if (kind.starts_with("ssh:")) {
    std::vector<std::string> hosts;
    std::istringstream words(kind.substr(4));
    for (std::string host; std::getline(words, host, ',');) hosts.push_back(host);
    options.run_before = {"export WEFT_TEST_BEFORE=there"};
    options.interface = "lo";
    return std::make_unique<SshCluster>(hosts, options);
  }
  if (kind.starts_with("spec:")) {
    // A script of the test's: start LINE, ended ID, stop ID.
    const std::string script = kind.substr(5);
    const auto call = [script](const std::string& words) {
      std::FILE* const stream = ::popen((script + " " + words).c_str(), "r");
      char text[256] = "";
      const bool got = std::fgets(text, sizeof text, stream) != nullptr;
      ::pclose(stream);
      std::string line = got ? text : "";
      return line.substr(0, line.find('\n'));
    };
    WorkerSpec spec;
    spec.start = [call](const WorkerOrder& order) {
      std::ofstream(order.folder + "/line." + std::to_string(order.number)) << order.line << "\n";
      return call("start " + order.folder + "/line." + std::to_string(order.number));
    };
    spec.ended = [call](const std::string& id) { return call("ended " + id); };
    spec.stop = [call](const std::string& id) { call("stop " + id); };
    options.interface = "lo";
    return std::make_unique<Cluster>(spec, options);
  }
  options.interface = "lo";
  return std::make_unique<JobCluster>(
      JobOptions{.scheduler = kind, .slots = 1, .walltime = "5min", .cluster = options});
}

std::size_t processes(Client& client, int tasks = 200) {
  std::vector<int> items(static_cast<std::size_t>(tasks));
  std::set<int> seen;
  for (const int process : client.gather(client.map(&process_of, items))) seen.insert(process);
  return seen.size();
}

void sum(Client& client) {
  std::vector<int> items;
  for (int i = 0; i < 60; ++i) items.push_back(i);
  int total = 0;
  for (const int value : client.gather(client.map(&square_slowly, items))) total += value;
  say("sum " + std::to_string(total));
}

void adapt(Cluster& cluster, Client& client) {
  cluster.adapt(0, 2, {.interval = Seconds(0.1), .idle = Seconds(0.5), .worth = Seconds(0)});
  say("none " + std::to_string(await([&] { return cluster.here() == 0; })));
  sum(client);
  const auto kept = client.submit([] { return std::vector<double>(100'000, 2.0); });
  static_cast<void>(kept.exception());
  say("fewer " + std::to_string(await([&] { return cluster.here() == 1; })));
  std::this_thread::sleep_for(std::chrono::seconds(2));
  say("kept " + std::to_string(cluster.here()) + " " + std::to_string(static_cast<int>(kept.result().front())));
}

void use(Cluster& cluster, Client& client, const std::string& what) {
  if (what == "adapt") return adapt(cluster, client);
  if (what == "scale" || what == "loses") cluster.scale(2);
  cluster.wait(2);
  say("processes " + std::to_string(processes(client)));
  sum(client);
  if (what == "scale") {
    cluster.scale(1);
    say("one " + std::to_string(await([&] { return cluster.here() == 1; })));
    sum(client);
    cluster.scale(3);
    cluster.wait(3);
    say("three " + std::to_string(cluster.here()));
  }
  if (what == "before") {
    const auto there = client.submit([] { return std::string(std::getenv("WEFT_TEST_BEFORE")); });
    say("before " + there.result());
    say("folder " + std::to_string(client.submit(&folder_of_worker).result() == folder_of_worker()));
  }
  if (what == "throws") throw std::runtime_error("the program's own mistake");
  if (what == "waits") {
    say("waiting");
    auto slow = client.submit(
        [](int) {
          std::this_thread::sleep_for(std::chrono::seconds(60));
          return 1;
        },
        1);
    say("result " + std::to_string(slow.result()));
  }
  if (what == "loses") {
    say("losing");
    for (int i = 0; i < 150; ++i) static_cast<void>(client.gather(client.map(&process_of, std::vector<int>(20))));
    cluster.wait(2);
    say("back " + std::to_string(cluster.here()));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string kind = argv[1];
  const std::string what = argv[2];
  try {
    const auto cluster = make(kind);
    if (what == "file") say(cluster->address_file());
    {
      Client client(argc, argv, *cluster);
      if (what == "never") {
        cluster->scale(1);
        auto value = client.submit(&square_slowly, 3);
        say("value " + std::to_string(value.result()));
      } else {
        use(*cluster, client, what);
      }
    }
    if (what == "twice") {
      bool refused = false;
      try {
        LocalCluster second(1);
      } catch (const Error& error) {
        refused = std::string(error.what()).find("one at a time") != std::string::npos;
      }
      say("refused " + std::to_string(refused));
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ended: %s\n", error.what());
    return 3;
  }
  if (what == "again") {
    LocalCluster second(1, {.slots = 1});
    Client client(second);
    say("again " + std::to_string(client.submit(&square_slowly, 7).result()));
  }
  return 0;
}
