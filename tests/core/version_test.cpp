#include <weft/version.hpp>

#include <gtest/gtest.h>

#include <string>

namespace {

TEST(VersionTest, NumberAndTextAgree) {
  const std::string text = std::to_string(WEFT_VERSION / 10000) + "." + std::to_string(WEFT_VERSION / 100 % 100) + "." +
                           std::to_string(WEFT_VERSION % 100);
  EXPECT_EQ(text, WEFT_VERSION_STRING);
}

}  // namespace
