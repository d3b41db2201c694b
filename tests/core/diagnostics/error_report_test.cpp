#include "core/diagnostics/error_report.hpp"

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <gtest/gtest.h>

#include <weft/error.hpp>

namespace weft {

struct NoExceptionAtAll {};

namespace {

template <class Callable>
Thrown thrown_by(Callable callable) {
  try {
    callable();
  } catch (...) {
    return describe(std::current_exception());
  }
  return {};
}

TEST(ErrorReportTest, TypeNamesReadAsWritten) {
  EXPECT_EQ(readable_type(typeid(int)), "int");
  EXPECT_EQ(readable_type(typeid(std::string)), "std::string");
  EXPECT_EQ(readable_type(typeid(std::vector<std::string>)), "std::vector<std::string>");
  EXPECT_EQ(readable_type(typeid(std::vector<std::vector<double>>)), "std::vector<std::vector<double>>");
  EXPECT_EQ(readable_type(typeid(NoExceptionAtAll)), "weft::NoExceptionAtAll");
}

TEST(ErrorReportTest, StandardExceptionsGiveTypeAndMessage) {
  const Thrown thrown = thrown_by([] { throw std::runtime_error("singular matrix"); });
  EXPECT_EQ(thrown.type, "std::runtime_error");
  EXPECT_EQ(thrown.message, "singular matrix");
}

TEST(ErrorReportTest, TheTypeIsTheThrownOneAndNotItsBase) {
  EXPECT_EQ(thrown_by([] { throw MemoryError("full"); }).type, "weft::MemoryError");
}

TEST(ErrorReportTest, NestedExceptionsAreToldFromOutsideIn) {
  const Thrown thrown = thrown_by([] {
    try {
      throw std::invalid_argument("not a number");
    } catch (...) {
      std::throw_with_nested(std::runtime_error("cannot read row 7"));
    }
  });
  EXPECT_EQ(thrown.type, "std::runtime_error");
  EXPECT_EQ(thrown.message, "cannot read row 7; caused by: not a number");
}

TEST(ErrorReportTest, NestedThingsThatAreNoExceptionsAreNamedToo) {
  const Thrown thrown = thrown_by([] {
    try {
      throw 42;
    } catch (...) {
      std::throw_with_nested(std::runtime_error("outer"));
    }
  });
  EXPECT_EQ(thrown.message, "outer; caused by: 42");
}

TEST(ErrorReportTest, StringsAndNumbersAreTheirOwnMessage) {
  EXPECT_EQ(thrown_by([] { throw std::string("text"); }).message, "text");
  EXPECT_EQ(thrown_by([] { throw "literal"; }).message, "literal");
  EXPECT_EQ(thrown_by([] { throw static_cast<const char*>(nullptr); }).message, "(null)");
  EXPECT_EQ(thrown_by([] { throw 42; }).message, "42");
  EXPECT_EQ(thrown_by([] { throw 42; }).type, "int");
}

TEST(ErrorReportTest, ObjectsOfOtherTypesAreNamed) {
  const Thrown thrown = thrown_by([] { throw NoExceptionAtAll{}; });
  EXPECT_EQ(thrown.type, "weft::NoExceptionAtAll");
  EXPECT_EQ(thrown.message, "an object of type weft::NoExceptionAtAll, which is not a std::exception and has no text");
}

TEST(ErrorReportTest, NoExceptionIsSaid) { EXPECT_EQ(describe(nullptr).message, "no exception"); }

Failure example() {
  Failure failure;
  failure.task = "inverse[3]";
  failure.thrown = {"std::runtime_error", "singular matrix"};
  failure.at = {"inverse", "solver.cpp", 42};
  return failure;
}

TEST(ErrorReportTest, TheShortestTextIsMessageTaskAndLine) {
  EXPECT_EQ(failure_text(example()),
            "task 'inverse[3]' failed: singular matrix (std::runtime_error)\n  at          solver.cpp:42");
}

TEST(ErrorReportTest, EverythingKnownIsTold) {
  Failure failure = example();
  failure.operations = {{"load", "main.cpp", 3}, {"scale", "main.cpp", 4}};
  failure.inputs = {"load[3]: std::vector<double> of 100", "2.5"};
  failure.dependents = {"sum", "report"};
  failure.more_dependents = 12;
  failure.worker = "worker 1";
  failure.slot = 0;
  failure.attempt = 2;
  failure.attempts_allowed = 3;
  failure.can_rerun = true;
  EXPECT_EQ(failure_text(failure),
            "task 'inverse[3]' failed: singular matrix (std::runtime_error)\n"
            "  at          solver.cpp:42\n"
            "  operations  load (main.cpp:3) > scale (main.cpp:4)\n"
            "  input 0     load[3]: std::vector<double> of 100\n"
            "  input 1     2.5\n"
            "  needed by   sum > report, and 12 more\n"
            "  ran on      worker 1, slot 0, attempt 2 of 3\n"
            "  to debug    rerun_locally(future) runs it again in this thread");
}

TEST(ErrorReportTest, LongListsAreCutAndCounted) {
  Failure failure = example();
  failure.inputs.assign(100, "x");
  failure.dependents.assign(20, "d");
  failure.more_dependents = 5;
  const std::string text = failure_text(failure);
  EXPECT_NE(text.find("and 92 more"), std::string::npos) << text;
  EXPECT_NE(text.find("and 13 more"), std::string::npos) << text;
}

TEST(ErrorReportTest, ATaskWithoutANameOrAMessageStillHasAText) {
  EXPECT_EQ(failure_text(Failure{}), "task 'unnamed' failed: (no message)");
}

}  // namespace
}  // namespace weft
