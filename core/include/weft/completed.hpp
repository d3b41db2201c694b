#pragma once

#include <weft/client.hpp>

#include <chrono>
#include <functional>
#include <iterator>
#include <optional>

namespace weft {

namespace detail {

/// The ended tasks of a group, in the order in which they ended.
/// Owns: its queue, shared with the callbacks of tasks still running.  Threading: any thread adds and ends; one takes.
class CompletionQueue {
 public:
  CompletionQueue();
  ~CompletionQueue();
  CompletionQueue(CompletionQueue&&) noexcept = default;
  CompletionQueue& operator=(CompletionQueue&&) noexcept = default;

  /// Follows the task of `handle` under a number of the caller's choice.
  void follow(const Handle& handle, std::size_t number);
  /// Waits until a task has ended or none is left; returns false if that took until the deadline.
  bool wait(std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max());
  /// Returns the number of a task that has ended, waiting for one if need be; nothing when none is left.
  std::optional<std::size_t> next() { return wait() ? next_ready() : std::nullopt; }
  /// As `next`, but returns nothing when none has ended by now.
  std::optional<std::size_t> next_ready();
  bool has_ready() const;
  std::size_t left() const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

/// Gives what `pull` returns until it returns nothing. Owns: the present value.  Threading: one thread.
template <class Value>
class PullIterator {
 public:
  using value_type = Value;
  using difference_type = std::ptrdiff_t;
  explicit PullIterator(std::function<std::optional<Value>()> pull) : pull_(std::move(pull)), current_(pull_()) {}
  Value& operator*() { return *current_; }
  PullIterator& operator++() {
    current_ = pull_();
    return *this;
  }
  void operator++(int) { ++*this; }
  friend bool operator==(const PullIterator& at, std::default_sentinel_t) { return !at.current_; }

 private:
  std::function<std::optional<Value>()> pull_;
  std::optional<Value> current_;
};

template <class Value>
struct PullRange {
  std::function<std::optional<Value>()> pull;
  PullIterator<Value> begin() const { return PullIterator<Value>(pull); }
  std::default_sentinel_t end() const { return {}; }
};

}  // namespace detail

struct CompletedOptions {
  /// How long, from the start on, to wait for the last of them; then `next` throws TimeoutError.
  Seconds timeout = kForever;
};

/// Futures in the order in which they end; more can be added while it is iterated:
///
///     for (Future<double>& next : as_completed(futures)) { use(next.result()); }
///     for (double value : as_completed(futures).results()) { use(value); }
///
///     AsCompleted<double> running = as_completed(futures);
///     while (std::optional<Future<double>> next = running.next()) {
///       if (not_good_enough(next->result())) running.add(client.submit(f, better));
///     }
///
/// Owns: the futures not yet given out.  Threading: one thread.
template <class T>
class AsCompleted {
 public:
  AsCompleted() = default;
  explicit AsCompleted(const std::vector<Future<T>>& futures, const CompletedOptions& options = {})
      : timeout_(options.timeout), deadline_(detail::deadline_after(options.timeout)) {
    update(futures);
  }

  void add(Future<T> future) {
    futures_.push_back(std::move(future));
    queue_.follow(futures_.back(), futures_.size() - 1);
  }
  void update(const std::vector<Future<T>>& futures) {
    for (const Future<T>& future : futures) add(future);
  }
  /// Returns the next future that has ended, waiting for one; nothing when all have been given out.
  std::optional<Future<T>> next() {
    if (!queue_.wait(deadline_)) throw_late();
    return take(queue_.next_ready());
  }
  /// Returns all that have ended by now, at least one while any is left.
  std::vector<Future<T>> next_batch() {
    std::vector<Future<T>> batch;
    for (std::optional<Future<T>> one = next(); one; one = take(queue_.next_ready())) batch.push_back(std::move(*one));
    return batch;
  }
  /// Returns a range of batches: each holds what has ended since the one before.
  detail::PullRange<std::vector<Future<T>>> batches() & {
    return {[this]() { return pull_batch(); }};
  }
  detail::PullRange<std::vector<Future<T>>> batches() && {
    return {[self = std::make_shared<AsCompleted>(std::move(*this))]() { return self->pull_batch(); }};
  }
  /// Returns a range of the results themselves; a task's failure is thrown when its turn comes.
  detail::PullRange<T> results() & {
    return {[this]() { return pull_result(); }};
  }
  detail::PullRange<T> results() && {
    return {[self = std::make_shared<AsCompleted>(std::move(*this))]() { return self->pull_result(); }};
  }
  /// Returns whether `next` would not wait.
  bool has_ready() const { return queue_.has_ready(); }
  /// Waits, so long at most, until `next` would not wait, and returns whether that is so.
  bool wait_ready(Seconds longest = kForever) { return queue_.wait(detail::deadline_after(longest)); }
  /// Returns how many have not been given out.
  std::size_t count() const { return queue_.left(); }
  bool is_empty() const { return count() == 0; }
  /// Forgets the futures that have not been given out; their tasks go on.
  void clear() {
    futures_.clear();
    queue_ = detail::CompletionQueue();
  }

  using Iterator = detail::PullIterator<Future<T>>;
  Iterator begin() {
    return Iterator([this] { return next(); });
  }
  std::default_sentinel_t end() { return {}; }

 private:
  std::optional<Future<T>> take(std::optional<std::size_t> number) {
    if (!number) return std::nullopt;
    return std::move(futures_[*number]);
  }
  std::optional<std::vector<Future<T>>> pull_batch() {
    std::vector<Future<T>> batch = next_batch();
    if (batch.empty()) return std::nullopt;
    return batch;
  }
  std::optional<T> pull_result() {
    std::optional<Future<T>> one = next();
    if (!one) return std::nullopt;
    return std::move(*one).result();
  }
  [[noreturn]] void throw_late() const {
    std::vector<Handle> unfinished;
    for (const Future<T>& future : futures_) {
      if (future.valid() && !future.done()) unfinished.push_back(future);
    }
    detail::throw_late("as_completed", timeout_, futures_.size(), unfinished);
  }

  std::vector<Future<T>> futures_;
  detail::CompletionQueue queue_;
  Seconds timeout_ = kForever;
  std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::time_point::max();
};

template <class T>
AsCompleted<T> as_completed(const std::vector<Future<T>>& futures, const CompletedOptions& options = {}) {
  return AsCompleted<T>(futures, options);
}

/// Which futures had ended when `wait` returned.
template <class T>
struct Waited {
  std::vector<Future<T>> done;
  std::vector<Future<T>> not_done;
};

enum class ReturnWhen : std::uint8_t { All, First };

struct WaitOptions {
  Seconds timeout = kForever;
  ReturnWhen return_when = ReturnWhen::All;
};

/// Waits until all of the futures, or the first, have ended; failures count as ends and are not thrown. Throws
/// TimeoutError, naming what had not ended, if that takes longer than the timeout.
template <class T>
Waited<T> wait(const std::vector<Future<T>>& futures, const WaitOptions& options = {}) {
  const auto deadline = detail::deadline_after(options.timeout);
  const bool all = options.return_when == ReturnWhen::All;
  detail::CompletionQueue queue;
  for (std::size_t i = 0; i < futures.size(); ++i) queue.follow(futures[i], i);
  std::vector<bool> ended(futures.size());
  bool in_time = queue.wait(deadline);
  while (std::optional<std::size_t> one = queue.next_ready()) {
    ended[*one] = true;
    if (all) in_time = queue.wait(deadline);
  }
  Waited<T> waited;
  for (std::size_t i = 0; i < futures.size(); ++i) (ended[i] ? waited.done : waited.not_done).push_back(futures[i]);
  if (!in_time)
    detail::throw_late("wait", options.timeout, futures.size(), {waited.not_done.begin(), waited.not_done.end()});
  return waited;
}

}  // namespace weft
