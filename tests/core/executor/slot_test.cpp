#include <weft/client.hpp>
#include <weft/delayed.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <utility>
#include <vector>

namespace weft {
namespace {

/// Ends only once it may, so that a slot is held between the end of a task and the last of its inputs.
struct Gate {
  inline static std::atomic<bool> reached{false};
  inline static std::atomic<bool> open{false};
  bool real = false;
  std::vector<int> boxed{1};

  Gate() = default;
  explicit Gate(bool is_real) : real(is_real) {}
  Gate(Gate&& other) noexcept : real(std::exchange(other.real, false)), boxed(std::move(other.boxed)) {}
  Gate(const Gate&) = delete;
  ~Gate() {
    if (!real) return;
    reached = true;
    reached.notify_all();
    open.wait(false);
  }
};

/// Counts the live ones.
struct Counted {
  inline static std::atomic<int> live{0};
  std::vector<int> boxed{2};
  Counted() { ++live; }
  Counted(const Counted& other) : boxed(other.boxed) { ++live; }
  ~Counted() { --live; }
};

}  // namespace
template <>
inline constexpr bool local_only<Gate> = true;
template <>
inline constexpr bool local_only<Counted> = true;
namespace {

int increment(const Counted& counted) { return counted.boxed[0] + 1; }

TEST(SlotTest, InputsAreGivenUpAlthoughTheRecordIsAlreadyAnotherTasks) {
  Gate::reached = false;
  Gate::open = false;
  {
    const Client client({.scheduler = "threads", .threads = 2});
    auto gate = delayed([] { return Gate(true); })();
    auto held = delayed([] { return Counted(); })();
    auto other = delayed([] { return Counted(); })();
    static_cast<void>(client.persist(held).result());
    static_cast<void>(client.persist(other).result());
    const auto describe = [&](const Delayed<Counted>& input) {
      // More than a segment of records, each with an edge, and all of them dropped.
      for (std::uint32_t i = 0; i < 4 * arena::kSegmentTasks; ++i) delayed(increment)(input);
    };
    // The two inputs lie in a segment of their own.
    describe(held);
    auto described = delayed([](const Gate&, const Counted& counted) { return counted.boxed[0]; })(gate, held);
    gate = {};
    auto end = client.persist(described);
    described = {};
    // Whoever waits for the task may run it, and would stay at the gate: first it has run on another thread.
    Gate::reached.wait(false);
    EXPECT_EQ(end.result(), 2);
    // The task that has ended goes with its segment; its edges become those of tasks that take the other one.
    end = {};
    describe(other);
    std::vector<Delayed<int>> kept;
    for (std::uint32_t i = 0; i < 4 * arena::kSegmentTasks; ++i) kept.push_back(delayed(increment)(other));
    Gate::open = true;
    Gate::open.notify_all();
    kept.clear();
    EXPECT_EQ(client.compute(delayed(increment)(other)), 3);
    EXPECT_EQ(Counted::live, 2) << "the result that two handles hold is still there";
    held = {};
    EXPECT_EQ(client.compute(delayed(increment)(other)), 3);
  }
  EXPECT_EQ(Counted::live, 0);
}

}  // namespace
}  // namespace weft
