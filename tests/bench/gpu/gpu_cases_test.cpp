// Every case of the devices' benchmark, on tiny sizes and a pretended device.
#include "bench/gpu/gpu_cases.hpp"

#include "tests/gpu/devices.hpp"

#include <gtest/gtest.h>

namespace weft::bench {
namespace {

TEST(GpuCasesTest, EveryCaseRunsAndHasALineInTheTable) {
  const testing::PretendedDevices devices({gpu::PretendedDevice{.memory_bytes = std::size_t{256} << 20}});
  const GpuSizes tiny{.chunk_bytes = 64 << 10,
                      .chunks = 6,
                      .side = 256,
                      .chunk_side = 64,
                      .matrix = 64,
                      .matrix_chunk = 32,
                      .repeats = 1,
                      .empty_tasks = 50};
  const std::vector<GpuRow> rows = run_gpu_cases(tiny);
  EXPECT_GE(rows.size(), 12u);
  for (const GpuRow& row : rows) EXPECT_EQ(row.value.find("failed"), std::string::npos) << row.name << " " << row.value;
  const std::string table = gpu_table(rows);
  for (const GpuRow& row : rows) EXPECT_NE(table.find("| " + row.name + " |"), std::string::npos) << table;
}

}  // namespace
}  // namespace weft::bench
