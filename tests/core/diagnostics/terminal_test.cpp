#include "core/diagnostics/terminal.hpp"

#include <gtest/gtest.h>

#include "tests/core/diagnostics/redirected_terminal.hpp"

namespace weft {
namespace {

TEST(TerminalTest, LinesPassAsTheyAre) {
  const RedirectedTerminal screen;
  terminal::write_lines("one\ntwo\n");
  EXPECT_EQ(screen.text(), "one\ntwo\n");
}

TEST(TerminalTest, LinesGoAboveTheStatusWhichIsDrawnAgain) {
  const RedirectedTerminal screen;
  terminal::show_status("50%");
  terminal::write_lines("a log line\n");
  terminal::clear_status();
  EXPECT_EQ(screen.text(),
            "\r\033[K50%"
            "\r\033[Ka log line\n50%"
            "\r\033[K");
}

TEST(TerminalTest, ClearingNoStatusWritesNothing) {
  const RedirectedTerminal screen;
  terminal::clear_status();
  EXPECT_EQ(screen.text(), "");
}

TEST(TerminalTest, AFileCannotRedraw) {
  const RedirectedTerminal screen;
  EXPECT_FALSE(terminal::can_redraw());
  EXPECT_EQ(terminal::columns(), 80);
}

}  // namespace
}  // namespace weft
