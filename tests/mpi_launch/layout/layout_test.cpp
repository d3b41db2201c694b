#include "mpi_launch/layout/layout.hpp"

#include <weft/error.hpp>

#include <gtest/gtest.h>

namespace weft::launch {
namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

Hello hello(std::uint32_t rank, const std::string& host, std::uint32_t cores) {
  Hello one;
  one.rank = rank;
  one.version = "0.1.0";
  one.executable = "/bin/program";
  one.node.host = host;
  one.node.cores = cores;
  one.node.cores_source = "affinity of the process";
  for (std::uint32_t i = 0; i < cores; ++i) one.node.processors.push_back(static_cast<int>(i));
  one.node.memory_bytes = 16 * kGiB;
  one.node.memory_source = "MemTotal";
  one.node.scratch = "/scratch";
  return one;
}

Settings settings(Options options = {}) {
  options.config = "none";
  return resolve(options);
}

Ranks ranks(std::uint32_t count) { return {0, count, "Open MPI", true, true}; }

TEST(LayoutTest, ANodeIsDividedAmongItsRanks) {
  const Layout layout =
      make_layout(settings(), ranks(4), {hello(0, "a", 8), hello(1, "a", 8), hello(2, "b", 8), hello(3, "b", 8)});
  ASSERT_EQ(layout.workers.size(), 4u);
  for (const WorkerPlan& plan : layout.workers) {
    EXPECT_EQ(plan.slots, 4u);
    EXPECT_EQ(plan.processors.size(), 4u);
    EXPECT_EQ(plan.memory_bytes, 8 * kGiB);
    EXPECT_FALSE(plan.crowded);
  }
  EXPECT_NE(layout.workers[0].processors, layout.workers[1].processors);
}

TEST(LayoutTest, RanksThatTheLauncherBoundKeepTheirOwnCores) {
  Hello first = hello(0, "a", 1);
  Hello second = hello(1, "a", 1);
  second.node.processors = {1};
  first.node.hidden_cores = second.node.hidden_cores = 1;
  const Layout layout = make_layout(settings(), ranks(2), {first, second});
  EXPECT_EQ(layout.workers[1].slots, 1u);
  EXPECT_TRUE(layout.workers[1].processors.empty());
  ASSERT_EQ(layout.notes.size(), 1u);
  EXPECT_NE(layout.notes[0].find("bound to 1 of 2 cores; to use all: mpirun --bind-to none"), std::string::npos)
      << layout.notes[0];
}

TEST(LayoutTest, MoreRanksThanCoresShareThemUnbound) {
  const Layout layout = make_layout(settings(), ranks(3), {hello(0, "a", 2), hello(1, "a", 2), hello(2, "a", 2)});
  for (const WorkerPlan& plan : layout.workers) {
    EXPECT_EQ(plan.slots, 1u);
    EXPECT_TRUE(plan.processors.empty());
    EXPECT_TRUE(plan.crowded);
  }
}

TEST(LayoutTest, NothingSpinsWhereFarMoreSlotsThanCoresTakeTurns) {
  const auto layout = [](std::uint32_t count) {
    std::vector<Hello> hellos;
    for (std::uint32_t rank = 0; rank < count; ++rank) hellos.push_back(hello(rank, "a", 2));
    return make_layout(settings(), ranks(count), hellos);
  };
  for (const WorkerPlan& plan : layout(3).workers) EXPECT_TRUE(plan.spins);
  for (const WorkerPlan& plan : layout(24).workers) EXPECT_FALSE(plan.spins);
  EXPECT_NE(layout_text(ranks(24), layout(24), 1).find("slots take turns, and nothing spins"), std::string::npos);
}

TEST(LayoutTest, FewerWorkersThanRanksSitOnTheLastRanks) {
  const Layout layout =
      make_layout(settings({.workers = 2}), ranks(3), {hello(0, "a", 4), hello(1, "a", 4), hello(2, "a", 4)});
  ASSERT_EQ(layout.workers.size(), 2u);
  EXPECT_EQ(layout.workers[0].place, 1u);
  EXPECT_EQ(layout.workers[0].slots, 2u);
}

TEST(LayoutTest, GpusOfANodeAreDealtOut) {
  Hello first = hello(0, "a", 8);
  Hello second = hello(1, "a", 8);
  first.node.gpus = second.node.gpus = 4;
  const Layout layout = make_layout(settings(), ranks(2), {first, second});
  EXPECT_EQ(layout.workers[0].gpus, (std::vector<std::uint32_t>{0, 1}));
  EXPECT_EQ(layout.workers[1].gpus, (std::vector<std::uint32_t>{2, 3}));
}

TEST(LayoutTest, TheSettingsWin) {
  const Layout layout =
      make_layout(settings({.threads = 3, .memory = "1GiB"}), ranks(2), {hello(0, "a", 8), hello(1, "a", 8)});
  EXPECT_EQ(layout.workers[0].slots, 3u);
  EXPECT_EQ(layout.workers[0].budget_bytes, kGiB);
}

TEST(LayoutTest, MoreWorkersThanRanksAreRefused) {
  EXPECT_THROW(make_layout(settings({.workers = 3}), ranks(2), {hello(0, "a", 2), hello(1, "a", 2)}), ConfigError);
}

TEST(LayoutTest, DifferentProgramsAreNamedOnBothSides) {
  Hello other = hello(1, "b", 2);
  other.executable = "/bin/other";
  other.image_digest = 5;
  try {
    check_same_program({hello(0, "a", 2), other});
    ADD_FAILURE() << "it must throw";
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("rank 0 on a runs /bin/program"), std::string::npos) << text;
    EXPECT_NE(text.find("rank 1 on b runs /bin/other"), std::string::npos) << text;
  }
}

TEST(LayoutTest, TheBlockSaysWhereEachValueCameFrom) {
  const Layout layout = make_layout(settings({.memory = "1GiB"}), ranks(2), {hello(0, "a", 4), hello(1, "a", 4)});
  const std::string text = layout_text(ranks(2), layout, 1);
  EXPECT_NE(text.find("2 ranks on 1 node (Open MPI)"), std::string::npos) << text;
  EXPECT_NE(text.find("4 cores (affinity of the process) over 2 ranks of the node; --weft-threads changes it"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("program (.memory"), std::string::npos) << text;
}

TEST(LayoutTest, AFastNetworkThatIsNotUsedIsNamedWithTheReason) {
  Hello first = hello(0, "a", 2);
  Hello second = hello(1, "b", 2);
  first.node.fast_networks = second.node.fast_networks = "mlx5_0";
  const auto text = [&](Options options) {
    return layout_text(ranks(2), make_layout(settings(std::move(options)), ranks(2), {first, second}), 2);
  };
  EXPECT_NE(text({}).find("shared memory inside the node, UCX between nodes"), std::string::npos) << text({});
  EXPECT_EQ(text({}).find("faster network"), std::string::npos) << text({});
  EXPECT_NE(text({.transport = "tcp"}).find("(mlx5_0), and it is not used: program (.transport) leaves it out"),
            std::string::npos)
      << text({.transport = "tcp"});
  first.node.fast_network_problem = "UCX_TLS=tcp,self leaves it out";
  EXPECT_NE(text({}).find("(mlx5_0), and it is not used: UCX_TLS=tcp,self leaves it out"), std::string::npos)
      << text({});
  EXPECT_NE(text({}).find("TCP between nodes"), std::string::npos) << text({});
}

TEST(LayoutTest, LinksThatAreEncryptedAreNamedAndAFastNetworkIsLeftOut) {
  Hello first = hello(0, "a", 2);
  Hello second = hello(1, "b", 2);
  first.node.fast_networks = second.node.fast_networks = "mlx5_0";
  const auto text = [&](Options options) {
    return layout_text(ranks(2), make_layout(settings(std::move(options)), ranks(2), {first, second}), 2);
  };
  EXPECT_NE(text({.tls = "on"}).find("network   TLS over TCP "), std::string::npos) << text({.tls = "on"});
  const std::string between = text({.tls = "between-nodes"});
  EXPECT_NE(between.find("shared memory inside the node, TLS over TCP between nodes"), std::string::npos) << between;
  EXPECT_NE(between.find("it is not used: program (.tls) leaves it out: UCX encrypts nothing"), std::string::npos)
      << between;
}

TEST(LayoutTest, RanksOnCoresOfTheirOwnShareNone) {
  Hello first = hello(0, "a", 1);
  Hello second = hello(1, "a", 1);
  second.node.processors = {1};
  const std::string text = layout_text(ranks(2), make_layout(settings(), ranks(2), {first, second}), 1);
  EXPECT_NE(text.find("1 core (affinity of the process) for each rank"), std::string::npos) << text;
}

}  // namespace
}  // namespace weft::launch
