#pragma once

#include "comm/in_process_transport.hpp"
#include "core/cluster/cluster.hpp"

#include <weft/client.hpp>

#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace weft::testing {

/// Passes everything on to another transport, so that a test can cut one end off from all others.
struct ClusterOptions {
  unsigned workers = 2;
  unsigned slots = 1;
  std::map<std::string, std::uint32_t> resources = {};
  comm::WireFaults faults = {};
};

/// A cluster whose processes are threads: the client's side, and workers that run in threads of their own.
/// Owns: the network, the client's runtime, the workers' threads.  Threading: that of the test.
class InProcessCluster {
 public:
  explicit InProcessCluster(ClusterOptions options) : options_(std::move(options)), network_(options_.faults) {
    runtime_ = ClusterRuntime::start(settings(), network_.open());
    for (unsigned i = 0; i < options_.workers; ++i) add_worker();
    runtime_->wait_for_workers(options_.workers, 20'000'000'000);
    set_runtime_maker([this](const Settings& settings, const std::map<std::string, std::uint32_t>&) {
      runtime_->open_for_client(settings);
      return runtime_;
    });
  }
  ~InProcessCluster() {
    set_runtime_maker({});
    runtime_->end();
    for (Worker& worker : workers_) {
      if (worker.thread.joinable()) worker.thread.join();
    }
  }

  void add_worker() {
    workers_.emplace_back();
    Worker& worker = workers_.back();
    const std::string name = "worker" + std::to_string(workers_.size());
    auto transport = network_.open();
    worker.address = transport->address();
    std::promise<WorkerEnd> end;
    worker.end = end.get_future();
    worker.thread = std::thread([this, name, moved = std::move(transport), told = std::move(end)]() mutable {
      told.set_value(
          run_worker(settings(), std::move(moved), runtime_->address(), {name, name, 0, options_.resources, false}));
    });
  }
  /// Waits until a worker has ended, and returns how; once for each.
  WorkerEnd end_of(std::size_t index) { return workers_[index].end.get(); }
  /// Cuts a worker off from everybody: to the others it has died, itself it ends.
  void kill(std::size_t index) {
    network_.cut(workers_[index].address, runtime_->address());
    for (std::size_t other = 0; other < workers_.size(); ++other) {
      if (other != index) network_.cut(workers_[index].address, workers_[other].address);
    }
  }
  /// While held, nothing passes between the client and a worker; what it is then may be lost, as no transport may.
  void hold(std::size_t index) { network_.hold(workers_[index].address, runtime_->address()); }
  std::size_t lose_held(std::size_t index) { return network_.lose_held(workers_[index].address, runtime_->address()); }
  void release(std::size_t index) { network_.release(workers_[index].address, runtime_->address()); }
  ClusterRuntime& runtime() { return *runtime_; }
  comm::InProcessNetwork& network() { return network_; }

  static Options client_options() {
    Options options;
    options.scheduler = "mpi";
    options.progress = "off";
    return options;
  }

 private:
  struct Worker {
    std::string address;
    std::future<WorkerEnd> end;
    std::thread thread;
  };
  Settings settings() const {
    Options options = client_options();
    options.threads = static_cast<std::int64_t>(options_.slots);
    options.memory = "256MiB";
    options.pin = "off";
    return resolve(options);
  }

  const ClusterOptions options_;
  comm::InProcessNetwork network_;
  std::shared_ptr<ClusterRuntime> runtime_;  // shared with the client that uses it
  std::vector<Worker> workers_;
};

}  // namespace weft::testing
