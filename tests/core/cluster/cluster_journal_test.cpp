#include "tests/core/cluster/in_process_cluster.hpp"
#include "tests/core/journal/temporary_folder.hpp"

#include <weft/delayed.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

namespace weft {
namespace {

using testing::ClusterOptions;
using testing::InProcessCluster;

std::atomic<int> runs{0};

void work() {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
  while (std::chrono::steady_clock::now() < end) {
  }
}

int square(int x) {
  ++runs;
  work();
  return x * x;
}
std::vector<double> row(int first) {
  ++runs;
  work();
  std::vector<double> values(20'000);
  std::iota(values.begin(), values.end(), first);
  return values;
}
double total(const std::vector<double>& values, int factor) {
  ++runs;
  work();
  return std::accumulate(values.begin(), values.end(), 0.0) * factor;
}

/// A cluster whose client and workers have one journal.
class ClusterJournalTest : public ::testing::Test {
 protected:
  ClusterJournalTest() {
    ::setenv("WEFT_JOURNAL", (folder_.path() + "/journal").c_str(), 1);
    ::setenv("WEFT_JOURNAL_WRITES", "all", 1);
    // Workers come before the client, who makes the folder where there is none.
    std::filesystem::create_directory(folder_.path() + "/journal");
  }
  ~ClusterJournalTest() override {
    ::unsetenv("WEFT_JOURNAL");
    ::unsetenv("WEFT_JOURNAL_WRITES");
  }

  /// Runs the body on a fresh cluster; returns how many tasks have run.
  template <class Body>
  int run(const Body& body) {
    runs = 0;
    InProcessCluster cluster({.workers = 2});
    const Client client(InProcessCluster::client_options());
    body(client, cluster);
    report_ = client.journal();
    return runs;
  }

  weft::testing::TemporaryFolder folder_;
  JournalReport report_;
};

TEST_F(ClusterJournalTest, WorkersWriteAndReadWhatTheClientDescribes) {
  const auto body = [](const Client& client, InProcessCluster&) {
    const auto pure = client.with({.pure = true});
    std::vector<Future<int>> squares;
    for (int i = 0; i < 20; ++i) squares.push_back(pure.submit(square, i));
    std::vector<Future<double>> totals;
    for (int i = 0; i < 6; ++i) totals.push_back(pure.submit(total, pure.submit(row, i), 2));
    for (int i = 0; i < 20; ++i) EXPECT_EQ(squares[static_cast<std::size_t>(i)].result(), i * i);
    for (int i = 0; i < 6; ++i) {
      EXPECT_EQ(totals[static_cast<std::size_t>(i)].result(), 2 * (19'999.0 * 10'000 + 20'000.0 * i));
    }
  };
  EXPECT_EQ(run(body), 32);
  EXPECT_EQ(report_.written, 32u);
  EXPECT_EQ(run(body), 0);
  EXPECT_EQ(report_.found, 32u);
  EXPECT_EQ(report_.written, 0u);
}

TEST_F(ClusterJournalTest, LargeResultsAreReadByTheWorkersThatNeedThem) {
  run([](const Client& client, InProcessCluster&) {
    for (int i = 0; i < 4; ++i) client.with({.pure = true}).submit(row, i).result();
  });
  // Another function of the same rows: they come from the journal, what is made of them is new.
  const int ran = run([](const Client& client, InProcessCluster&) {
    const auto pure = client.with({.pure = true});
    double sum = 0;
    for (int i = 0; i < 4; ++i) sum += pure.submit(total, pure.submit(row, i), 3).result();
    EXPECT_EQ(sum, 3 * (4 * 19'999.0 * 10'000 + 20'000.0 * 6));
  });
  EXPECT_EQ(ran, 4);
  EXPECT_EQ(report_.found, 4u);
}

TEST_F(ClusterJournalTest, AWorkerThatIsLostCostsNoResultOfAnEarlierRun) {
  const auto body = [](const Client& client, InProcessCluster&) {
    const Annotate scope({.pure = true});
    std::vector<Delayed<double>> totals;
    for (int i = 0; i < 8; ++i) totals.push_back(delayed(total)(delayed(row)(i), 1));
    EXPECT_EQ(client.compute(totals).size(), 8u);
  };
  EXPECT_EQ(run(body), 16);
  const int ran = run([&](const Client& client, InProcessCluster& cluster) {
    const auto kept = client.with({.pure = true}).submit(row, 3);
    EXPECT_FALSE(client.who_has(kept).empty() && kept.result().empty());
    cluster.kill(0);
    body(client, cluster);
    EXPECT_EQ(kept.result().at(0), 3);
  });
  EXPECT_EQ(ran, 0);
}

}  // namespace
}  // namespace weft
