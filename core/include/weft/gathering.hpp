#pragma once

#include <weft/submitting.hpp>

#include <vector>

// Waiting for futures together. Part of <weft/client.hpp>, which includes it.

namespace weft::detail {

/// What a client does with futures that are there, one or many: it waits for them, takes their results, and asks that
/// they are not run.
/// Owns: nothing.  Threading: any thread.
class Gathering : public Submitting {
 public:
  /// Waits for all futures and returns their results in order.
  template <class T>
  std::vector<T> gather(const std::vector<Future<T>>& futures) const {
    std::vector<T> results;
    results.reserve(futures.size());
    for (const Future<T>& future : futures) results.push_back(future.result());
    return results;
  }
  /// As above, but leaves out what failed or was cancelled.
  template <class T>
  std::vector<T> gather_finished(const std::vector<Future<T>>& futures) const {
    std::vector<T> results;
    for (const Future<T>& future : futures) {
      if (future.exception() == nullptr) results.push_back(future.result());
    }
    return results;
  }
  /// Waits for all futures in a container (map, tuple, vectors of vectors, ...) and returns the container of results.
  template <class C>
  requires(detail::has_handles<C> && !detail::is_handle<C>) auto gather(const C& futures) const {
    auto wait = [this](const Handle& handle) { wait_for(handle); };
    detail::visit_handles(futures, wait);
    return detail::resolve(futures);
  }
  /// Asks that none of these is run.
  template <class T>
  void cancel(const std::vector<Future<T>>& futures) const {
    for (const Future<T>& future : futures) future.cancel();
  }
  template <class T>
  void cancel(const Future<T>& future) const {
    future.cancel();
  }

 protected:
  using Submitting::Submitting;
  void wait_for(const Handle& handle) const;
};

}  // namespace weft::detail
