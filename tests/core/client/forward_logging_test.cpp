#include <weft/forward_logging.hpp>

#include "tests/core/client/client_modes.hpp"

#include <weft/error.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace weft {
namespace {

int say(int number) {
  logging::debug("executor", "debug ", number);
  logging::info("executor", "info ", number);
  logging::warning("graph", "warning ", number);
  return number;
}

class ForwardLoggingTest : public testing::TestWithParam<Mode> {
 protected:
  std::vector<std::string> said(const logging::Capture& capture) const {
    std::vector<std::string> texts;
    for (const logging::Record& record : capture.records()) texts.push_back(record.text);
    return texts;
  }
  Client client_{GetParam().options()};
};

using Texts = std::vector<std::string>;

TEST_P(ForwardLoggingTest, InOneProcessTheLogShowsThatLevelForAsLong) {
  const logging::Capture capture;
  client_.submit(say, 1).result();
  {
    const ForwardLogging lines(client_);
    client_.submit(say, 2).result();
    const ForwardLogging more(client_, {.level = logging::Level::Debug, .room = "executor"});
    client_.submit(say, 3).result();
  }
  client_.submit(say, 4).result();
  EXPECT_EQ(said(capture), (Texts{"warning 1", "info 2", "warning 2", "debug 3", "info 3", "warning 3", "warning 4"}));
}

TEST_P(ForwardLoggingTest, ARoomThatDoesNotLogIsRefused) {
  EXPECT_THROW(ForwardLogging(client_, {.room = "exekutor"}), ConfigError);
}

INSTANTIATE_TEST_SUITE_P(Modes, ForwardLoggingTest, testing::ValuesIn(kModes), kModeName);

}  // namespace
}  // namespace weft
