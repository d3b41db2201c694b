#include <weft/coordination.hpp>

#include <weft/error.hpp>

#include "tests/core/client/client_modes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace weft {
namespace {

using testing::HasSubstr;

class ActorTest : public testing::TestWithParam<Mode> {
 protected:
  Client client_{GetParam().options()};
};

class Account {
 public:
  explicit Account(int balance) : balance_(balance) {
    if (balance < 0) throw std::runtime_error("no debts to begin with");
  }
  int add(int amount) { return balance_ += amount; }
  int balance() const { return balance_; }
  void close() { closed_ = true; }
  int withdraw(int amount) {
    if (amount > balance_) throw std::runtime_error("not enough");
    return balance_ -= amount;
  }
  std::vector<int> history(std::size_t length) { return std::vector<int>(length, balance_); }

 private:
  int balance_;
  bool closed_ = false;
};

TEST_P(ActorTest, CallsRunInOrderOnOneObject) {
  const Actor<Account> account(client_, 10);
  std::vector<Future<int>> balances;
  for (int i = 1; i <= 100; ++i) balances.push_back(account.call(&Account::add, i));
  int expected = 10;
  for (int i = 1; i <= 100; ++i) EXPECT_EQ(balances[static_cast<std::size_t>(i - 1)].result(), expected += i);
  EXPECT_EQ(account.call(&Account::balance).result(), 5060);
}

TEST_P(ActorTest, CallsAreMadeThoughNobodyKeepsTheirFutures) {
  const Actor<Account> account(client_, 0);
  for (int i = 0; i < 50; ++i) account.call(&Account::add, 2);
  account.call(&Account::close);
  EXPECT_EQ(account.call(&Account::balance).result(), 100);
}

TEST_P(ActorTest, ACallThatThrowsFailsAlone) {
  const Actor<Account> account(client_, 5);
  const auto bad = account.call(&Account::withdraw, 6);
  const auto good = account.call(&Account::withdraw, 4);
  EXPECT_EQ(good.result(), 1);
  try {
    bad.result();
    FAIL() << "withdrawing more than there is must fail";
  } catch (const TaskError& error) {
    EXPECT_THAT(error.what(), HasSubstr("not enough"));
    EXPECT_THAT(error.what(), HasSubstr("actor_test.cpp:"));
  }
}

TEST_P(ActorTest, HandlesAreArguments) {
  const Actor<Account> account(client_, client_.submit([](int a) { return a; }, 7));
  EXPECT_EQ(account.call(&Account::add, client_.submit([](int a) { return a + 1; }, 2)).result(), 10);
  const auto failed = client_.submit([](int a) { return a == 0 ? throw std::runtime_error("no input") : a; }, 0);
  const auto bad = account.call(&Account::add, failed);
  EXPECT_EQ(account.call(&Account::balance).result(), 10);
  EXPECT_THROW(bad.result(), TaskError);
}

TEST_P(ActorTest, FunctionsMayWorkOnTheObject) {
  const Actor<Account> account(client_, 3);
  EXPECT_EQ(account.call([](Account& it, int times) { return it.balance() * times; }, 4).result(), 12);
  EXPECT_EQ(account.call(&Account::history, std::size_t{3}).result(), (std::vector<int>{3, 3, 3}));
}

TEST_P(ActorTest, CallsOnWhatCouldNotBeMadeSayWhy) {
  const Actor<Account> account(client_, -1);
  const auto balance = account.call(&Account::balance);
  try {
    balance.result();
    FAIL() << "the constructor threw";
  } catch (const TaskError& error) {
    EXPECT_THAT(error.what(), HasSubstr("no debts"));
  }
}

TEST_P(ActorTest, PendingCallsOutliveTheActor) {
  Future<int> last;
  {
    const Actor<Account> account(client_, 1);
    for (int i = 0; i < 20; ++i) last = account.call(&Account::add, 1);
  }
  EXPECT_EQ(last.result(), 21);
}

TEST(ActorThreadsTest, CallsOfManyTasksNeverOverlap) {
  // A type of this function cannot be named by another process.
  const Client client({.scheduler = "threads", .threads = 4, .check_transfer = false});
  struct Watched {
    std::atomic<int> inside{0};
    int calls = 0;
    bool alone = true;
    void enter() {
      if (++inside != 1) alone = false;
      std::this_thread::yield();
      ++calls;
      --inside;
    }
  };
  const Actor<Watched> watched(client);
  const auto callers =
      client.map([](int n, const Actor<Watched>& actor) { return actor.call(&Watched::enter).result(), n; },
                 std::vector<int>(50, 1), watched);
  client.gather(callers);
  EXPECT_EQ(watched.call([](Watched& it) { return it.calls; }).result(), 50);
  EXPECT_TRUE(watched.call([](Watched& it) { return it.alone; }).result());
}

INSTANTIATE_TEST_SUITE_P(Modes, ActorTest, testing::ValuesIn(kModes), kModeName);

}  // namespace
}  // namespace weft
