#include <weft/memory_trace.hpp>

#include "tests/core/client/client_modes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

namespace weft {
namespace {

using testing::HasSubstr;

class MemoryTraceTest : public testing::TestWithParam<Mode> {
 protected:
  Client client_{GetParam().options()};
};

/// Holds so many bytes for a while.
int hold(std::size_t bytes) {
  const std::unique_ptr<char[]> block(new char[bytes]);
  std::memset(block.get(), 1, bytes);
  std::this_thread::sleep_for(std::chrono::milliseconds(60));
  return block[bytes / 2];
}

TEST_P(MemoryTraceTest, TellsWhichTasksMemoryGoesUpWith) {
  constexpr std::size_t kLarge = std::size_t{200} << 20;
  const std::string path =
      (std::filesystem::temp_directory_path() / ("trace-" + std::to_string(::getpid()) + ".csv")).string();
  const auto named = [&](const char* name) { return client_.with({.name = name}); };
  std::size_t before = 0;
  {
    const MemoryTrace trace(client_, path, {.interval = Seconds(0.005)});
    named("small").submit(hold, 4'096).result();
    before = trace.seen().front().highest_bytes;
    for (int i = 0; i < 2; ++i) named("large").submit(hold, kLarge).result();
    named("small").submit(hold, 4'096).result();
    std::map<std::string, TracedMemory> kinds;
    for (const TracedMemory& one : trace.seen()) kinds[one.name] = one;
    EXPECT_GT(before, 0u);
    EXPECT_EQ(kinds["small"].tasks, 2u);
    EXPECT_EQ(kinds["large"].tasks, 2u);
    EXPECT_GE(kinds["large"].seconds, 0.12);
    EXPECT_GE(kinds["large"].highest_bytes, kinds["small"].highest_bytes + kLarge / 2);
    EXPECT_GE(kinds[""].highest_bytes, kinds["large"].highest_bytes);
    EXPECT_EQ(kinds["large"].worker, "client");
  }
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_THAT(text, HasSubstr("process,name,tasks,seconds,highest_bytes,growth_bytes\n"));
  EXPECT_THAT(text, HasSubstr("client,\"large\",2,"));
  std::filesystem::remove(path);
}

INSTANTIATE_TEST_SUITE_P(Modes, MemoryTraceTest, testing::ValuesIn(kModes), kModeName);

}  // namespace
}  // namespace weft
