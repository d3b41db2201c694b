#include "core/cluster/books.hpp"
#include "tests/core/cluster/in_process_cluster.hpp"

#include <weft/error.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace weft {
namespace {

using testing::InProcessCluster;

int busy(int n) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(300);
  while (std::chrono::steady_clock::now() < until) {
  }
  return n;
}

TEST(BooksTest, TheClientsLedgerHoldsTheSlotsOfAllWorkers) {
  InProcessCluster cluster({.workers = 3});
  const Client client(InProcessCluster::client_options());
  client.gather(client.map(&busy, std::vector<int>(300, 1)));
  const LedgerReport report = client.ledger();
  EXPECT_EQ(report.slots, 3u);
  EXPECT_EQ(report.tasks, 300u);
  EXPECT_GE(report.phase(Phase::Kernel), 0.05);
  for (const char* worker : {"worker1 ", "worker2 ", "worker3 "}) {
    EXPECT_TRUE(std::any_of(report.rows.begin(), report.rows.end(), [&](const SlotRow& row) {
      return row.name.starts_with(worker) && row.slot;
    })) << worker;
  }
}

TEST(BooksTest, BooksBeginAnewEverywhere) {
  InProcessCluster cluster({.workers = 2});
  const Client client(InProcessCluster::client_options());
  client.gather(client.map(&busy, std::vector<int>(100, 1)));
  EXPECT_EQ(client.ledger().tasks, 100u);
  client.reset_ledger();
  client.gather(client.map(&busy, std::vector<int>(10, 1)));
  EXPECT_EQ(client.ledger().tasks, 10u);
}

// Too large to ride in the letter of a task's end.
std::vector<int> part(int n) { return std::vector<int>(10000, n); }
int sum_of(const std::vector<int>& a, const std::vector<int>& b) { return a.front() + b.front(); }

TEST(BooksTest, WhatMovedIsToldByTheLineThatMadeIt) {
  InProcessCluster cluster({.workers = 2});
  const Client client(InProcessCluster::client_options());
  const auto one = client.with({.workers = {"worker1"}}).submit(part, 1);
  const auto other = client.with({.workers = {"worker2"}}).submit(part, 2);
  EXPECT_EQ(client.with({.workers = {"worker1"}}).submit(sum_of, one, other).result(), 3);
  const LedgerReport report = client.ledger();
  ASSERT_EQ(report.moved.size(), 1u) << report.to_text();
  EXPECT_NE(report.moved[0].name.find("cluster_books_test.cpp:"), std::string::npos);
  EXPECT_EQ(report.moved[0].results, 1u);
  EXPECT_GE(report.moved[0].bytes, 40000u);
  EXPECT_LT(report.moved[0].bytes, 41000u);
  client.reset_ledger();
  EXPECT_TRUE(client.ledger().moved.empty());
}

TEST(BooksTest, ALostWorkersBooksStayAsItToldThem) {
  InProcessCluster cluster({.workers = 2});
  const Client client(InProcessCluster::client_options());
  client.gather(client.map(&busy, std::vector<int>(100, 1)));
  EXPECT_EQ(client.ledger().tasks, 100u);
  cluster.kill(0);
  EXPECT_EQ(client.ledger().tasks, 100u);
}

TEST(BooksTest, BooksComeBackAsTheyWentOrAreRefused) {
  LedgerReport report;
  report.wall_seconds = 2;
  report.tasks = 7;
  report.slots = 1;
  report.seconds[3] = 0.25;
  report.samples = 5;
  report.sampled_p99_us = 1.5;
  SlotRow row;
  row.name = "slot 0";
  row.tasks = 7;
  report.rows.push_back(row);
  report.moved.push_back({"main.cpp:31", 4, 4096});
  DeviceRow device;
  device.name = "device 0 (pretended)";
  device.works = 3;
  device.upload_seconds = 0.5;
  device.evict_seconds = 0.125;
  device.downloaded_bytes = 1 << 20;
  report.devices.push_back(device);
  Writer writer;
  cluster::write_books(writer, report);
  Reader reader(writer);
  const LedgerReport back = cluster::read_books(reader);
  EXPECT_EQ(back.to_json(), report.to_json());
  for (std::size_t size = 0; size < writer.size(); ++size) {
    Reader part(writer.data(), size);
    EXPECT_THROW(cluster::read_books(part), Error) << size;
  }
  LedgerReport all;
  cluster::add_books(all, back, "worker 1");
  ASSERT_EQ(all.devices.size(), 1u);
  EXPECT_EQ(all.devices[0].name, "worker 1 device 0 (pretended)");
}

}  // namespace
}  // namespace weft
