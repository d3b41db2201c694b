#include "tests/core/cluster/in_process_cluster.hpp"

#include <weft/coordination.hpp>
#include <weft/error.hpp>
#include <weft/this_task.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <numeric>

namespace weft {
namespace {

using testing::ClusterOptions;
using ::testing::ElementsAre;
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

std::vector<int> numbers(int count) {
  std::vector<int> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

std::atomic<int> heard;

class ClusterCoordinationTest : public ::testing::TestWithParam<unsigned> {
 protected:
  ClusterCoordinationTest()
      : cluster_(ClusterOptions{.workers = GetParam()}), client_(InProcessCluster::client_options()) {}
  InProcessCluster cluster_;
  Client client_;
};

INSTANTIATE_TEST_SUITE_P(Workers, ClusterCoordinationTest, ::testing::Values(1u, 3u));

TEST_P(ClusterCoordinationTest, QueuesGoBetweenTheClientAndTasksOnAnyWorker) {
  const Queue<std::string> words(client_, "words");
  words.put("from the client");
  EXPECT_EQ(client_.submit([](const Queue<std::string>& from) { return from.get(); }, words).result(),
            "from the client");
  client_.submit([](const Queue<std::string>& to) { to.put("from a task"); }, words).result();
  EXPECT_EQ(words.get(), "from a task");
  EXPECT_EQ(words.size(), 0u);
}

TEST_P(ClusterCoordinationTest, WaitingTasksLendTheirSlots) {
  const Queue<int> queue(client_, "numbers");
  const std::vector<int> ids = numbers(20);
  const auto takers = client_.map([](int, const Queue<int>& from) { return from.get(); }, ids, queue);
  const auto givers = client_.map([](int n, const Queue<int>& to) { return to.put(n), n; }, ids, queue);
  const std::vector<int> taken = client_.gather(takers);
  EXPECT_EQ(std::accumulate(taken.begin(), taken.end(), 0), 190);
}

TEST_P(ClusterCoordinationTest, FullQueuesSlowProducersDownToTheirConsumer) {
  const Queue<int> queue(client_, "narrow", 2);
  const auto producer = client_.submit(
      [](const Queue<int>& to) {
        for (int i = 0; i < 100; ++i) to.put(i);
        return 100;
      },
      queue);
  const auto consumer = client_.submit(
      [](const Queue<int>& from) {
        bool in_order = true;
        for (int i = 0; i < 100; ++i) in_order = in_order && from.size() <= 2 && from.get() == i;
        return in_order;
      },
      queue);
  EXPECT_TRUE(consumer.result());
  EXPECT_EQ(producer.result(), 100);
  EXPECT_TRUE(
      client_.submit([](const Queue<int>& to) { return to.try_put(1) && to.try_put(2) && !to.try_put(3); }, queue)
          .result());
  EXPECT_FALSE(client_
                   .submit(
                       [](const Queue<int>& from) {
                         from.get();
                         from.get();
                         return from.get_for(Milliseconds(20)).has_value();
                       },
                       queue)
                   .result());
}

TEST_P(ClusterCoordinationTest, VariablesAndEventsReachTasks) {
  const Variable<std::vector<int>> limits(client_, "limits");
  const Event go(client_, "go");
  const auto sum = client_.submit(
      [](const Variable<std::vector<int>>& from, const Event& gate) {
        gate.wait();
        const std::vector<int> all = from.get();
        return std::accumulate(all.begin(), all.end(), 0);
      },
      limits, go);
  EXPECT_FALSE(go.is_set());
  limits.set({1, 2, 3});
  go.set();
  EXPECT_EQ(sum.result(), 6);
  client_.submit([](const Variable<std::vector<int>>& to) { to.set({9}); }, limits).result();
  EXPECT_THAT(limits.get(), ElementsAre(9));
  EXPECT_TRUE(client_.submit([](const Event& gate) { return gate.is_set(); }, go).result());
  limits.clear();
  EXPECT_FALSE(limits.try_get());
}

TEST_P(ClusterCoordinationTest, LocksLetOneTaskInAtATime) {
  static std::atomic<int> inside;
  static std::atomic<int> most;
  inside = most = 0;
  const Lock lock(client_, "counter");
  const auto futures = client_.map(
      [](int n, const Lock& guard) {
        const std::lock_guard held(guard);
        most = std::max(most.load(), ++inside);
        --inside;
        return n;
      },
      numbers(100), lock);
  client_.gather(futures);
  EXPECT_EQ(most, 1);
  EXPECT_FALSE(lock.is_locked());
  const MultiLock both(client_, {"counter", "other"});
  const auto held = both.acquire();
  EXPECT_TRUE(client_.submit([](const MultiLock& locks) { return locks.try_acquire().empty(); }, both).result());
}

TEST_P(ClusterCoordinationTest, AskingTwiceForALockInATaskIsAnError) {
  const Lock lock(client_, "mine");
  const auto twice = client_.submit(
      [](const Lock& guard) {
        const Lease held = guard.acquire();
        return message_of([&] { static_cast<void>(guard.acquire()); });
      },
      lock);
  EXPECT_THAT(twice.result(), HasSubstr("Lock \"mine\""));
  EXPECT_FALSE(lock.is_locked());
}

TEST_P(ClusterCoordinationTest, SemaphoresBoundHowManyRunAtOnce) {
  static std::atomic<int> inside;
  static std::atomic<int> most;
  inside = most = 0;
  const Semaphore semaphore(client_, "database", 2);
  const auto futures = client_.map(
      [](int n, const Semaphore& database) {
        const Lease lease = database.acquire();
        const int now = ++inside;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        --inside;
        return n;
      },
      numbers(60), semaphore);
  client_.gather(futures);
  EXPECT_LE(most, 2);
  EXPECT_EQ(semaphore.free(), 2u);
  const auto bad = client_.submit(
      [](const Semaphore& doors) -> int {
        const Lease lease = doors.acquire(2);
        throw std::runtime_error("the door fell");
      },
      semaphore);
  EXPECT_THROW(bad.result(), TaskError);
  EXPECT_EQ(semaphore.free(), 2u);
}

TEST_P(ClusterCoordinationTest, ObjectsThatTasksOpenByNameAreTheClients) {
  const auto put = client_.submit([] { Queue<int>(this_task::client(), "late", 3).put(4); });
  put.result();
  EXPECT_EQ(Queue<int>(client_, "late").get(), 4);
  EXPECT_EQ(Queue<int>(client_, "late").maxsize(), 3u);
  EXPECT_THAT(client_.submit([] { return message_of([] { Queue<double>(this_task::client(), "late"); }); }).result(),
              HasSubstr("use the type it was made with"));
}

TEST_P(ClusterCoordinationTest, CancelledTasksStopWaiting) {
  const Event begun(client_, "begun");
  const Queue<int> never(client_, "never");
  const auto waiting = client_.submit(
      [](const Event& started, const Queue<int>& from) {
        started.set();
        return from.get();
      },
      begun, never);
  begun.wait();
  waiting.cancel();
  EXPECT_NE(waiting.exception(), nullptr);
  never.put(1);
  EXPECT_EQ(never.get(), 1);  // the one who was cancelled has not taken it
}

TEST_P(ClusterCoordinationTest, PublishedResultsAreFoundByTasks) {
  publish(client_, "answer", client_.submit([](int a) { return a * 2; }, 21));
  publish(client_, "long", client_.submit([] { return std::string(100'000, 'x'); }));
  const auto seen = client_.submit([] {
    const Client& here = this_task::client();
    return get_published<int>(here, "answer").result() +
           static_cast<int>(get_published<std::string>(here, "long").result().size());
  });
  EXPECT_EQ(seen.result(), 100'042);
  EXPECT_THAT(client_.submit([] { return list_published(this_task::client()); }).result(),
              ElementsAre("answer", "long"));
  EXPECT_THAT(
      client_.submit([] { return message_of([] { get_published<int>(this_task::client(), "anwser").result(); }); })
          .result(),
      HasSubstr("\"answer\""));
  client_.submit([] { unpublish(this_task::client(), "long"); }).result();
  EXPECT_THAT(list_published(client_), ElementsAre("answer"));
}

TEST_P(ClusterCoordinationTest, PublishedResultsNeedNotBeThereYet) {
  const Event go(client_, "go");
  publish(client_, "late", client_.submit([](const Event& gate) { return gate.wait(), 7; }, go));
  const auto twice = client_.submit([] { return 2 * get_published<int>(this_task::client(), "late").result(); });
  EXPECT_FALSE(twice.done());
  go.set();
  EXPECT_EQ(twice.result(), 14);
}

TEST_P(ClusterCoordinationTest, TasksPublishTheirOwnResults) {
  client_
      .submit([] {
        const Client& here = this_task::client();
        publish(here, "mine", here.submit([](int a) { return std::to_string(a); }, 5));
      })
      .result();
  EXPECT_EQ(get_published<std::string>(client_, "mine").result(), "5");
}

// --- Futures in queues and variables ---------------------------------------------------------------------------------

TEST_P(ClusterCoordinationTest, TasksTakeFuturesThatTheClientPutThere) {
  const Event go(client_, "go");
  const Queue<Future<int>> futures(client_, "futures");
  futures.put(client_.submit([](const Event& gate) { return gate.wait(), 20; }, go));
  const auto twice = client_.submit(
      [](const Queue<Future<int>>& from, const Event& gate) {
        const Future<int> taken = from.get();
        const bool pending = !taken.done();
        gate.set();
        return pending ? 2 * taken.result() : -1;
      },
      futures, go);
  EXPECT_EQ(twice.result(), 40);
}

TEST_P(ClusterCoordinationTest, TheClientTakesFuturesThatTasksPutBeforeTheyEnd) {
  const Event go(client_, "go");
  const Variable<Future<std::string>> latest(client_, "latest");
  const auto parent = client_.submit(
      [](const Variable<Future<std::string>>& to, const Event& gate) {
        const auto child =
            this_task::client().submit([](const Event& held) { return held.wait(), std::string(100'000, 'x'); }, gate);
        to.set(child);
        return 1;
      },
      latest, go);
  const Future<std::string> taken = latest.get();
  EXPECT_FALSE(taken.done());
  const auto size = client_.submit([](const std::string& text) { return text.size(); }, taken);
  EXPECT_FALSE(size.done());
  go.set();
  EXPECT_EQ(size.result(), 100'000u);
  EXPECT_EQ(parent.result(), 1);
  EXPECT_EQ(latest.get().result().size(), 100'000u);
}

TEST_P(ClusterCoordinationTest, FuturesStayWhileTheyLieInAQueue) {
  const Queue<Future<std::string>> futures(client_, "futures");
  client_
      .submit(
          [](const Queue<Future<std::string>>& to) {
            for (int i = 0; i < 20; ++i) {
              to.put(
                  this_task::client().submit([](int n) { return std::string(50'000, static_cast<char>('a' + n)); }, i));
            }
          },
          futures)
      .result();
  client_.submit([](const Queue<Future<std::string>>& queue) { queue.put(queue.get()); }, futures).result();
  std::string seen;
  for (int i = 0; i < 20; ++i) seen += futures.get().result().back();
  EXPECT_EQ(seen, "bcdefghijklmnopqrsta");
}

struct Parts {
  std::string name;
  std::vector<Future<int>> parts;
};
template <class Visit>
void weft_handles(const Parts& named, Visit&& visit) {
  for (const auto& part : named.parts) visit(part);
}
template <class Archive>
void weft_fields(Archive& archive, Parts& named) {
  std::size_t count = named.parts.size();
  archive(named.name, count);
  named.parts.resize(count);
}

TEST_P(ClusterCoordinationTest, FuturesTravelInsideOfOtherValues) {
  using Pairs = std::vector<std::pair<std::string, Future<int>>>;
  const Queue<Pairs> pairs(client_, "pairs");
  pairs.put({{"one", client_.submit([] { return 1; })}, {"two", client_.submit([] { return 2; })}});
  const Queue<Parts> named(client_, "named");
  client_
      .submit(
          [](const Queue<Pairs>& from, const Queue<Parts>& to) {
            const Pairs taken = from.get();
            Parts all{taken[0].first + taken[1].first, {taken[0].second, taken[1].second}};
            all.parts.push_back(this_task::client().submit([](int a, int b) { return a + b; }, taken[0].second, 2));
            to.put(all);
          },
          pairs, named)
      .result();
  const Parts got = named.get();
  EXPECT_EQ(got.name, "onetwo");
  EXPECT_THAT(client_.gather(got.parts), ElementsAre(1, 2, 3));
}

TEST_P(ClusterCoordinationTest, FailuresComeWithTheirFutures) {
  const Queue<Future<int>> futures(client_, "futures");
  client_
      .submit(
          [](const Queue<Future<int>>& to) {
            to.put(this_task::client().submit([]() -> int { throw std::runtime_error("the oven is cold"); }));
          },
          futures)
      .exception();
  const Future<int> taken = futures.get();
  EXPECT_THAT(message_of([&] { taken.result(); }), HasSubstr("the oven is cold"));
  const auto next = client_.submit([](int a) { return a; }, taken);
  EXPECT_THAT(message_of([&] { next.result(); }), HasSubstr("the oven is cold"));
}

TEST_P(ClusterCoordinationTest, CallbacksHearOfFuturesThatCameThroughAQueue) {
  const Event go(client_, "go");
  const Queue<Future<int>> futures(client_, "futures");
  futures.put(client_.submit([](const Event& gate) { return gate.wait(), 3; }, go));
  const auto told = client_.submit(
      [](const Queue<Future<int>>& from, const Event& gate, const Queue<int>& answers) {
        heard = 0;
        from.get().add_done_callback([](const Future<int>& done) { heard = done.result(); });
        gate.set();
        while (heard.load() == 0) answers.get_for(Milliseconds(1));
        return heard.load();
      },
      futures, go, Queue<int>(client_, "answers"));
  EXPECT_EQ(told.result(), 3);
}

TEST_P(ClusterCoordinationTest, WhatIsNoFutureIsRefusedByItsName) {
  const Queue<Delayed<int>> lazy(client_, "lazy");
  lazy.put(delayed([] { return 1; })());
  EXPECT_THAT(message_of([&] {
                client_.submit([](const Queue<Delayed<int>>& from) { return from.get().name(); }, lazy).result();
              }),
              HasSubstr("Delayed<int> holds a Delayed, which is only described"));
  const Queue<Future<int>> futures(client_, "futures");
  EXPECT_THAT(
      client_.submit([](const Queue<Future<int>>& to) { return message_of([&] { to.put({}); }); }, futures).result(),
      HasSubstr("weft::Future<int> holds an empty future"));
  const Variable<std::shared_ptr<std::mutex>> tied(client_, "tied");
  tied.set(std::make_shared<std::mutex>());
  const auto refused = client_.submit(
      [](const std::string&) {
        return message_of([] { Variable<std::shared_ptr<std::mutex>>(this_task::client(), "tied").get(); });
      },
      std::string());
  EXPECT_THAT(refused.result(), ::testing::AllOf(HasSubstr("a value of type std::shared_ptr<std::mutex> is kept"),
                                                 ::testing::Not(HasSubstr("with T"))));
}

TEST_P(ClusterCoordinationTest, ClosingTheClientEndsWaitingTasks) {
  const Event begun(client_, "begun");
  const auto waiting = client_.submit(
      [](const Event& started) {
        started.set();
        Event(this_task::client(), "never").wait();
      },
      begun);
  begun.wait();
  client_.close();
  const Client next(InProcessCluster::client_options());
  EXPECT_EQ(next.submit([](int a) { return a; }, 3).result(), 3);
}

TEST(ClusterCoordinationLossTest, LeasesOfALostWorkerAreFree) {
  InProcessCluster cluster({.workers = 2});
  const Client client(InProcessCluster::client_options());
  const Lock lock(client, "held");
  const Semaphore semaphore(client, "doors", 3);
  const Event taken(client, "taken");
  static std::atomic<bool> first;
  first = true;
  const auto holder = client.with({.workers = {"worker1"}, .allow_other_workers = true})
                          .submit(
                              [](const Lock& guard, const Semaphore& doors, const Event& told) {
                                if (!first.exchange(false)) return 1;
                                const Lease held = guard.acquire();
                                const Lease two = doors.acquire(2);
                                told.set();
                                Event(this_task::client(), "never").wait();
                                return 2;
                              },
                              lock, semaphore, taken);
  taken.wait();
  EXPECT_TRUE(lock.is_locked());
  EXPECT_EQ(semaphore.free(), 1u);
  cluster.kill(0);
  {
    const Lease mine = lock.acquire();
    EXPECT_EQ(semaphore.acquire(3).count(), 3u);
  }
  EXPECT_EQ(holder.result(), 1);
  EXPECT_FALSE(lock.is_locked());
}

TEST(ClusterCoordinationLossTest, FuturesOfALostWorkerFailForWhoeverTookThem) {
  InProcessCluster cluster({.workers = 2});
  const Client client(InProcessCluster::client_options());
  const Queue<Future<int>> futures(client, "futures");
  static std::atomic<bool> first;
  first = true;
  const auto parent = client.with({.workers = {"worker1"}, .allow_other_workers = true})
                          .submit(
                              [](const Queue<Future<int>>& to) {
                                const Client& here = this_task::client();
                                if (!first.exchange(false)) return to.put(here.submit([] { return 5; })), 1;
                                to.put(here.submit([] {
                                  Event(this_task::client(), "never").wait();
                                  return 4;
                                }));
                                Event(here, "never").wait();
                                return 2;
                              },
                              futures);
  const Future<int> lost = futures.get();
  const auto reader = client.submit([](int a) { return a; }, lost);
  cluster.kill(0);
  EXPECT_THAT(message_of([&] { lost.result(); }), HasSubstr("its worker was lost"));
  EXPECT_THAT(message_of([&] { reader.result(); }), HasSubstr("its worker was lost"));
  EXPECT_EQ(futures.get().result(), 5);
  EXPECT_EQ(parent.result(), 1);
}

}  // namespace
}  // namespace weft
