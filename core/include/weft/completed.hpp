#pragma once

#include <weft/client.hpp>

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
  /// Returns the number of a task that has ended, waiting for one if need be; nothing when none is left.
  std::optional<std::size_t> next();
  /// As `next`, but returns nothing when none has ended by now.
  std::optional<std::size_t> next_ready();
  std::size_t left() const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace detail

/// Futures in the order in which they end; more can be added while it is iterated:
///
///     for (Future<double>& next : as_completed(futures)) { use(next.result()); }
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
  explicit AsCompleted(const std::vector<Future<T>>& futures) { update(futures); }

  void add(Future<T> future) {
    futures_.push_back(std::move(future));
    queue_.follow(futures_.back(), futures_.size() - 1);
  }
  void update(const std::vector<Future<T>>& futures) {
    for (const Future<T>& future : futures) add(future);
  }
  /// Returns the next future that has ended, waiting for one; nothing when all have been given out.
  std::optional<Future<T>> next() { return take(queue_.next()); }
  /// Returns all that have ended by now, at least one while any is left.
  std::vector<Future<T>> next_batch() {
    std::vector<Future<T>> batch;
    for (std::optional<Future<T>> one = next(); one; one = take(queue_.next_ready())) batch.push_back(std::move(*one));
    return batch;
  }
  /// Returns how many have not been given out.
  std::size_t count() const { return queue_.left(); }
  bool is_empty() const { return count() == 0; }

  class Iterator {
   public:
    using value_type = Future<T>;
    using difference_type = std::ptrdiff_t;
    explicit Iterator(AsCompleted* from) : from_(from) { ++*this; }
    Future<T>& operator*() { return *current_; }
    Iterator& operator++() {
      current_ = from_->next();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& at, std::default_sentinel_t) { return !at.current_; }

   private:
    AsCompleted* from_;
    std::optional<Future<T>> current_;
  };
  Iterator begin() { return Iterator(this); }
  std::default_sentinel_t end() { return {}; }

 private:
  std::optional<Future<T>> take(std::optional<std::size_t> number) {
    if (!number) return std::nullopt;
    return std::move(futures_[*number]);
  }
  std::vector<Future<T>> futures_;
  detail::CompletionQueue queue_;
};

template <class T>
AsCompleted<T> as_completed(const std::vector<Future<T>>& futures) {
  return AsCompleted<T>(futures);
}

/// Which futures had ended when `wait` returned.
template <class T>
struct Waited {
  std::vector<Future<T>> done;
  std::vector<Future<T>> not_done;
};

enum class WaitFor : std::uint8_t { All, First };

/// Waits until all of the futures, or the first, have ended; failures count as ends and are not thrown.
template <class T>
Waited<T> wait(const std::vector<Future<T>>& futures, WaitFor wait_for = WaitFor::All) {
  detail::CompletionQueue queue;
  for (std::size_t i = 0; i < futures.size(); ++i) queue.follow(futures[i], i);
  std::vector<bool> ended(futures.size());
  for (std::optional<std::size_t> one = queue.next(); one;
       one = wait_for == WaitFor::All ? queue.next() : queue.next_ready()) {
    ended[*one] = true;
  }
  Waited<T> waited;
  for (std::size_t i = 0; i < futures.size(); ++i) (ended[i] ? waited.done : waited.not_done).push_back(futures[i]);
  return waited;
}

}  // namespace weft
