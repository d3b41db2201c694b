#pragma once

#include <weft/future.hpp>

#include <deque>
#include <functional>
#include <iterator>
#include <optional>

// `client.stream`. Part of <weft/client.hpp>, which includes it.

namespace weft {

namespace detail {
/// Returns how many calls whose results have so many bytes may be under way at once on a client: few enough for an
/// eighth of its budget, enough for its slots.
std::size_t most_ahead(std::uint32_t client, std::size_t bytes_each);
}  // namespace detail

/// The results of one call for each element of a range, in the order of the elements. A few calls are under way ahead
/// of the one that is read, so the range may be of any length, also without an end:
///
///     for (double value : client.stream(f, std::views::iota(0))) {
///       if (value > limit) break;                              // what is under way is cancelled
///     }
///
/// Owns: the range (or a reference to it, if it was given as a name), and the futures of calls not read yet; it cancels
/// them when it ends.  Threading: one thread.
template <class T>
class MapStream {
 public:
  /// Starts the next call, or returns nothing where there is no further element.
  using Start = std::function<std::optional<Future<T>>()>;

  MapStream(Start start, std::uint32_t client) : start_(std::move(start)), client_(client) {
    limit_ = detail::most_ahead(client_, 0);
    fill();
  }
  MapStream(MapStream&&) = default;
  MapStream& operator=(MapStream&&) = delete;
  ~MapStream() {
    for (const Future<T>& future : under_way_) {
      if (future.valid()) future.cancel();
    }
  }

  /// Sets how many calls may be under way or unread at once. Without it: few at first, then more while they fit an
  /// eighth of the memory budget, 8192 at most.
  MapStream&& ahead(std::size_t most) && {
    set_ahead(most);
    return std::move(*this);
  }
  MapStream& ahead(std::size_t most) & {
    set_ahead(most);
    return *this;
  }

  /// Returns the next result, waiting for it; nothing behind the last. Throws what its call threw, and goes
  /// on with the next element when asked again; throws what the range itself threw, and ends with that.
  std::optional<T> next() {
    if (under_way_.empty()) {
      raise_trouble();
      return std::nullopt;
    }
    Future<T> first = std::move(under_way_.front());
    under_way_.pop_front();
    wait_for_end(first);
    if (!fixed_) grow(first);
    fill();
    return std::move(first).result();
  }
  /// Returns how many calls have been started and not been read.
  std::size_t under_way() const { return under_way_.size(); }

  class Iterator {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    explicit Iterator(MapStream* stream) : stream_(stream), current_(stream->next()) {}
    T& operator*() { return *current_; }
    Iterator& operator++() {
      current_ = stream_->next();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& at, std::default_sentinel_t) { return !at.current_; }

   private:
    MapStream* stream_;
    std::optional<T> current_;
  };
  Iterator begin() { return Iterator(this); }
  std::default_sentinel_t end() const { return {}; }

 private:
  static constexpr std::size_t kFirst = 32;

  void set_ahead(std::size_t most) {
    fixed_ = true;
    window_ = most == 0 ? 1 : most;
    fill();
  }
  static void wait_for_end(const Future<T>& future) { static_cast<void>(future.exception()); }
  void grow(const Future<T>& ended) {
    const std::size_t bytes = nbytes(ended);
    if (bytes > largest_) {
      largest_ = bytes + bytes / 2;
      limit_ = detail::most_ahead(client_, largest_);
    }
    window_ = window_ * 2 < limit_ ? window_ * 2 : limit_;
  }
  void fill() {
    while (!ended_ && under_way_.size() < window_) {
      try {
        std::optional<Future<T>> one = start_();
        if (one) {
          under_way_.push_back(std::move(*one));
        } else {
          ended_ = true;
        }
      } catch (...) {
        // Told when its turn comes: behind what is under way.
        ended_ = true;
        trouble_ = std::current_exception();
      }
    }
  }
  void raise_trouble() {
    if (trouble_ != nullptr) std::rethrow_exception(std::exchange(trouble_, nullptr));
  }

  Start start_;
  std::uint32_t client_;
  std::deque<Future<T>> under_way_;
  std::size_t window_ = kFirst;
  std::size_t limit_ = kFirst;
  std::size_t largest_ = 0;
  bool fixed_ = false;
  bool ended_ = false;
  std::exception_ptr trouble_;
};

}  // namespace weft
