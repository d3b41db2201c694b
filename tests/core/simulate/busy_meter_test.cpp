#include "core/simulate/busy_meter.hpp"

#include <gtest/gtest.h>

namespace weft::sim {
namespace {

/// Two roots and a task that needs both.
Workload join() {
  Workload workload;
  workload.add_task(10, 1);
  workload.add_task(20, 1);
  workload.inputs = {0, 1};
  workload.add_task(10, 1);
  return workload;
}

TEST(BusyMeterTest, ACoreThatCouldNotRunAnythingIsNotIdle) {
  const Workload workload = join();
  BusyMeter meter(workload, 2);
  meter.begin(0);
  meter.task_started(0);
  meter.task_started(0);
  meter.task_finished(0, 10);
  meter.task_finished(1, 20);  // from 10 to 20 nothing else could run
  meter.task_started(20);
  meter.task_finished(2, 30);
  EXPECT_EQ(meter.busy(), 40);
  EXPECT_EQ(meter.possible(), 40);
}

TEST(BusyMeterTest, ACoreThatCouldRunSomethingIsIdle) {
  const Workload workload = join();
  BusyMeter meter(workload, 2);
  meter.begin(0);
  meter.task_started(0);
  meter.task_finished(0, 10);  // task 1 could have begun at 0
  meter.task_started(15);
  meter.task_finished(1, 35);
  meter.task_started(40);
  meter.task_finished(2, 50);
  EXPECT_EQ(meter.busy(), 40);
  EXPECT_EQ(meter.possible(), 20 + 5 + 20 + 5 + 10);
}

TEST(BusyMeterTest, GreedyMakespanIsThatOfAListSchedule) {
  EXPECT_EQ(greedy_makespan(join(), 2), 30);
  EXPECT_EQ(greedy_makespan(join(), 1), 40);
}

}  // namespace
}  // namespace weft::sim
