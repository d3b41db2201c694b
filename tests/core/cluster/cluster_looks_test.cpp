#include "core/cluster/looks.hpp"
#include "core/runtime/runtime.hpp"
#include "tests/core/cluster/in_process_cluster.hpp"

#include <weft/error.hpp>
#include <weft/log.hpp>
#include <weft/resource_profile.hpp>
#include <weft/watch.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <set>
#include <thread>

namespace weft {
namespace {

using ::testing::ContainsRegex;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::InProcessCluster;

int busy(int n) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(1);
  while (std::chrono::steady_clock::now() < until) {
  }
  return n;
}

std::atomic<bool> gate{false};

int waits_for_the_gate(int n) {
  while (!gate) std::this_thread::yield();
  return n;
}

TEST(LooksTest, ADumpNamesWhatRunsAndWhatWaitsForIt) {
  InProcessCluster cluster({.workers = 1});
  const Client client(InProcessCluster::client_options());
  gate = false;
  const auto held = client.with({.name = "held"}).submit(waits_for_the_gate, 1);
  const auto after = client.with({.name = "after"}).submit(busy, held);
  while (processing(client).begin()->second.empty()) std::this_thread::yield();
  std::string text;
  std::thread([&] { cluster.runtime().dump([&](std::string_view piece) { text += piece; }); }).join();
  gate = true;
  EXPECT_EQ(after.result(), 1);
  EXPECT_THAT(text, HasSubstr("tasks: 2 given, 0 done, 0 failed"));
  EXPECT_THAT(text, HasSubstr("worker worker1: here, 1 slots"));
  EXPECT_THAT(text, ContainsRegex("worker1 slot 0 runs held #[0-9]+ \\(.*cluster_looks_test.cpp:[0-9]+\\)"));
  EXPECT_THAT(text, ContainsRegex("packet [0-9]+: is at a worker \\(worker1\\), attempt 1: 1 task, held #[0-9]+"));
  EXPECT_THAT(text, ContainsRegex("after #[0-9]+ .*; waits for packet [0-9]+ \\(is at a worker\\)"));
}

TEST(LooksTest, AStreamHasTheTasksOfAllWorkersAlsoOfLaterOnes) {
  InProcessCluster cluster({.workers = 2});
  const Client client(InProcessCluster::client_options());
  TaskStream stream(client);
  client.gather(client.map(busy, std::vector<int>(100, 1)));
  EXPECT_EQ(stream.tasks().size(), 100u);
  cluster.add_worker();
  client.wait_for_workers(3);
  const auto here = client.with({.workers = {"worker3"}}).map(busy, std::vector<int>(5, 1));
  client.gather(here);
  std::set<std::string> workers;
  const std::vector<RanTask> tasks = stream.tasks();
  for (const RanTask& task : tasks) {
    workers.insert(task.worker);
    EXPECT_THAT(task.file, EndsWith("cluster_looks_test.cpp"));
  }
  EXPECT_EQ(tasks.size(), 105u);
  EXPECT_EQ(workers, (std::set<std::string>{"worker1", "worker2", "worker3"}));
}

TEST(LooksTest, WhatEachWorkerRunsIsNamed) {
  InProcessCluster cluster({.workers = 2});
  const Client client(InProcessCluster::client_options());
  gate = false;
  const auto held = client.with({.workers = {"worker2"}, .name = "held"}).submit(waits_for_the_gate, 3);
  std::map<std::string, std::vector<RunningTask>> running;
  do {
    running = processing(client);
  } while (running["worker2"].empty());
  EXPECT_TRUE(running["worker2"][0].name.starts_with("held")) << running["worker2"][0].name;
  EXPECT_THAT(running["worker2"][0].file, EndsWith("cluster_looks_test.cpp"));
  EXPECT_TRUE(running["worker1"].empty());
  gate = true;
  EXPECT_EQ(held.result(), 3);
}

std::vector<double> many(int n) { return std::vector<double>(100'000, n); }
double sum_of(const std::vector<double>& a) { return a[0] + a[1]; }

TEST(LooksTest, WhatCameFromOtherWorkersIsCounted) {
  InProcessCluster cluster({.workers = 2});
  const Client client(InProcessCluster::client_options());
  const auto made = client.with({.workers = {"worker1"}}).submit(many, 3);
  EXPECT_EQ(client.with({.workers = {"worker2"}}).submit(sum_of, made).result(), 6);
  std::map<std::string, std::uint64_t> came;
  for (const WorkerLook& look : Runtime::find(client.serial())->look({})) came[look.worker] = look.fetched_bytes;
  EXPECT_LT(came["worker1"], 1000u);
  EXPECT_GE(came["worker2"], 800'000u);
  EXPECT_LT(came["worker2"], 900'000u);
}

TEST(LooksTest, ALostWorkerIsLeftOut) {
  InProcessCluster cluster({.workers = 3});
  const Client client(InProcessCluster::client_options());
  EXPECT_EQ(processing(client).size(), 3u);
  EXPECT_EQ(worker_logs(client).size(), 3u);
  cluster.kill(1);
  while (client.info().workers.size() != 2) std::this_thread::yield();
  EXPECT_EQ(processing(client).size(), 2u);
}

TEST(LooksTest, AProfileHasSamplesOfEachWorker) {
  InProcessCluster cluster({.workers = 2});
  const Client client(InProcessCluster::client_options());
  ResourceProfile profile(client, {.interval = std::chrono::milliseconds(1)});
  while (profile.samples().size() < 5) client.gather(client.map(busy, std::vector<int>(4, 1)));
  profile.stop();
  const auto workers = profile.worker_samples();
  ASSERT_EQ(workers.size(), 2u);
  for (const auto& [name, samples] : workers) {
    EXPECT_GE(samples.size(), 5u) << name;
    EXPECT_GT(samples.back().resident_bytes, 0u);
  }
  EXPECT_GT(workers.at("worker1").back().tasks_done + workers.at("worker2").back().tasks_done, 0u);
}

TEST(LooksTest, LooksComeBackAsTheyWentOrAreRefused) {
  WorkerLook look;
  look.worker = "node7:2";
  look.processor_seconds = 1.5;
  look.resident_bytes = 1u << 30;
  look.tasks_done = 9;
  look.running.push_back({"held #4", "job.cpp", 12, 1});
  look.first_ran = 3;
  look.next_ran = 4;
  look.ran.push_back({"old #3", "job.cpp", 11, "node7:2", 0, std::chrono::system_clock::time_point(), 0.25, true});
  look.log.push_back("a line");
  Writer writer;
  cluster::write(writer, look);
  Reader reader(writer);
  const WorkerLook back = cluster::read_look(reader);
  EXPECT_EQ(back.worker, look.worker);
  EXPECT_EQ(back.resident_bytes, look.resident_bytes);
  EXPECT_EQ(back.running.at(0).name, "held #4");
  EXPECT_EQ(back.running.at(0).line, 12u);
  EXPECT_EQ(back.ran.at(0).seconds, 0.25);
  EXPECT_TRUE(back.ran.at(0).failed);
  EXPECT_EQ(back.ran.at(0).worker, "node7:2");
  EXPECT_EQ(back.next_ran, 4u);
  EXPECT_EQ(back.log, look.log);
  for (std::size_t size = 0; size < writer.size(); ++size) {
    Reader part(writer.data(), size);
    EXPECT_THROW(cluster::read_look(part), Error) << size;
  }
  Writer order;
  cluster::write(order, cluster::LookLetter{7, {.running = true, .stream = LookOrder::Stream::Off}, 3, {{5, 2}}});
  Reader of_order(order);
  const cluster::LookLetter letter = cluster::read_look_letter(of_order);
  EXPECT_EQ(letter.number, 7u);
  EXPECT_TRUE(letter.order.running);
  EXPECT_FALSE(letter.order.log);
  EXPECT_EQ(letter.order.stream, LookOrder::Stream::Off);
  EXPECT_EQ(letter.known, 3u);
  ASSERT_EQ(letter.dealt.size(), 1u);
  EXPECT_EQ(letter.dealt[0].packet, 5u);
  EXPECT_EQ(letter.dealt[0].attempt, 2u);
}

/// Of a client that asks soon why nothing moves.
Options impatient() {
  Options options = InProcessCluster::client_options();
  options.worker_timeout = 0.15;
  return options;
}

TEST(LooksTest, APacketThatItsWorkerDoesNotKnowIsDealtAgainOnceNothingMoves) {
  const logging::Capture log;
  InProcessCluster cluster({.workers = 1});
  const Client client(impatient());
  cluster.hold(0);
  const auto one = client.submit(busy, 3);
  while (cluster.lose_held(0) == 0) std::this_thread::yield();
  cluster.release(0);
  EXPECT_EQ(one.result(), 3);
  EXPECT_EQ(client.submit(busy, 4).result(), 4);
  const auto records = log.records();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_THAT(records[0].text,
              ContainsRegex("^worker worker1 does not know what it was dealt \\(packet [0-9]+: is at a "
                            "worker \\(worker1\\), attempt 1: 1 task, .*\\): it is dealt again"));
  EXPECT_THAT(records[1].text, HasSubstr("1 packets that workers did not know of are dealt again"));
}

TEST(LooksTest, WhatItsWorkerKnowsIsNotDealtAgain) {
  const logging::Capture log;
  InProcessCluster cluster({.workers = 1});
  const Client client(impatient());
  static std::atomic<int> runs;
  runs = 0;
  const auto slow = [](int n) {
    ++runs;
    std::this_thread::sleep_for(std::chrono::milliseconds(900));
    return n;
  };
  const auto first = client.submit(slow, 1);
  const auto second = client.submit(slow, 2);
  EXPECT_EQ(first.result() + second.result(), 3);
  EXPECT_EQ(runs.load(), 2);
  for (const auto& record : log.records()) EXPECT_THAT(record.text, ::testing::Not(HasSubstr("dealt again")));
}

}  // namespace
}  // namespace weft
