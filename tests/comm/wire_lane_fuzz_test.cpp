// What the fuzzer once found worth keeping is read again by every build: see fuzz_decode.cpp.

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace weft::comm {
namespace {

TEST(FuzzCorpusTest, EveryInputThatWasKeptIsReadWithoutHarm) {
  int inputs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(WEFT_FUZZ_CORPUS)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()), 0);
    ++inputs;
  }
  EXPECT_GT(inputs, 50) << "the corpus is in " << WEFT_FUZZ_CORPUS;
}

}  // namespace
}  // namespace weft::comm
