#include "core/executor/awaited.hpp"

#include <weft/client.hpp>
#include <weft/completed.hpp>
#include <weft/delayed.hpp>
#include <weft/graph.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace weft {
namespace {

int same(int a) { return a; }

TEST(LeadsToTest, FollowsConsumersAsFarAsAShortLookGoes) {
  const auto first = delayed(same)(1);
  std::vector<Delayed<int>> chain{first};
  for (int i = 0; i < 60; ++i) chain.push_back(delayed(same)(chain.back()));
  EXPECT_TRUE(leads_to(first.task_id(), first.task_id()));
  EXPECT_TRUE(leads_to(first.task_id(), chain[1].task_id()));
  EXPECT_TRUE(leads_to(first.task_id(), chain[20].task_id()));
  EXPECT_FALSE(leads_to(first.task_id(), chain[60].task_id()));
  EXPECT_FALSE(leads_to(chain[20].task_id(), first.task_id()));
}

TEST(LeadsToTest, FindsAConsumerAmongMany) {
  const auto input = delayed(same)(1);
  std::vector<Delayed<int>> consumers;
  for (int i = 0; i < 10; ++i) consumers.push_back(delayed(same)(input));
  const auto last = delayed(same)(consumers.front());
  const auto other = delayed(same)(2);
  for (const Delayed<int>& consumer : consumers) EXPECT_TRUE(leads_to(input.task_id(), consumer.task_id()));
  EXPECT_TRUE(leads_to(input.task_id(), last.task_id()));
  EXPECT_FALSE(leads_to(input.task_id(), other.task_id()));
}

/// Tasks of one kind that end at once, until one waits, by means that weft does not see, for what the thread that waits
/// for something else does next. With two slots somebody else always can run it.
class AwaitedThreadsTest : public testing::Test {
 protected:
  static constexpr int kRounds = 50;

  AwaitedThreadsTest() {
    told = 0;
    inner = &client_;
  }

  static Future<int> until(int turn) {
    return inner->submit(
        [](int wanted) {
          while (told < wanted) std::this_thread::yield();
          return wanted;
        },
        turn);
  }
  /// Afterwards the kind is known as short.
  static void run_short_ones() {
    for (int i = 0; i < 20; ++i) EXPECT_EQ(until(0).result(), 0);
  }
  static Future<int> quick(int a) { return inner->submit(same, a); }

  inline static std::atomic<int> told{0};
  inline static const Client* inner = nullptr;
  Client client_{Options{.scheduler = "threads", .threads = 2}};
};

TEST_F(AwaitedThreadsTest, AResultIsNotWaitedForOnTheStackOfAnotherTask) {
  for (int round = 1; round <= kRounds; ++round) {
    run_short_ones();
    const auto waits = until(round);
    EXPECT_EQ(quick(-round).result(), -round);
    told = round;
    EXPECT_EQ(waits.result(), round);
  }
}

TEST_F(AwaitedThreadsTest, TheFirstOfSeveralIsNotWaitedForOnTheStackOfAnother) {
  for (int round = 1; round <= kRounds; ++round) {
    run_short_ones();
    AsCompleted<int> running(std::vector<Future<int>>{until(round), quick(-round)});
    EXPECT_EQ(running.next()->result(), -round);
    told = round;
    EXPECT_EQ(running.next()->result(), round);
    EXPECT_FALSE(running.next().has_value());
  }
}

TEST_F(AwaitedThreadsTest, AGraphIsNotWaitedForOnTheStackOfACall) {
  for (int round = 1; round <= kRounds; ++round) {
    run_short_ones();
    const auto waits = until(round);
    Graph graph;
    const auto last = graph.add(same, graph.add(same, -round));
    client_.run(graph);
    EXPECT_EQ(client_.compute(last), -round);
    told = round;
    EXPECT_EQ(waits.result(), round);
  }
}

TEST_F(AwaitedThreadsTest, ATaskDoesNotWaitForAChildOnTheStackOfAnother) {
  for (int round = 1; round <= kRounds; ++round) {
    run_short_ones();
    const auto parent = client_.submit(
        [](int turn) {
          // The newest is looked at first: the other way round next time.
          const bool first = turn % 2 == 0;
          Future<int> waits;
          if (first) waits = until(turn);
          const auto wanted = quick(-turn);
          if (!first) waits = until(turn);
          if (turn % 4 < 2) {
            static_cast<void>(wanted.result());
          } else {
            wait(std::vector<Future<int>>{waits, wanted}, {.return_when = ReturnWhen::First});
          }
          told = turn;
          return waits.result() + wanted.result();
        },
        round);
    EXPECT_EQ(parent.result(), 0);
  }
}

TEST_F(AwaitedThreadsTest, OneSlotIsLeftToWhoeverRunsWhatAWaitRefuses) {
  const Client client({.scheduler = "threads", .threads = 1});
  for (int round = 0; round < 200; ++round) {
    const auto before = client.submit(same, 1);
    const auto wanted = client.submit(same, client.submit(same, round));
    EXPECT_EQ(wanted.result(), round);
    EXPECT_EQ(wait(std::vector<Future<int>>{before, wanted}).done.size(), 2u);
    EXPECT_EQ(as_completed(std::vector<Future<int>>{client.submit(same, round)}).next()->result(), round);
  }
}

}  // namespace
}  // namespace weft
