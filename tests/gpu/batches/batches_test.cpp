// Short works that go to the device together. A first work holds the stream until the others are gathered, so that what
// goes together does not hang on who is how fast.
#include <weft/gpu.hpp>
#include <weft/weft.hpp>

#include "tests/gpu/devices.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>

namespace weft::testing {
namespace {

constexpr std::size_t kCount = 256, kBytes = kCount * sizeof(std::uint32_t);

/// The kernel of add() for a work that joins batches.
gpu::DeviceBuffer add_shortly(const gpu::DeviceBuffer& buffer, std::uint32_t more, std::atomic<int>* begun = nullptr) {
  gpu::Work work;
  work.join_batches();
  const auto in = work.input(buffer);
  const auto out = work.output(buffer.size());
  work.begin();
  work.launch([&](gpu::NativeStream stream) {
    stream.host([from = work.data<const std::uint32_t>(in), to = work.data<std::uint32_t>(out),
                 count = buffer.size() / sizeof(std::uint32_t), more] {
      for (std::size_t i = 0; i < count; ++i) to[i] = from[i] + more;
    });
  });
  if (begun != nullptr) ++*begun;
  return work.finish(out);
}

/// A work that ends when it is told to.
class Holder {
 public:
  Holder()
      : thread_([this] {
          gpu::Work work;
          work.join_batches();
          work.begin();
          work.launch([this](gpu::NativeStream stream) {
            stream.host([this] {
              holds_ = true;
              holds_.notify_all();
              go_.wait(false);
            });
          });
          work.finish();
        }) {
    holds_.wait(false);
  }
  ~Holder() {
    let_go();
    thread_.join();
  }
  void let_go() {
    go_ = true;
    go_.notify_all();
  }

 private:
  std::atomic<bool> holds_{false}, go_{false};
  std::thread thread_;
};

/// Runs so many at once, each on a thread of its own, and returns what each threw, "" for nothing.
std::vector<std::string> run_together(int works, const std::function<void(int, std::atomic<int>&)>& run) {
  std::vector<std::string> problems(static_cast<std::size_t>(works));
  std::atomic<int> begun{0};
  std::vector<std::thread> threads;
  {
    Holder holder;
    for (int i = 0; i < works; ++i) {
      threads.emplace_back([&, i] {
        try {
          run(i, begun);
        } catch (const std::exception& error) {
          problems[static_cast<std::size_t>(i)] = error.what();
        }
      });
    }
    // What has begun is gathered a moment later; one that is late goes with the next batch.
    while (begun < works) std::this_thread::yield();
  }
  for (std::thread& thread : threads) thread.join();
  return problems;
}

TEST(BatchesTest, WorksGoTogetherAndEachGetsItsOwn) {
  const PretendedDevices devices({{}}, {1 << 20});
  std::vector<gpu::DeviceBuffer> made(40);
  run_together(40, [&](int i, std::atomic<int>& begun) {
    made[static_cast<std::size_t>(i)] =
        add_shortly(gpu::DeviceBuffer(numbers(kCount, static_cast<std::uint32_t>(i))), 7, &begun);
  });
  for (std::uint32_t i = 0; i < 40; ++i) EXPECT_EQ(values_of(made[i].fetch())[3], i + 10);
  const gpu::DeviceReport report = gpu::report();
  EXPECT_EQ(report.works, 41u);
  EXPECT_GE(report.graphs, 1u);
  EXPECT_GE(report.graph_works, 4u);
  EXPECT_EQ(report.uploaded_bytes, 40 * kBytes);
}

TEST(BatchesTest, AWorkAloneGoesAtOnce) {
  const PretendedDevices devices({{}}, {1 << 20});
  EXPECT_EQ(values_of(add_shortly(gpu::DeviceBuffer(numbers(kCount, 5)), 1).fetch())[0], 6u);
  EXPECT_EQ(gpu::report().graphs, 0u);
}

TEST(BatchesTest, ShapesThatComeAgainAreKept) {
  const PretendedDevices devices({{}}, {8 << 20});
  for (int round = 0; round < 12; ++round) {
    run_together(4, [&](int i, std::atomic<int>& begun) {
      add_shortly(gpu::DeviceBuffer(numbers(kCount, static_cast<std::uint32_t>(i))), 1, &begun);
    });
  }
  const gpu::DeviceReport report = gpu::report();
  EXPECT_GE(report.graphs, 1u);
  EXPECT_EQ(report.graphs - report.graphs_kept, 1u) << "four works of one kernel each are one shape";
}

TEST(BatchesTest, WhereGraphsAreRefusedWorksGoOneByOne) {
  for (const gpu::PretendedDevice& device :
       {gpu::PretendedDevice{.refuse_graph_at = 1}, gpu::PretendedDevice{.no_graphs = true}}) {
    const PretendedDevices devices({device}, {1 << 20});
    std::vector<gpu::DeviceBuffer> made(8);
    const auto problems = run_together(8, [&](int i, std::atomic<int>& begun) {
      made[static_cast<std::size_t>(i)] =
          add_shortly(gpu::DeviceBuffer(numbers(kCount, static_cast<std::uint32_t>(i))), 1, &begun);
    });
    for (std::uint32_t i = 0; i < 8; ++i) {
      EXPECT_EQ(problems[i], "");
      EXPECT_EQ(values_of(made[i].fetch())[0], i + 1);
    }
    if (device.no_graphs) {
      EXPECT_EQ(gpu::report().graphs, 0u);
    }
  }
}

TEST(BatchesTest, AStepThatThrowsFailsItsWorkAlone) {
  const PretendedDevices devices({{}}, {1 << 20});
  std::vector<std::uint32_t> first(8);
  const auto problems = run_together(8, [&](int i, std::atomic<int>& begun) {
    gpu::Work work;
    work.join_batches();
    const auto in = work.input(gpu::DeviceBuffer(numbers(kCount, static_cast<std::uint32_t>(i))));
    const auto out = work.output(kBytes);
    work.begin();
    work.copy(out, in);
    if (i == 3) work.launch([](gpu::NativeStream) { throw std::runtime_error("no such kernel"); });
    ++begun;
    first[static_cast<std::size_t>(i)] = values_of(work.finish(out).fetch())[0];
  });
  for (std::uint32_t i = 0; i < 8; ++i) {
    EXPECT_EQ(problems[i], i == 3 ? "no such kernel" : "");
    if (i != 3) {
      EXPECT_EQ(first[i], i);
    }
  }
  EXPECT_TRUE(gpu::usable());
}

// The launch is refused while the batch is captured: none of it runs, and it is put on again one by one.
TEST(BatchesTest, ALaunchThatIsRefusedInAGraphIsTriedAgain) {
  const PretendedDevices devices({{.refuse_launch_at = 4}}, {1 << 20});
  std::vector<gpu::DeviceBuffer> made(8);
  const auto problems = run_together(8, [&](int i, std::atomic<int>& begun) {
    made[static_cast<std::size_t>(i)] =
        add_shortly(gpu::DeviceBuffer(numbers(kCount, static_cast<std::uint32_t>(i))), 1, &begun);
  });
  for (std::uint32_t i = 0; i < 8; ++i) {
    EXPECT_EQ(problems[i], "");
    EXPECT_EQ(values_of(made[i].fetch())[0], i + 1);
  }
}

TEST(BatchesTest, ALaunchThatIsRefusedOutsideOfGraphsIsItsWorksError) {
  // The first is the holder's; the fourth is one of the others.
  const PretendedDevices devices({{.refuse_launch_at = 4, .no_graphs = true}}, {1 << 20});
  const auto problems = run_together(8, [&](int i, std::atomic<int>& begun) {
    add_shortly(gpu::DeviceBuffer(numbers(kCount, static_cast<std::uint32_t>(i))), 1, &begun);
  });
  int refused = 0;
  for (const std::string& problem : problems)
    if (problem.find("refused") != std::string::npos) ++refused;
  EXPECT_EQ(refused, 1);
  EXPECT_TRUE(gpu::usable());
}

TEST(BatchesTest, ALaunchOfAWorkOfItsOwnThatIsRefusedIsItsErrorAndTheDeviceGoesOn) {
  const PretendedDevices devices({{.refuse_launch_at = 1}}, {1 << 20});
  EXPECT_THROW(add(gpu::DeviceBuffer(numbers(kCount, 0)), 1), gpu::DeviceError);
  EXPECT_EQ(values_of(add(gpu::DeviceBuffer(numbers(kCount, 0)), 1).fetch())[0], 1u);
}

TEST(BatchesTest, AFaultInABatchFailsAllOfItWithTheReason) {
  const PretendedDevices devices({{.fault_at = 3}}, {1 << 20});
  const auto problems = run_together(8, [&](int i, std::atomic<int>& begun) {
    add_shortly(gpu::DeviceBuffer(numbers(kCount, static_cast<std::uint32_t>(i))), 1, &begun);
  });
  for (const std::string& problem : problems) EXPECT_NE(problem.find("faulted"), std::string::npos) << problem;
  EXPECT_FALSE(gpu::usable());
}

TEST(BatchesTest, ChainsOfTasksOnAllSchedulers) {
  for (const char* const scheduler : {"sync", "threads"}) {
    const PretendedDevices devices({{.memory_bytes = 200 * kBytes}}, {100 * kBytes});
    Client client(Options{.scheduler = scheduler, .threads = 4});
    std::vector<Future<gpu::DeviceBuffer>> ends;
    for (std::uint32_t i = 0; i < 16; ++i) {
      Future<gpu::DeviceBuffer> last = client.submit(
          [](std::uint32_t first) { return add_shortly(gpu::DeviceBuffer(numbers(kCount, first)), 1); }, i);
      for (int step = 0; step < 2; ++step)
        last = client.submit([](const gpu::DeviceBuffer& b) { return add_shortly(b, 10); }, last);
      ends.push_back(last);
    }
    for (std::uint32_t i = 0; i < 16; ++i) EXPECT_EQ(values_of(ends[i].result().fetch())[1], i + 22) << scheduler;
  }
}

// Short works and long ones share the room; seeds of what goes wrong.
TEST(BatchesTest, ShortAndLongWorksBesideEachOtherLoseNothing) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    const PretendedDevices devices({{.memory_bytes = 24 * kBytes, .refuse_at = seed, .refuse_every = 5 + seed}},
                                   {16 * kBytes});
    Client client(Options{.scheduler = "threads", .threads = 4});
    std::vector<Future<gpu::DeviceBuffer>> made;
    for (std::uint32_t i = 0; i < 40; ++i) {
      made.push_back(client.submit(
          [](std::uint32_t k) {
            const gpu::DeviceBuffer first(numbers(kCount, k));
            return k % 3 == 0 ? add(add_shortly(first, 1), 1) : add_shortly(add(first, 1), 1);
          },
          i));
    }
    for (std::uint32_t i = 0; i < 40; ++i) EXPECT_EQ(values_of(made[i].result().fetch())[9], i + 11) << "seed " << seed;
    EXPECT_LE(gpu::report().peak_bytes, 16 * kBytes);
  }
}

/// The same, left to the device.
gpu::DeviceBuffer leave_add(const gpu::DeviceBuffer& buffer, std::uint32_t more, bool joins) {
  gpu::Work work;
  if (joins) work.join_batches();
  const auto in = work.input(buffer);
  const auto out = work.output(buffer.size());
  work.begin();
  work.launch([from = work.data<const std::uint32_t>(in), to = work.data<std::uint32_t>(out),
               count = buffer.size() / sizeof(std::uint32_t), more](gpu::NativeStream stream) {
    stream.host([=] {
      for (std::size_t i = 0; i < count; ++i) to[i] = from[i] + more;
    });
  });
  return work.leave(out);
}

// No task waits, so one slot puts everything on the device; room for two thirds of it.
TEST(BatchesTest, WorksThatAreLeftFollowEachOther) {
  for (const char* const scheduler : {"sync", "threads"}) {
    const PretendedDevices devices({{.memory_bytes = 48 * kBytes}}, {40 * kBytes});
    Client client(Options{.scheduler = scheduler, .threads = 2});
    std::vector<Future<gpu::DeviceBuffer>> ends;
    for (std::uint32_t i = 0; i < 60; ++i) {
      Future<gpu::DeviceBuffer> last = client.submit(
          [](std::uint32_t first) { return leave_add(gpu::DeviceBuffer(numbers(kCount, first)), 1, true); }, i);
      for (std::uint32_t step = 0; step < 4; ++step) {
        last = client.submit([](const gpu::DeviceBuffer& b, bool joins) { return leave_add(b, 10, joins); }, last,
                             (i + step) % 3 != 0);
      }
      ends.push_back(last);
    }
    for (std::uint32_t i = 0; i < 60; ++i) EXPECT_EQ(values_of(ends[i].result().fetch())[2], i + 43) << scheduler;
    EXPECT_LE(gpu::report().peak_bytes, 40 * kBytes);
  }
}

TEST(BatchesTest, WhoFetchesWhatIsGatheredDoesNotWaitForWhatRuns) {
  const PretendedDevices devices({{}}, {1 << 20});
  Holder holder;
  const gpu::DeviceBuffer made = leave_add(gpu::DeviceBuffer(numbers(kCount, 1)), 1, true);
  const gpu::DeviceBuffer other = leave_add(made, 1, false);
  holder.let_go();
  EXPECT_EQ(values_of(other.fetch())[0], 3u);
  EXPECT_EQ(values_of(made.fetch())[0], 2u);
}

TEST(BatchesTest, WhatWasNeverMadeSaysWhyToWhoeverNeedsIt) {
  const PretendedDevices devices({{}}, {1 << 20});
  gpu::Work work;
  work.join_batches();
  const auto out = work.output(kBytes);
  work.begin();
  work.launch([](gpu::NativeStream) { throw std::runtime_error("no such kernel"); });
  gpu::DeviceBuffer broken, behind;
  {
    Holder holder;
    broken = work.leave(out);
    behind = leave_add(broken, 1, true);
  }
  const auto why = [](const std::function<void()>& call) -> std::string {
    try {
      call();
    } catch (const gpu::DeviceError& error) {
      return error.what();
    }
    return "nothing";
  };
  EXPECT_NE(why([&] { broken.fetch(); }).find("no such kernel"), std::string::npos);
  EXPECT_NE(why([&] { behind.fetch(); }).find("no such kernel"), std::string::npos);
  EXPECT_NE(why([&] { add(broken, 1); }).find("no such kernel"), std::string::npos);
  EXPECT_NE(why([&] { leave_add(behind, 1, true); }).find("no such kernel"), std::string::npos);
  EXPECT_EQ(values_of(add(gpu::DeviceBuffer(numbers(kCount, 0)), 1).fetch())[0], 1u) << "the device goes on";
  EXPECT_TRUE(gpu::usable());
}

TEST(BatchesTest, AFaultOfWhatWasLeftIsToldToWhoFetches) {
  for (const bool joins : {false, true}) {
    const PretendedDevices devices({{.fault_at = 1}}, {1 << 20});
    const gpu::DeviceBuffer lost = leave_add(gpu::DeviceBuffer(numbers(kCount, 0)), 1, joins);
    EXPECT_THROW(lost.fetch(), gpu::DeviceError);
    EXPECT_FALSE(gpu::usable());
  }
}

TEST(BatchesTest, AfterLeaveNothingIsPutOnAnyMore) {
  const PretendedDevices devices({{}}, {1 << 20});
  gpu::Work work;
  const auto out = work.output(8);
  work.begin();
  work.leave();
  work.leave(out);
  EXPECT_THROW(work.launch([](gpu::NativeStream) {}), gpu::DeviceError);
  EXPECT_THROW(work.data(out), gpu::DeviceError);
  EXPECT_THROW(work.finish(), gpu::DeviceError);
}

TEST(BatchesTest, TheLedgerHasARowForGraphs) {
  const PretendedDevices devices({{}}, {1 << 20});
  Client client(Options{.scheduler = "threads", .threads = 2});
  run_together(16, [&](int i, std::atomic<int>& begun) {
    add_shortly(gpu::DeviceBuffer(numbers(kCount, static_cast<std::uint32_t>(i))), 1, &begun);
  });
  bool found = false;
  for (const DeviceRow& row : client.ledger().devices) {
    if (row.name.find("in graphs") == std::string::npos) continue;
    found = true;
    EXPECT_EQ(row.works, gpu::report().graph_works);
    EXPECT_GT(row.kernel_seconds, 0);
  }
  EXPECT_TRUE(found);
}

TEST(BatchesTest, SayingSoTooLateIsNamed) {
  const PretendedDevices devices({{}}, {1 << 20});
  gpu::Work work;
  work.begin();
  EXPECT_THROW(work.join_batches(), gpu::DeviceError);
}

}  // namespace
}  // namespace weft::testing
