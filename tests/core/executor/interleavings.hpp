#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <functional>
#include <source_location>
#include <string>
#include <type_traits>
#include <vector>

/// Runs a small concurrent program in every order its threads can take, with every value a weak memory may show them.
///
/// The program is written against `Atomic` (std::atomic to the code under test), `Plain` and the futex below. Threads
/// are fibers of one real thread; each atomic operation is a point at which any other may go on. The memory is the view
/// machine of the C++20 model: a location keeps all its stores in order; a thread may read any store that is not older
/// than what it has seen; acquire and release hand over what was seen; sequentially consistent operations on a location
/// see at least the last such store to it. States seen before are not explored again.
///
/// Not shown: loads that take effect before earlier loads of the same thread (load buffering), stores of two threads to
/// one location that become visible in another order than they were executed, spurious failures of
/// compare_exchange_weak.
namespace weft::interleavings {

enum class Kind : std::uint8_t { Load, Store, Change };

/// A place in the code under test where it touches memory.
struct Site {
  std::string function;
  unsigned line = 0;
  unsigned column = 0;
  Kind kind = Kind::Load;
  std::memory_order order = std::memory_order_seq_cst;

  bool at(const Site& other) const { return line == other.line && column == other.column && kind == other.kind; }
};
/// Returns for example "pop: store seq_cst".
std::string describe(const Site& site);

/// One execution's program: built afresh for each.
struct Program {
  std::vector<std::function<void()>> threads;
  /// Called after all threads have ended; what it returns is the failure, empty when all is well.
  std::function<std::string()> verdict = [] { return std::string(); };
};

struct Options {
  /// Changes the order of an operation before it is done: plants a bug.
  std::function<std::memory_order(const Site&)> order;
  /// Makes a change (compare-exchange, fetch_add, ...) a load and a later store: plants a bug.
  std::function<bool(const Site&)> torn;
  /// How often a thread that could go on is kept waiting. What goes wrong mostly does with few.
  unsigned most_preemptions = ~0u;
  std::uint64_t most_executions = 2'000'000;
};

struct Outcome {
  /// The first failure and the operations that led to it, or empty.
  std::string failure;
  /// All interleavings were seen, within the bound on preemptions.
  bool complete = false;
  std::uint64_t executions = 0;
  std::uint64_t states = 0;
  /// Where the program touched memory.
  std::vector<Site> sites;
};

Outcome explore(const std::function<Program()>& build, const Options& options = {});

/// Fails the execution. Called by threads of the program.
void fail(const std::string& why);
/// Ends the execution as if it had not been: for loops, which a memory that shows old values for ever never leaves.
void give_up();

namespace detail {
unsigned new_location(std::uint64_t value);
std::uint64_t load(unsigned location, std::memory_order order, const std::source_location& where);
void store(unsigned location, std::uint64_t value, std::memory_order order, const std::source_location& where);
/// Returns the value read; stores what `change` makes of it, unless `expected` is set and differs from it.
std::uint64_t change(unsigned location, const std::uint64_t* expected,
                     std::uint64_t (*make)(std::uint64_t, std::uint64_t), std::uint64_t operand,
                     std::memory_order order, std::memory_order failure, const std::source_location& where);
std::uint64_t plain_read(unsigned location);
void plain_write(unsigned location, std::uint64_t value);

template <class T>
std::uint64_t bits(T value) {
  static_assert(sizeof(T) <= 8 && std::is_trivially_copyable_v<T>);
  if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<std::uint64_t>(value);
  } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
    return static_cast<std::uint64_t>(value);
  } else {
    static_assert(sizeof(T) == 8);
    return std::bit_cast<std::uint64_t>(value);
  }
}
template <class T>
T value(std::uint64_t bits) {
  if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<T>(bits);
  } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
    return static_cast<T>(bits);
  } else {
    return std::bit_cast<T>(bits);
  }
}
}  // namespace detail

/// std::atomic in the explored program.
template <class T>
class Atomic {
 public:
  using Order = std::memory_order;
  using Where = std::source_location;

  Atomic(T value = T{}) : location_(detail::new_location(detail::bits(value))) {}
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  T load(Order order = Order::seq_cst, Where where = Where::current()) const {
    return detail::value<T>(detail::load(location_, order, where));
  }
  void store(T value, Order order = Order::seq_cst, Where where = Where::current()) {
    detail::store(location_, detail::bits(value), order, where);
  }
  T exchange(T value, Order order = Order::seq_cst, Where where = Where::current()) {
    return change([](std::uint64_t, std::uint64_t operand) { return operand; }, value, order, where);
  }
  T fetch_add(T value, Order order = Order::seq_cst, Where where = Where::current()) {
    return change(
        [](std::uint64_t old, std::uint64_t operand) { return detail::bits<T>(detail::value<T>(old + operand)); },
        value, order, where);
  }
  T fetch_sub(T value, Order order = Order::seq_cst, Where where = Where::current()) {
    return change(
        [](std::uint64_t old, std::uint64_t operand) { return detail::bits<T>(detail::value<T>(old - operand)); },
        value, order, where);
  }
  T fetch_or(T value, Order order = Order::seq_cst, Where where = Where::current()) {
    return change([](std::uint64_t old, std::uint64_t operand) { return old | operand; }, value, order, where);
  }
  bool compare_exchange_strong(T& expected, T desired, Order order, Order failure, Where where = Where::current()) {
    const std::uint64_t wanted = detail::bits(expected);
    const std::uint64_t found = detail::change(
        location_, &wanted, [](std::uint64_t, std::uint64_t operand) { return operand; }, detail::bits(desired), order,
        failure, where);
    expected = detail::value<T>(found);
    return found == wanted;
  }
  bool compare_exchange_strong(T& expected, T desired, Order order = Order::seq_cst, Where where = Where::current()) {
    const Order failure = order == Order::acq_rel ? Order::acquire : order == Order::release ? Order::relaxed : order;
    return compare_exchange_strong(expected, desired, order, failure, where);
  }
  bool compare_exchange_weak(T& expected, T desired, Order order, Order failure, Where where = Where::current()) {
    return compare_exchange_strong(expected, desired, order, failure, where);
  }
  bool compare_exchange_weak(T& expected, T desired, Order order = Order::seq_cst, Where where = Where::current()) {
    return compare_exchange_strong(expected, desired, order, where);
  }

  /// For the futex.
  unsigned location() const { return location_; }

 private:
  T change(std::uint64_t (*make)(std::uint64_t, std::uint64_t), T operand, Order order, const Where& where) {
    return detail::value<T>(detail::change(location_, nullptr, make, detail::bits(operand), order, order, where));
  }
  const unsigned location_;
};

/// A variable that is no atomic: touching it without having seen its last write is a failure.
template <class T>
class Plain {
 public:
  Plain(T value = T{}) : location_(detail::new_location(detail::bits(value))) {}
  T get() const { return detail::value<T>(detail::plain_read(location_)); }
  void set(T value) { detail::plain_write(location_, detail::bits(value)); }

 private:
  const unsigned location_;
};

/// The kernel's part of sleeping: a thread that is never woken again is a failure, there are no time limits.
struct Futex {
  static void wait(const Atomic<std::uint32_t>& word, std::uint32_t expected, std::int64_t timeout_ns = -1);
  static void wake_one(const Atomic<std::uint32_t>& word);
  static void wake_all(const Atomic<std::uint32_t>& word);
  /// A full fence here and, as membarrier does, on every other thread.
  static void heavy_fence();
  /// A full fence of this thread alone.
  static void light_fence();
};

}  // namespace weft::interleavings
