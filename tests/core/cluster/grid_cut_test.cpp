#include "core/cluster/grid_cut.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace weft::cluster {
namespace {

struct Tasks {
  std::vector<std::uint32_t> first_input{0};
  std::vector<std::uint32_t> inputs;
  void add(const std::vector<std::uint32_t>& of) {
    inputs.insert(inputs.end(), of.begin(), of.end());
    first_input.push_back(static_cast<std::uint32_t>(inputs.size()));
  }
};

Tasks stencil(std::uint32_t width, std::uint32_t rows) {
  Tasks tasks;
  for (std::uint32_t row = 0; row != rows; ++row) {
    for (std::uint32_t x = 0; x != width; ++x) {
      std::vector<std::uint32_t> of;
      for (std::uint32_t y = x == 0 ? 0 : x - 1; row != 0 && y <= x + 1 && y != width; ++y)
        of.push_back((row - 1) * width + y);
      tasks.add(of);
    }
  }
  return tasks;
}

/// Checks that each task is there once and needs only its own packet and earlier ones, and returns the packets.
std::size_t check(const Tasks& tasks, const GridCut& cut) {
  std::vector<std::size_t> place(tasks.first_input.size() - 1, place.max_size());
  for (std::size_t i = 0; i != cut.order.size(); ++i) place.at(cut.order[i]) = i;
  EXPECT_EQ(cut.order.size(), place.size());
  EXPECT_EQ(std::set<std::uint32_t>(cut.order.begin(), cut.order.end()).size(), place.size());
  for (std::uint32_t i = 0; i + 1 != tasks.first_input.size(); ++i) {
    for (std::uint32_t k = tasks.first_input[i]; k != tasks.first_input[i + 1]; ++k)
      EXPECT_LT(place[tasks.inputs[k]], place[i]) << "an input of task " << i;
  }
  EXPECT_TRUE(std::is_sorted(cut.ends.begin(), cut.ends.end()));
  EXPECT_EQ(cut.ends.back(), cut.order.size());
  return cut.ends.size();
}

TEST(GridCutTest, AStencilOfEightColumnsIsCutIntoWedges) {
  const Tasks tasks = stencil(8, 1000);
  const auto cut = cut_grid(tasks.first_input, tasks.inputs, 2);
  ASSERT_TRUE(cut.has_value());
  EXPECT_LT(check(tasks, *cut), 8000u / 14);
  // The first two need nothing of each other, and leave a gap that the third one fills.
  EXPECT_EQ(cut->ends[0], 10u);
  EXPECT_EQ(std::vector<std::uint32_t>(cut->order.begin(), cut->order.begin() + 7),
            (std::vector<std::uint32_t>{0, 1, 2, 3, 8, 10, 9}));
}

TEST(GridCutTest, EveryWidthAndNumberOfWorkersKeepsTheOrderOfTasks) {
  for (std::uint32_t width = 8; width < 300; width += width < 20 ? 1 : 41) {
    for (const std::uint32_t workers : {2u, 3u, 5u}) {
      const Tasks tasks = stencil(width, 64);
      const auto cut = cut_grid(tasks.first_input, tasks.inputs, workers);
      if (cut) check(tasks, *cut);
      EXPECT_EQ(cut.has_value(), width >= 4 * workers) << width << " columns, " << workers << " workers";
    }
  }
}

TEST(GridCutTest, WhatIsNoGridIsLeftAlone) {
  Tasks all_to_all;
  std::vector<std::uint32_t> row;
  for (std::uint32_t i = 0; i != 16; ++i) all_to_all.add({});
  for (std::uint32_t r = 1; r != 64; ++r) {
    row.clear();
    for (std::uint32_t y = 0; y != 16; ++y) row.push_back((r - 1) * 16 + y);
    for (std::uint32_t x = 0; x != 16; ++x) all_to_all.add(row);
  }
  EXPECT_FALSE(cut_grid(all_to_all.first_input, all_to_all.inputs, 2).has_value());
  Tasks random;
  std::mt19937 numbers(7);
  for (std::uint32_t i = 0; i != 2000; ++i) {
    if (i < 16) {
      random.add({});
    } else {
      random.add({static_cast<std::uint32_t>(numbers() % i), static_cast<std::uint32_t>(numbers() % i)});
    }
  }
  if (const auto cut = cut_grid(random.first_input, random.inputs, 2)) check(random, *cut);
  const Tasks few = stencil(8, 4);
  EXPECT_FALSE(cut_grid(few.first_input, few.inputs, 2).has_value());
}

}  // namespace
}  // namespace weft::cluster
