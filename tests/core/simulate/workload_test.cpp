#include "core/simulate/workload.hpp"

#include <gtest/gtest.h>

namespace weft::sim {
namespace {

Workload diamond() {
  Workload workload;
  workload.add_task(1, 10);
  for (int i = 0; i < 2; ++i) {
    workload.inputs.push_back(0);
    workload.add_task(1, 10);
  }
  workload.inputs.insert(workload.inputs.end(), {1, 2});
  workload.add_task(1, 10);
  return workload;
}

TEST(WorkloadTest, ValuesDependOnEachInputAndItsPlace) {
  const Workload workload = diamond();
  const std::vector<Value> right = workload.evaluate_all();
  const auto with = [&](Value left_input, Value right_input) {
    return workload.evaluate(3, [&](TaskId input) { return input == 1 ? left_input : right_input; });
  };
  EXPECT_EQ(with(right[1], right[2]), right[3]);
  EXPECT_NE(with(right[1], right[1]), right[3]);
  EXPECT_NE(with(right[2], right[1]), right[3]);
  EXPECT_NE(with(0, right[2]), right[3]);
}

TEST(WorkloadTest, AFailedTaskFailsAllThatDependsOnIt) {
  Workload workload = diamond();
  workload.fates[2] = Fate::Throws;
  const std::vector<Value> values = workload.evaluate_all();
  EXPECT_EQ(values[1] & kFailedBit, 0u);
  EXPECT_NE(values[2] & kFailedBit, 0u);
  EXPECT_EQ(values[3], values[2]);
}

TEST(WorkloadTest, SubmissionNamesProducersOfEarlierPacketsOnceWithTheBytesRead) {
  Workload workload = diamond();
  workload.cut(1);
  workload.packets[0].task_count = 3;  // 0, 1, 2 in one packet, 3 in the next
  workload.packets[1] = workload.packets[3];
  workload.packets.resize(2);
  workload.packet_of = {0, 0, 0, 1};
  workload.last_reader = {1, kNone};
  const PacketsSubmitted message = workload.submission(0, 2);
  ASSERT_EQ(message.packets.size(), 2u);
  EXPECT_EQ(message.packets[0].producer_count, 0u);
  EXPECT_TRUE(message.packets[0].has(packet_flags::kRoots));
  EXPECT_FALSE(message.packets[1].has(packet_flags::kRoots));
  ASSERT_EQ(message.packets[1].producer_count, 1u);
  EXPECT_EQ(message.producers[0], (ProducerEdge{0, 20}));
}

TEST(WorkloadTest, ASplitMovesTheLaterTasks) {
  Workload workload = diamond();
  workload.cut(4);
  EXPECT_EQ(workload.split(0, 1), 1u);
  EXPECT_EQ(workload.packets[0].task_count, 1u);
  EXPECT_EQ(workload.packets[1].first_task, 1u);
  EXPECT_EQ(workload.packets[1].task_count, 3u);
  EXPECT_EQ(workload.packet_of, (std::vector<PacketId>{0, 1, 1, 1}));
}

class ShapeTest : public ::testing::TestWithParam<SimulationShape> {};

TEST_P(ShapeTest, TasksOnlyNeedEarlierOnesAndEqualSeedsGiveEqualGraphs) {
  WorkloadOptions options;
  options.shape = GetParam();
  options.tasks = 500;
  options.width = 30;
  const Workload workload = make_workload(options);
  EXPECT_GE(workload.task_count(), 499u);
  ASSERT_EQ(workload.first_input.size(), workload.task_count() + 1);
  for (TaskId task = 0; task < workload.task_count(); ++task) {
    for (std::uint32_t i = workload.first_input[task]; i < workload.first_input[task + 1]; ++i) {
      ASSERT_LT(workload.inputs[i], task);
    }
  }
  EXPECT_EQ(workload.inputs.empty(), GetParam() == SimulationShape::Independent);
  const Workload again = make_workload(options);
  EXPECT_EQ(workload.inputs, again.inputs);
  EXPECT_EQ(workload.run_ns, again.run_ns);
}

INSTANTIATE_TEST_SUITE_P(All, ShapeTest,
                         ::testing::Values(SimulationShape::Independent, SimulationShape::Tree,
                                           SimulationShape::Stencil, SimulationShape::RandomDag,
                                           SimulationShape::ForkJoin, SimulationShape::MapReduce));

}  // namespace
}  // namespace weft::sim
