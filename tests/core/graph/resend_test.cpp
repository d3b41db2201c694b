#include "core/graph/resend.hpp"

#include "tests/core/client/client_modes.hpp"

#include <weft/delayed.hpp>
#include <weft/error.hpp>
#include <weft/graph.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>

namespace weft {
namespace {

int negate(int value) { return -value; }

TEST(TaskTypeTest, EveryTaskTypeOfTheProgramIsRegisteredBeforeMain) {
  EXPECT_GT(task_type_count(), 0u);
  // Registering one again says that it was there, and changes nothing.
  const std::uint64_t digest = registry_digest();
  EXPECT_FALSE(register_task_type(type_name<detail::Binding<int (*)(int), int>>()));
  EXPECT_EQ(registry_digest(), digest);
  if (digest == 0) static_cast<void>(delayed(negate)(1));  // describing a call is what makes it a task type
}

TEST(TaskTypeTest, ACapturedPointerIsToldWithTheLineOfTheCall) {
  int local = 1;
  const auto reader = [&local](int factor) { return local * factor; };
  // Inside one process a captured reference is allowed.
  const Delayed<int> lazy = delayed(reader)(3);
  const auto line = static_cast<std::uint32_t>(__LINE__) - 1;
  const TaskRecord& record = arena::task(lazy.task_id());
  Writer writer;
  try {
    site(record.site).type->encode_closure(record.payload, writer, line_of(record));
    FAIL() << "a captured reference was encoded";
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("resend_test.cpp:" + std::to_string(line)), std::string::npos) << text;
  }
}

/// Counts those that are alive; one that is marked cannot be read again where it arrives.
struct Counted {
  static inline std::atomic<int> alive{0};

  explicit Counted(bool unreadable = false) : is_unreadable(unreadable) { ++alive; }
  Counted(const Counted& other) : is_unreadable(other.is_unreadable) { ++alive; }
  Counted& operator=(const Counted&) = default;
  ~Counted() { --alive; }

  bool is_unreadable;
};
template <class Archive>
void weft_fields(Archive& archive, Counted& value) {
  archive(value.is_unreadable);
  if (value.is_unreadable) throw Error("this one cannot be read");
}

Counted make() { return Counted(); }
int add_one(int value) { return value + 1; }
int take_all(const Counted&, const Counted&, const Counted&) { return 1; }

class RefusedCallTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { ASSERT_EQ(Counted::alive, 0); }
  void TearDown() override { EXPECT_EQ(Counted::alive, 0); }
  /// An argument that is refused.
  static Counted unreadable() { return Counted(true); }

  const Client client_{Mode{GetParam(), true}.options()};
};

TEST_P(RefusedCallTest, ADescribedInputIsLetGo) {
  const Delayed<Counted> input = delayed(make)();
  EXPECT_THROW(delayed(take_all)(input, unreadable(), input), Error);
  EXPECT_EQ(Counted::alive, 0);
  // What it hung on can be used by others still.
  EXPECT_EQ(client_.compute(delayed(take_all)(input, Counted(), input)), 1);
}

TEST_P(RefusedCallTest, TheResultOfAnInputThatHadEndedIsLetGo) {
  Future<Counted> input = client_.submit(make);
  EXPECT_EQ(client_.submit(take_all, input, input, input).result(), 1);
  EXPECT_THROW(client_.submit(take_all, input, input, unreadable()), Error);
  EXPECT_EQ(Counted::alive, 1);
  input = Future<Counted>();
  EXPECT_EQ(Counted::alive, 0);
}

TEST_P(RefusedCallTest, AGraphRunsAsOftenAsBeforeItsCallWasRefused) {
  Graph graph;
  const Delayed<int> x = graph.input(1);
  const Delayed<int> y = graph.add(add_one, x);
  const Delayed<Counted> made = graph.add([](int) { return Counted(); }, y);
  EXPECT_THROW(graph.add([](int, int, const Counted&, const Counted&) { return 1; }, x, y, made, unreadable()), Error);
  const Delayed<int> z = graph.add([](int a, int b, const Counted&) { return a + b; }, y, y, made);
  for (int round = 0; round < 6; ++round) {
    graph.set(x, round);
    client_.run(graph);
    ASSERT_EQ(z.value(), 2 * (round + 1));
    // It has run, and will run again: what hangs on it now is given up before that.
    if (round != 2) continue;
    EXPECT_THROW(graph.add([](int, const Counted&) { return 1; }, y, unreadable()), Error);
  }
}

/// Is no argument where it would have to be copied.
struct Unique {
  Unique() = default;
  Unique(const Unique& other) : counted(other.counted) { throw std::length_error("there is one of it"); }
  Unique(Unique&&) = default;
  Unique& operator=(Unique&&) = default;

  Counted counted;
};
template <class Archive>
void weft_fields(Archive& archive, Unique& value) {
  archive(value.counted);
}

TEST_P(RefusedCallTest, AnArgumentThatCannotBeCopiedLeavesNothingBehind) {
  const auto take = [](const Counted&, const Unique&) { return 1; };
  const Unique unique;
  {
    const Future<Counted> input = client_.submit(make);
    EXPECT_THROW(client_.submit(take, input, unique), std::length_error);
    EXPECT_THROW(delayed(take)(input, unique), std::length_error);
    const Delayed<Counted> described = delayed(make)();
    EXPECT_THROW(delayed(take)(described, unique), std::length_error);
    EXPECT_EQ(client_.compute(delayed([](const Counted&, const Counted&) { return 2; })(input, described)), 2);
  }
  EXPECT_EQ(Counted::alive, 1);
}

TEST_P(RefusedCallTest, AGraphRunsAsOftenAsBeforeAnArgumentCouldNotBeCopied) {
  Graph graph;
  const Delayed<int> x = graph.input(1);
  const Delayed<int> y = graph.add(add_one, x);
  const Unique unique;
  for (int round = 0; round < 4; ++round) {
    EXPECT_THROW(graph.add([](int, int, const Unique&) { return 1; }, x, y, unique), std::length_error);
    const Delayed<int> z = graph.add([](int a, int b) { return a + b; }, x, y);
    graph.set(x, round);
    client_.run(graph);
    ASSERT_EQ(z.value(), 2 * round + 1);
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, RefusedCallTest, testing::Values("sync", "threads"),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace weft
