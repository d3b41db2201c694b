#include <weft/hardware.hpp>

#include "tests/core/client/client_modes.hpp"

#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class HardwareTest : public testing::TestWithParam<Mode> {};

TEST_P(HardwareTest, MeasuresMemoryAndTheDiskOfOneProcess) {
  const Client client(GetParam().options());
  const auto rates = benchmark_hardware(client, 1 << 20);
  ASSERT_EQ(rates.size(), 1u);
  const auto& [name, rate] = *rates.begin();
  EXPECT_EQ(name, client.info().workers.front().name);
  EXPECT_GT(rate.memory, 1e6);
  EXPECT_GT(rate.disk_write, 1e3);
  EXPECT_GT(rate.disk_read, 1e3);
  EXPECT_EQ(rate.network, 0);
  EXPECT_THAT(to_text(rates), AllOf(HasSubstr(name), HasSubstr("disk write"), HasSubstr("-")));
}

TEST_P(HardwareTest, LeavesTheDiskAloneWhereNothingIsSpilled) {
  Options options = GetParam().options();
  options.spill = "off";
  const Client client(options);
  const auto rates = benchmark_hardware(client, 1 << 20);
  EXPECT_GT(rates.begin()->second.memory, 1e6);
  EXPECT_EQ(rates.begin()->second.disk_write, 0);
}

TEST_P(HardwareTest, NoBytesAreRefused) {
  const Client client(GetParam().options());
  EXPECT_THROW(benchmark_hardware(client, 0), Error);
}

INSTANTIATE_TEST_SUITE_P(Modes, HardwareTest, testing::ValuesIn(kModes), kModeName);

}  // namespace
}  // namespace weft
