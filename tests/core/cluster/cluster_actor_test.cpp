#include "tests/core/cluster/in_process_cluster.hpp"

#include <weft/coordination.hpp>
#include <weft/error.hpp>
#include <weft/this_task.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <numeric>

namespace weft {
namespace {

using testing::ClusterOptions;
using ::testing::HasSubstr;
using testing::InProcessCluster;

template <class Call>
std::string message_of(const Call& call) {
  try {
    call();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing was thrown";
}

std::atomic<int> accounts{0};

class Account {
 public:
  explicit Account(int balance) : balance_(balance) {
    if (balance < 0) throw std::runtime_error("no debts to begin with");
    ++accounts;
  }
  Account(const Account&) = delete;
  Account& operator=(const Account&) = delete;
  virtual ~Account() { --accounts; }
  int add(int amount) { return balance_ += amount; }
  virtual int balance() const { return balance_; }
  int withdraw(int amount) {
    if (amount > balance_) throw std::runtime_error("not enough");
    return balance_ -= amount;
  }
  std::string worker() { return "lives"; }

 private:
  int balance_;
};

class ClusterActorTest : public ::testing::TestWithParam<unsigned> {
 protected:
  ClusterActorTest() : cluster_(ClusterOptions{.workers = GetParam()}), client_(InProcessCluster::client_options()) {}
  InProcessCluster cluster_;
  Client client_;
};

INSTANTIATE_TEST_SUITE_P(Workers, ClusterActorTest, ::testing::Values(1u, 3u));

TEST_P(ClusterActorTest, CallsRunInOrderOnOneObject) {
  const Actor<Account> account(client_, 10);
  std::vector<Future<int>> balances;
  for (int i = 1; i <= 50; ++i) balances.push_back(account.call(&Account::add, i));
  int expected = 10;
  for (int i = 1; i <= 50; ++i) EXPECT_EQ(balances[static_cast<std::size_t>(i - 1)].result(), expected += i);
  EXPECT_EQ(account.call(&Account::balance).result(), 1285);
  EXPECT_EQ(account.call([](Account& it, int times) { return it.balance() * times; }, 2).result(), 2570);
}

TEST_P(ClusterActorTest, ACallThatThrowsFailsAlone) {
  const Actor<Account> account(client_, 5);
  const auto bad = account.call(&Account::withdraw, 6);
  const auto good = account.call(&Account::withdraw, 4);
  EXPECT_EQ(good.result(), 1);
  EXPECT_THAT(message_of([&] { bad.result(); }), HasSubstr("not enough"));
  EXPECT_THAT(message_of([&] { Actor<Account>(client_, -1).call(&Account::balance).result(); }), HasSubstr("no debts"));
}

TEST_P(ClusterActorTest, HandlesAreArguments) {
  const Actor<Account> account(client_, client_.submit([](int a) { return a; }, 7));
  EXPECT_EQ(account.call(&Account::add, client_.submit([](int a) { return a + 1; }, 2)).result(), 10);
  const auto failed = client_.submit([](int a) { return a == 0 ? throw std::runtime_error("no input") : a; }, 0);
  const auto bad = account.call(&Account::add, failed);
  EXPECT_EQ(account.call(&Account::balance).result(), 10);
  EXPECT_THROW(bad.result(), TaskError);
}

TEST_P(ClusterActorTest, TasksOnAnyWorkerCallIt) {
  const Actor<Account> account(client_, 0);
  std::vector<int> ones(40, 1);
  const auto callers = client_.map(
      [](int n, const Actor<Account>& shared) { return shared.call(&Account::add, n).result() > 0 ? 1 : 0; }, ones,
      account);
  const std::vector<int> done = client_.gather(callers);
  EXPECT_EQ(std::accumulate(done.begin(), done.end(), 0), 40);
  EXPECT_EQ(account.call(&Account::balance).result(), 40);
  const auto bad = client_.submit(
      [](const Actor<Account>& shared) { return message_of([&] { shared.call(&Account::withdraw, 41).result(); }); },
      account);
  EXPECT_THAT(bad.result(), HasSubstr("not enough"));
}

TEST_P(ClusterActorTest, TheObjectEndsWithItsLastHolder) {
  const int before = accounts.load();
  {
    const Actor<Account> account(client_, 3);
    EXPECT_EQ(account.call(&Account::balance).result(), 3);
    EXPECT_EQ(accounts.load(), before + 1);
  }
  for (int i = 0; i < 2000 && accounts.load() != before; ++i) client_.submit([] { return 1; }).result();
  EXPECT_EQ(accounts.load(), before);
}

TEST_P(ClusterActorTest, ActorsOfTasksLiveWhereTheTaskRuns) {
  const auto sum = client_.submit([] {
    const Actor<Account> mine(this_task::client(), 1);
    mine.call(&Account::add, 2);
    return mine.call(&Account::balance).result();
  });
  EXPECT_EQ(sum.result(), 3);
}

TEST(ClusterActorLossTest, ALostActorFailsItsFutures) {
  InProcessCluster cluster({.workers = 2});
  const Client client(InProcessCluster::client_options());
  std::vector<Actor<Account>> both;
  both.emplace_back(client, 1);
  both.emplace_back(client, 2);
  EXPECT_EQ(both[0].call(&Account::balance).result(), 1);
  EXPECT_EQ(both[1].call(&Account::balance).result(), 2);
  cluster.kill(0);
  unsigned lost = 0;
  for (const Actor<Account>& actor : both) {
    const auto before = actor.call(&Account::add, 1);
    const std::string said = message_of([&] { before.result(); });
    if (said == "nothing was thrown") continue;
    ++lost;
    EXPECT_THAT(said, HasSubstr("the actor was lost with the worker \"worker1\""));
    EXPECT_THAT(message_of([&] { actor.call(&Account::balance).result(); }), HasSubstr("the actor was lost"));
  }
  EXPECT_EQ(lost, 1u);
}

}  // namespace
}  // namespace weft
