#include <weft/coordination.hpp>

#include <weft/error.hpp>
#include <weft/this_task.hpp>

#include "core/graph/sites.hpp"
#include "tests/core/client/client_modes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <numeric>
#include <string>
#include <string_view>
#include <thread>

namespace weft {
namespace {

struct Counted {
  Counted() { ++alive; }
  Counted(const Counted& other) : text(other.text) { ++alive; }
  Counted& operator=(const Counted&) = default;
  ~Counted() { --alive; }
  static inline std::atomic<int> alive{0};
  std::string text;
};

template <class Archive>
void weft_fields(Archive& archive, Counted& counted) {
  archive(counted.text);
}

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CoordinationTest : public testing::TestWithParam<Mode> {
 protected:
  Client client_{GetParam().options()};
};

TEST_P(CoordinationTest, QueueKeepsTheOrderOfArrival) {
  const Queue<std::string> queue(client_, "words");
  queue.put("a");
  queue.put("b");
  EXPECT_EQ(queue.size(), 2u);
  EXPECT_EQ(queue.get(), "a");
  EXPECT_EQ(queue.get(), "b");
  EXPECT_FALSE(queue.try_get());
  EXPECT_FALSE(queue.get_for(Milliseconds(1)));
}

TEST_P(CoordinationTest, NamedObjectsAreSharedByName) {
  Queue<int>(client_, "numbers").put(7);
  EXPECT_EQ(Queue<int>(client_, "numbers").get(), 7);
  EXPECT_EQ(Queue<int>(client_, "others").size(), 0u);
  Variable<int>(client_, "numbers").set(3);
  EXPECT_EQ(Variable<int>(client_, "numbers").get(), 3);
}

TEST_P(CoordinationTest, TasksTakeWhatOtherTasksPut) {
  const Queue<int> queue(client_, "work");
  const auto producers =
      client_.map([](int n, const Queue<int>& to) { return to.put(n), n; }, std::vector<int>{1, 2, 3, 4}, queue);
  const auto total = client_.submit(
      [](const Queue<int>& from) {
        int sum = 0;
        for (int i = 0; i < 4; ++i) sum += from.get();
        return sum;
      },
      queue);
  EXPECT_EQ(total.result(), 10);
  EXPECT_EQ(queue.size(), 0u);
}

TEST_P(CoordinationTest, FullQueuesTakeNoMore) {
  const Queue<int> queue(client_, "small", 2);
  EXPECT_TRUE(queue.try_put(1));
  EXPECT_TRUE(queue.try_put(2));
  EXPECT_FALSE(queue.try_put(3));
  EXPECT_EQ(queue.get(), 1);
  EXPECT_TRUE(queue.try_put(3));
}

TEST_P(CoordinationTest, FuturesTravelThroughQueuesAndVariables) {
  const Queue<Future<int>> queue(client_, "futures");
  queue.put(client_.submit([](int a) { return a + 1; }, 1));
  EXPECT_EQ(queue.get().result(), 2);
  const Variable<Future<int>> variable(client_, "latest");
  variable.set(client_.submit([](int a) { return a * 2; }, 4));
  EXPECT_EQ(client_.submit([](int a) { return a + 1; }, variable.get()).result(), 9);
}

TEST_P(CoordinationTest, VariablesGiveTheirNewestValueUntilCleared) {
  const Variable<int> variable(client_, "x");
  EXPECT_FALSE(variable.get_for(Milliseconds(1)));
  variable.set(1);
  variable.set(2);
  EXPECT_EQ(variable.get(), 2);
  EXPECT_EQ(variable.get(), 2);
  variable.clear();
  EXPECT_FALSE(variable.try_get());
}

TEST_P(CoordinationTest, EventsLetTasksThrough) {
  const Event event(client_, "go");
  EXPECT_FALSE(event.wait_for(Milliseconds(1)));
  const auto set = client_.submit([](const Event& which) { which.set(); }, event);
  event.wait();
  EXPECT_TRUE(event.is_set());
  event.clear();
  EXPECT_FALSE(event.is_set());
}

TEST_P(CoordinationTest, LeasesComeBackHoweverTheirHolderEnds) {
  const Semaphore semaphore(client_, "doors", 2);
  {
    const Lease one = semaphore.acquire();
    EXPECT_EQ(semaphore.free(), 1u);
    EXPECT_FALSE(semaphore.try_acquire(2));
    EXPECT_FALSE(semaphore.acquire_for(Milliseconds(1), 2));
  }
  EXPECT_EQ(semaphore.free(), 2u);
  const auto bad = client_.submit(
      [](const Semaphore& doors) -> int {
        const Lease lease = doors.acquire(2);
        throw std::runtime_error("the door fell");
      },
      semaphore);
  EXPECT_THROW(bad.result(), TaskError);
  EXPECT_EQ(semaphore.free(), 2u);
  Lease moved = semaphore.acquire();
  moved = semaphore.acquire();
  moved.release();
  EXPECT_FALSE(moved);
}

TEST_P(CoordinationTest, LocksLetOneTaskInAtATime) {
  static std::atomic<int> inside;
  static std::atomic<int> most;
  static int counted;
  inside = most = counted = 0;
  const Lock lock(client_, "counter");
  const auto futures = client_.map(
      [](int n, const Lock& guard) {
        const std::lock_guard held(guard);
        most = std::max(most.load(), ++inside);
        ++counted;
        --inside;
        return n;
      },
      std::vector<int>(200, 1), lock);
  client_.gather(futures);
  EXPECT_EQ(counted, 200);
  EXPECT_EQ(most, 1);
  EXPECT_FALSE(lock.is_locked());
}

TEST_P(CoordinationTest, AskingTwiceForALockIsAnError) {
  const Lock lock(client_, "mine");
  const Lease held = lock.acquire();
  EXPECT_THAT(message_of([&] { static_cast<void>(lock.acquire()); }), HasSubstr("Lock \"mine\""));
  EXPECT_FALSE(lock.try_acquire());
}

TEST_P(CoordinationTest, SeveralLocksAreTakenAsOne) {
  const Lock north(client_, "north");
  const MultiLock both(client_, {"south", "north", "south"});
  {
    const auto held = both.acquire();
    EXPECT_EQ(held.size(), 2u);
    EXPECT_TRUE(north.is_locked());
    EXPECT_TRUE(both.try_acquire().empty());
  }
  EXPECT_FALSE(north.is_locked());
  {
    const std::lock_guard held(both);
    EXPECT_TRUE(north.is_locked());
  }
  EXPECT_FALSE(north.is_locked());
  EXPECT_THAT(message_of([&] { MultiLock(client_, {}); }), HasSubstr("at least one"));
  static std::atomic<int> inside;
  inside = 0;
  const auto futures = client_.map(
      [](int n, const MultiLock& locks) {
        const auto held = locks.acquire();
        return ++inside == 1 ? (--inside, n) : -1;
      },
      std::vector<int>{1, 2, 3, 4}, both);
  EXPECT_THAT(client_.gather(futures), ElementsAre(1, 2, 3, 4));
}

TEST_P(CoordinationTest, WrongTypesAndNumbersAreNamed) {
  const Queue<int> queue(client_, "q", 3);
  EXPECT_THAT(message_of([&] { Queue<double>(client_, "q"); }),
              testing::AllOf(HasSubstr("\"q\""), HasSubstr("double"), HasSubstr("int")));
  EXPECT_THAT(message_of([&] { Queue<int>(client_, "q", 4); }), HasSubstr("3"));
  EXPECT_NO_THROW(Queue<int>(client_, "q"));
  const Semaphore semaphore(client_, "s", 2);
  EXPECT_THAT(message_of([&] { Semaphore(client_, "s", 5); }), HasSubstr("\"s\""));
  EXPECT_THAT(message_of([&] { static_cast<void>(semaphore.acquire(3)); }), HasSubstr("never"));
  EXPECT_THAT(message_of([&] { Queue<int>().put(1); }), HasSubstr("empty"));
  EXPECT_THAT(message_of([&] { Event(client_, ""); }), HasSubstr("name"));
}

TEST_P(CoordinationTest, PublishedResultsAreFoundByName) {
  publish(client_, "answer", client_.submit([](int a) { return a * 2; }, 21));
  EXPECT_EQ(get_published<int>(client_, "answer").result(), 42);
  EXPECT_THAT(list_published(client_), ElementsAre("answer"));
  EXPECT_THAT(message_of([&] { get_published<double>(client_, "answer"); }), HasSubstr("double"));
  EXPECT_THAT(message_of([&] { get_published<int>(client_, "anwser"); }), HasSubstr("\"answer\""));
  EXPECT_THAT(message_of([&] { publish(client_, "answer", client_.submit([] { return 1; })); }), HasSubstr("already"));
  unpublish(client_, "answer");
  EXPECT_THAT(list_published(client_), IsEmpty());
  EXPECT_THROW(unpublish(client_, "answer"), Error);
}

TEST_P(CoordinationTest, WhatIsPublishedGoesWithItsClient) {
  publish(client_, "counted", client_.submit([] { return Counted(); }));
  static_cast<void>(get_published<Counted>(client_, "counted").result());
  EXPECT_EQ(Counted::alive.load(), 1);
  client_.close();
  EXPECT_EQ(Counted::alive.load(), 0);
}

INSTANTIATE_TEST_SUITE_P(Modes, CoordinationTest, testing::ValuesIn(kModes), kModeName);

TEST(CoordinationThreadsTest, WaitingTasksLendTheirSlots) {
  const Client client({.scheduler = "threads", .threads = 2});
  const Queue<int> queue(client, "numbers");
  // More waiting takers than there are slots, and only then somebody who gives.
  std::vector<int> ids(20);
  std::iota(ids.begin(), ids.end(), 0);
  const auto takers = client.map([](int, const Queue<int>& from) { return from.get(); }, ids, queue);
  const auto givers = client.map([](int n, const Queue<int>& to) { return to.put(n), n; }, ids, queue);
  const auto taken = client.gather(takers);
  EXPECT_EQ(std::accumulate(taken.begin(), taken.end(), 0), 190);
}

TEST(CoordinationThreadsTest, FullQueuesSlowProducersDownToTheirConsumer) {
  const Client client({.scheduler = "threads", .threads = 2});
  const Queue<int> queue(client, "narrow", 2);
  const auto producer = client.submit(
      [](const Queue<int>& to) {
        for (int i = 0; i < 100; ++i) to.put(i);
        return 100;
      },
      queue);
  const auto consumer = client.submit(
      [](const Queue<int>& from) {
        bool in_order = true;
        for (int i = 0; i < 100; ++i) in_order = in_order && from.size() <= 2 && from.get() == i;
        return in_order;
      },
      queue);
  EXPECT_TRUE(consumer.result());
  EXPECT_EQ(producer.result(), 100);
}

TEST(CoordinationThreadsTest, SemaphoresBoundHowManyRunAtOnce) {
  const Client client({.scheduler = "threads", .threads = 4});
  const Semaphore semaphore(client, "database", 2);
  static std::atomic<int> inside;
  static std::atomic<int> most;
  inside = most = 0;
  const auto futures = client.map(
      [](int n, const Semaphore& database) {
        const Lease lease = database.acquire();
        const int now = ++inside;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        std::this_thread::yield();
        --inside;
        return n;
      },
      std::vector<int>(100, 1), semaphore);
  client.gather(futures);
  EXPECT_LE(most, 2);
  EXPECT_EQ(semaphore.free(), 2u);
}

TEST(CoordinationThreadsTest, OtherThreadsOfTheProgramMayPut) {
  const Client client({.scheduler = "threads", .threads = 2});
  const Queue<int> queue(client, "from outside");
  const auto got = client.submit([](const Queue<int>& from) { return from.get(); }, queue);
  std::thread giver([&] { queue.put(5); });
  EXPECT_EQ(got.result(), 5);
  giver.join();
}

TEST(CoordinationThreadsTest, CancelledWaitersStopWaiting) {
  const Client client({.scheduler = "threads", .threads = 2});
  const Event started(client, "started");
  const Event never(client, "never");
  const auto waiting = client.submit(
      [](const Event& begun, const Event& end) {
        begun.set();
        end.wait();
      },
      started, never);
  started.wait();
  waiting.cancel();
  EXPECT_NE(waiting.exception(), nullptr);
}

int tell_and_wait(const Event& begun, const Event& go, bool waits) {
  if (!waits) return 0;
  begun.set();
  go.wait();
  return 1;
}

TEST(CoordinationThreadsTest, AWaitRunsNoTaskThatWaitsForWhatItsCallerDoesNext) {
  const Client client({.scheduler = "threads", .threads = 2});
  for (int round = 0; round < 50; ++round) {
    const Event begun(client, "begun " + std::to_string(round));
    const Event go(client, "go " + std::to_string(round));
    // One line describes them all: its tasks are known as short when one of them waits.
    const auto describe = [&](bool waits) { return client.submit(tell_and_wait, begun, go, waits); };
    for (int i = 0; i < 20; ++i) describe(false).result();
    const auto waiting = describe(true);
    begun.wait();
    go.set();
    EXPECT_EQ(waiting.result(), 1);
  }
}

int next_of(const Queue<int>& queue) { return queue.get(); }
int zero() { return 0; }

TEST(CoordinationThreadsTest, AResultIsNotWaitedForOnTheStackOfATaskThatMayWaitLonger) {
  const Client client({.scheduler = "threads", .threads = 2});
  const Queue<int> queue(client, "fed by the caller");
  constexpr unsigned kLine = __LINE__ + 1;
  const auto describe = [&] { return client.submit(next_of, queue); };
  const auto has_waited = [] {
    for (std::uint32_t i = 0; i < known_sites(); ++i) {
      const bool here = site(i).line == kLine && std::string_view(site(i).file).ends_with("/coordination_test.cpp");
      if (here && site(i).pace.load() == kPaceWaits) return true;
    }
    return false;
  };
  const auto first = describe();
  while (!has_waited()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  queue.put(-1);
  EXPECT_EQ(first.result(), -1);
  for (int round = 0; round < 50; ++round) {
    // Those that find something are short; the next one waits until this thread goes on.
    for (int i = 0; i < 20; ++i) {
      queue.put(i);
      EXPECT_EQ(describe().result(), i);
    }
    const auto waiting = describe();
    EXPECT_EQ(client.submit(zero).result(), 0);
    queue.put(round);
    EXPECT_EQ(waiting.result(), round);
  }
}

TEST(CoordinationSyncTest, WaitingForWhatCannotComeIsAnError) {
  const Client client({.scheduler = "sync"});
  const Queue<int> queue(client, "nothing comes");
  EXPECT_THAT(message_of([&] { queue.get(); }), HasSubstr("would never end"));
}

TEST(CoordinationCloseTest, NamesEndWithTheirClient) {
  Queue<int> queue;
  {
    const Client client({.scheduler = "sync"});
    queue = Queue<int>(client, "q");
    queue.put(1);
  }
  const Client client({.scheduler = "sync"});
  EXPECT_EQ(Queue<int>(client, "q").size(), 0u);
  queue.get();
  EXPECT_THAT(message_of([&] { queue.get(); }), HasSubstr("closed"));
}

}  // namespace
}  // namespace weft
