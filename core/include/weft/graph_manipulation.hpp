#pragma once

#include <weft/bag.hpp>
#include <weft/delayed.hpp>

#include <array>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

// Graphs whose results do not depend on each other and which shall run one after the other all the same, and copies of
// graphs. Names and meanings are those of dask.graph_manipulation.

namespace weft {

namespace detail {

struct CopyOrder {
  std::vector<Handle> tasks;
  /// Stay what they are, with all that they need.
  std::vector<Handle> omitted;
  /// What each copied task waits for that takes nothing from another copied one; may be empty.
  Handle after;
};
/// Describes copies of tasks and of what they need, as far as that is only described; returns them in their order.
/// Throws Error, naming the task, for one whose function or arguments cannot be copied.
std::vector<TaskId> copy_tasks(const CopyOrder& order);
/// Describes a task that ends when all of these have, and takes no value of them from where it is.
Delayed<Nothing> after_all(const std::vector<Handle>& tasks, std::size_t split_every,
                           const std::source_location& where);

template <class T>
concept GivesDelayed = requires(const T& value) {
  value.to_delayed();
};

/// Lists the handles of a Delayed, of a container of them, or of a collection that gives them.
template <class T>
void list_handles(const T& value, std::vector<Handle>& handles) {
  auto list = [&](const Handle& handle) { handles.push_back(handle); };
  if constexpr (has_handles<T>) {
    visit_handles(value, list);
  } else {
    static_assert(GivesDelayed<T>,
                  "weft: graph_manipulation takes Delayed values, containers of them, and collections "
                  "that have to_delayed(), as bags do");
    visit_handles(value.to_delayed(), list);
  }
}

/// Rebuilds a Delayed, a container of them or a bag with what `change` makes of each Delayed.
template <class T>
struct Rebuild {
  static_assert(never<T>,
                "weft: wait_on, bind and clone take Delayed values, bags, and vectors, arrays, maps, pairs and "
                "tuples of these");
};
template <class T>
struct Rebuild<Delayed<T>> {
  template <class Change>
  static Delayed<T> from(const Delayed<T>& value, Change& change) {
    return change(value);
  }
};
template <class T>
struct Rebuild<Bag<T>> {
  template <class Change>
  static Bag<T> from(const Bag<T>& bag, Change& change) {
    return Bag<T>::from_delayed(Rebuild<std::vector<Delayed<std::vector<T>>>>::from(bag.to_delayed(), change));
  }
};
template <class T, class A>
struct Rebuild<std::vector<T, A>> {
  template <class Change>
  static std::vector<T, A> from(const std::vector<T, A>& values, Change& change) {
    std::vector<T, A> rebuilt;
    for (const T& value : values) rebuilt.push_back(Rebuild<T>::from(value, change));
    return rebuilt;
  }
};
template <class T, std::size_t N>
struct Rebuild<std::array<T, N>> {
  template <class Change>
  static std::array<T, N> from(std::array<T, N> values, Change& change) {
    for (T& value : values) value = Rebuild<T>::from(value, change);
    return values;
  }
};
template <class K, class T, class C, class A>
struct Rebuild<std::map<K, T, C, A>> {
  template <class Change>
  static std::map<K, T, C, A> from(std::map<K, T, C, A> values, Change& change) {
    for (auto& [key, value] : values) value = Rebuild<T>::from(value, change);
    return values;
  }
};
template <class X, class Y>
struct Rebuild<std::pair<X, Y>> {
  template <class Change>
  static std::pair<X, Y> from(const std::pair<X, Y>& values, Change& change) {
    return std::pair<X, Y>{Rebuild<X>::from(values.first, change), Rebuild<Y>::from(values.second, change)};
  }
};
template <class... T>
struct Rebuild<std::tuple<T...>> {
  template <class Change>
  static std::tuple<T...> from(const std::tuple<T...>& values, Change& change) {
    return std::apply([&](const T&... value) { return std::tuple<T...>{Rebuild<T>::from(value, change)...}; }, values);
  }
};

/// Gives its value once the other one is there. A result that nobody else looks at is moved.
template <class V>
struct GiveAfter {
  V operator()(V value, const Nothing&) const { return value; }
};

template <class T>
T rebuild_copied(const T& value, CopyOrder order) {
  list_handles(value, order.tasks);
  const std::vector<TaskId> copies = copy_tasks(order);
  std::size_t next = 0;
  auto change = [&]<class V>(const Delayed<V>&) { return Delayed<V>::adopt(copies[next++]); };
  return Rebuild<T>::from(value, change);
}

template <class T>
T rebuild_after(const T& value, const Delayed<Nothing>& all, const std::source_location& where) {
  auto change = [&]<class V>(const Delayed<V>& one) { return DelayedFunction<GiveAfter<V>>({}, where)(one, all); };
  return Rebuild<T>::from(value, change);
}

}  // namespace detail

namespace graph_manipulation {

/// Returns what has no value and ends when all of these have: `client.compute(checkpoint(a, b))` waits for both and
/// fetches nothing. Ends are gathered by a tree of tasks, `split_every` to one.
template <class T>
Delayed<Nothing> checkpoint(const T& value, std::size_t split_every = 8,
                            const std::source_location& where = std::source_location::current()) {
  std::vector<Handle> tasks;
  detail::list_handles(value, tasks);
  return detail::after_all(tasks, split_every, where);
}
template <class T, class U, class... More>
requires(!std::is_integral_v<U>) Delayed<Nothing> checkpoint(const T& first, const U& second, const More&... more) {
  std::vector<Handle> tasks;
  detail::list_handles(first, tasks);
  detail::list_handles(second, tasks);
  (detail::list_handles(more, tasks), ...);
  return detail::after_all(tasks, 8, std::source_location::current());
}

/// Returns the same values, of which none is there before all of them are.
template <class T>
T wait_on(const T& value, const std::source_location& where = std::source_location::current()) {
  return detail::rebuild_after(value, checkpoint(value), where);
}
template <class T, class U, class... More>
requires(!std::is_same_v<U, std::source_location>) std::tuple<T, U, More...> wait_on(const T& first, const U& second,
                                                                                     const More&... more) {
  return wait_on(std::tuple<T, U, More...>(first, second, more...));
}

/// Returns a copy of the graph of `children` that begins when all `parents` have ended, though it takes nothing of
/// them. What is running or has run is not copied: it stays as it is, and what comes after it waits; so do `omit` and
/// what these need.
template <class T, class P, class O = std::vector<Delayed<Nothing>>>
T bind(const T& children, const P& parents, const O& omit = {}) {
  detail::CopyOrder order;
  order.after = checkpoint(parents);
  detail::list_handles(omit, order.omitted);
  return detail::rebuild_copied(children, std::move(order));
}

/// Returns a copy of the graph that is computed by itself: results of one are not those of the other, so that freeing
/// the first while the second still runs costs no memory. What is running or has run is not copied; nor are `omit` and
/// what these need.
template <class T, class O = std::vector<Delayed<Nothing>>>
T clone(const T& value, const O& omit = {}) {
  detail::CopyOrder order;
  detail::list_handles(omit, order.omitted);
  return detail::rebuild_copied(value, std::move(order));
}

}  // namespace graph_manipulation
}  // namespace weft
