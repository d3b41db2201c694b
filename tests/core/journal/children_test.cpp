#include "core/journal/journal.hpp"
#include "tests/core/journal/journal_run.hpp"

#include <weft/client.hpp>
#include <weft/error.hpp>
#include <weft/this_task.hpp>

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace weft {
namespace {

std::atomic<int>& runs = weft::testing::journal_runs;
using weft::testing::work;

std::atomic<bool> fails{false};

int child(int x) {
  ++runs;
  work();
  return x + 1;
}
int noting_child(int x) {
  ++runs;
  work();
  this_task::has_effect();
  return x + 1;
}
void silent_child(int) { ++runs; }

/// Two of its children are equal calls.
int parent(int x) {
  ++runs;
  const Client& client = this_task::client();
  std::vector<Future<int>> children;
  for (const int argument : {x, x + 1, x}) children.push_back(client.submit(child, argument));
  int sum = 0;
  for (const int one : client.gather(children)) sum += one;
  if (fails.load()) throw Error("not now");
  return sum;
}
int with_noting_child(int x) {
  ++runs;
  work();
  return this_task::client().submit(noting_child, x).result();
}
int with_silent_child(int x) {
  ++runs;
  work();
  this_task::client().submit(silent_child, x).result();
  return x;
}
int noting_by_the_client(int x) {
  ++runs;
  work();
  this_task::client().log_event("topic", "text");
  return x;
}
int grandparent(int x) {
  ++runs;
  work();
  return this_task::client().submit(with_noting_child, x).result();
}
int twice(int x) {
  ++runs;
  work();
  return 2 * x;
}
using JournalChildrenTest = weft::testing::JournalRunTest;

TEST_P(JournalChildrenTest, ParentsWhoseChildrenOnlyGiveResultsAreKept) {
  const auto body = [](const Client& client) {
    const auto future = client.with({.pure = true}).submit(parent, 3);
    EXPECT_EQ(client.with({.pure = true}).submit(twice, future).result(), 26);
  };
  EXPECT_EQ(run(body), 5);
  EXPECT_EQ(run(body), 0);
}

TEST_P(JournalChildrenTest, AParentThatDidNotEndFindsItsChildren) {
  const auto body = [](const Client& client) {
    const auto future = client.with({.pure = true}).submit(parent, 3);
    if (fails) {
      EXPECT_THROW(future.result(), Error);
    } else {
      EXPECT_EQ(future.result(), 13);
    }
  };
  fails = true;
  EXPECT_EQ(run(body), 4);
  EXPECT_EQ(report_.written, 3u);
  fails = false;
  EXPECT_EQ(run(body), 1);
  EXPECT_EQ(report_.found, 3u);
  // Another parent's children are others.
  EXPECT_EQ(run([](const Client& client) { EXPECT_EQ(client.with({.pure = true}).submit(parent, 4).result(), 16); }),
            4);
}

TEST_P(JournalChildrenTest, WhatAChildDoesItsParentsDo) {
  const auto body = [](const Client& client) {
    const auto pure = client.with({.pure = true});
    EXPECT_EQ(pure.submit(twice, pure.submit(grandparent, 1)).result(), 4);
  };
  EXPECT_EQ(run(body), 4);
  EXPECT_EQ(run(body), 4);
  EXPECT_EQ(run(body), 4);
}

TEST_P(JournalChildrenTest, ChildrenThatGiveNothingAreRunAgain) {
  const auto body = [](const Client& client) {
    EXPECT_EQ(client.with({.pure = true}).submit(with_silent_child, 1).result(), 1);
  };
  EXPECT_EQ(run(body), 2);
  EXPECT_EQ(run(body), 2);
}

TEST_P(JournalChildrenTest, WhatIsDoneByTheClientIsDoneAgain) {
  const auto body = [](const Client& client) {
    EXPECT_EQ(client.with({.pure = true}).submit(noting_by_the_client, 1).result(), 1);
    EXPECT_EQ(client.events("topic").size(), 1u);
  };
  EXPECT_EQ(run(body), 1);
  EXPECT_EQ(run(body), 1);
}

INSTANTIATE_TEST_SUITE_P(Modes, JournalChildrenTest, ::testing::Values("sync", "threads"),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace weft
