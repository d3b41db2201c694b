#pragma once

#include <weft/bag.hpp>

// Making bags, and what needs more than one partition at a time. Part of <weft/bag.hpp>, which includes it.

namespace weft {

template <class T>
Bag<T> Bag<T>::from(Items items, std::size_t partitions, const Where& where) {
  if (partitions == 0) detail::refuse_partitions(partitions);
  partitions = std::max<std::size_t>(1, std::min(partitions, items.size()));
  const DelayedFunction<detail::GiveItems> give({}, where);
  std::vector<Delayed<Items>> parts;
  parts.reserve(partitions);
  for (std::size_t i = 0; i < partitions; ++i) {
    const auto first = items.begin() + static_cast<std::ptrdiff_t>(items.size() / partitions * i +
                                                                   std::min(i, items.size() % partitions));
    const auto length =
        static_cast<std::ptrdiff_t>(items.size() / partitions + (i < items.size() % partitions ? 1 : 0));
    parts.push_back(give(Items(std::make_move_iterator(first), std::make_move_iterator(first + length))));
  }
  return Bag(std::move(parts));
}

template <class T>
Bag<T> Bag<T>::from_futures(const std::vector<Future<Items>>& partitions) {
  std::vector<Delayed<Items>> parts;
  parts.reserve(partitions.size());
  for (const Future<Items>& future : partitions) {
    detail::require_client(future);
    arena::add_use(future.task_id());
    parts.push_back(Delayed<Items>::adopt(future.task_id()));
  }
  return Bag(std::move(parts));
}

template <class T>
std::vector<T> Bag<T>::compute(const Client& client) const {
  const auto futures = client.persist(partitions_);
  Items all;
  for (const Future<Items>& future : futures) {
    future.inspect([&](const Items& items) { all.insert(all.end(), items.begin(), items.end()); });
  }
  return all;
}

template <class T>
std::vector<T> Bag<T>::take(const Client& client, std::size_t most) const {
  Items taken;
  for (std::size_t i = 0; i < partitions_.size() && taken.size() < most; ++i) {
    client.persist(partitions_[i]).inspect([&](const Items& items) {
      const std::size_t wanted = std::min(items.size(), most - taken.size());
      taken.insert(taken.end(), items.begin(), items.begin() + static_cast<std::ptrdiff_t>(wanted));
    });
  }
  return taken;
}

template <class T>
Bag<T> Bag<T>::coalesce(std::size_t partitions, const Where& where) const {
  if (partitions == 0) detail::refuse_partitions(partitions);
  if (partitions >= partitions_.size()) return *this;
  std::vector<Delayed<Items>> joined;
  for (std::size_t i = 0; i < partitions; ++i) {
    const auto first = partitions_.begin() + static_cast<std::ptrdiff_t>(partitions_.size() * i / partitions);
    const auto end = partitions_.begin() + static_cast<std::ptrdiff_t>(partitions_.size() * (i + 1) / partitions);
    joined.push_back(tree(std::vector<Delayed<Items>>(first, end), detail::CombineLists<T>{}, where));
  }
  return Bag(std::move(joined));
}

namespace detail {
struct Either {
  bool operator()(bool left, bool right) const { return left || right; }
};
struct Both {
  bool operator()(bool left, bool right) const { return left && right; }
};
template <class T, class F, bool kAny>
struct HoldsEach {
  [[no_unique_address]] Carried<F> predicate;
  bool operator()(const std::vector<T>& items) const {
    for (const T& item : items) {
      if (static_cast<bool>(predicate(item)) == kAny) return kAny;
    }
    return !kAny;
  }
};
struct SayTrue {
  bool operator()() const { return true; }
};
}  // namespace detail

template <class T>
template <class F>
Delayed<bool> Bag<T>::any(F predicate, const Where& where) const {
  require_call<F, const T&>();
  return reduce<bool>(detail::HoldsEach<T, F, true>{detail::carry(std::move(predicate))}, detail::Either{}, where);
}

template <class T>
template <class F>
Delayed<bool> Bag<T>::all(F predicate, const Where& where) const {
  require_call<F, const T&>();
  if (partitions_.empty()) return DelayedFunction<detail::SayTrue>({}, where)();
  return reduce<bool>(detail::HoldsEach<T, F, false>{detail::carry(std::move(predicate))}, detail::Both{}, where);
}

template <class T>
template <class Key>
auto Bag<T>::groupby(Key key, std::size_t partitions, const Where& where) const {
  require_call<Key, const T&>();
  using K = detail::KeyOf<Key, T>;
  if (partitions == 0) partitions = std::max<std::size_t>(1, partitions_.size());
  const auto carried = detail::carry(std::move(key));
  const DelayedFunction split(detail::SplitByKey<T, Key>{carried}, where);
  std::vector<Delayed<std::vector<Items>>> splits;
  splits.reserve(partitions_.size());
  for (const Delayed<Items>& partition : partitions_) splits.push_back(split(partition, std::uint64_t{partitions}));
  const DelayedFunction group(detail::GroupBucket<T, K, Key>{carried}, where);
  std::vector<Delayed<std::vector<std::pair<K, Items>>>> groups;
  groups.reserve(partitions);
  for (std::size_t bucket = 0; bucket < partitions; ++bucket) groups.push_back(group(splits, std::uint64_t{bucket}));
  return Bag<std::pair<K, Items>>::from_delayed(std::move(groups));
}

template <class T>
template <class U, class Key, class OtherKey>
Bag<std::pair<T, U>> Bag<T>::join(const Bag<U>& other, Key key, OtherKey other_key, const Where& where) const {
  require_call<Key, const T&>();
  static_assert(std::is_invocable_v<const OtherKey&, const U&>,
                "weft: Bag::join: the second key cannot be called with the other bag's elements");
  using K = detail::KeyOf<OtherKey, U>;
  static_assert(std::is_convertible_v<detail::KeyOf<Key, T>, K>, "weft: Bag::join: the keys are of different types");
  std::vector<Delayed<std::vector<U>>> others = other.to_delayed();
  if (others.empty()) others.push_back(delayed(std::vector<U>(), where));
  const Delayed<std::vector<U>> all = Bag<U>::tree(std::move(others), detail::CombineLists<U>{}, where);
  const DelayedFunction one(
      detail::JoinEach<T, U, Key, OtherKey>{detail::carry(std::move(key)), detail::carry(std::move(other_key))}, where);
  std::vector<Delayed<std::vector<std::pair<T, U>>>> joined;
  joined.reserve(partitions_.size());
  for (const Delayed<Items>& partition : partitions_) joined.push_back(one(partition, all));
  return Bag<std::pair<T, U>>::from_delayed(std::move(joined));
}

/// Makes a bag of a vector; what std::vector can be made of is deduced.
template <class T>
Bag<T> bag_from(std::vector<T> items, std::size_t partitions = 16,
                const std::source_location& where = std::source_location::current()) {
  return Bag<T>::from(std::move(items), partitions, where);
}

/// Describes the numbers 0, 1, ... n - 1.
Bag<std::int64_t> bag_range(std::int64_t n, std::size_t partitions = 16,
                            const std::source_location& where = std::source_location::current());

/// Describes the lines of all files that match a pattern ("logs/*.txt"), files in order of their names, without their
/// ends of line. A line belongs to the block in which it begins. Sizes are looked up now, contents are read by the
/// tasks.
Bag<std::string> read_text(const std::string& pattern, const TextOptions& options = {},
                           const std::source_location& where = std::source_location::current());
/// As above, of several files or patterns, in their order.
Bag<std::string> read_text(const std::vector<std::string>& patterns, const TextOptions& options = {},
                           const std::source_location& where = std::source_location::current());

/// Puts the partitions of bags one behind the other.
template <class T>
Bag<T> concat(const std::vector<Bag<T>>& bags) {
  std::vector<Delayed<std::vector<T>>> partitions;
  for (const Bag<T>& bag : bags) partitions.insert(partitions.end(), bag.to_delayed().begin(), bag.to_delayed().end());
  return Bag<T>::from_delayed(std::move(partitions));
}

/// A bag as an argument of a task, or of Client::compute, is the vector of all its elements.
template <class T>
struct detail::Nested<Bag<T>> {
  static constexpr bool has_handles = true;
  template <class Visit>
  static void visit(const Bag<T>& bag, Visit& visit_handle) {
    for (const auto& partition : bag.to_delayed()) visit_handle(partition);
  }
  static std::vector<T> resolve(const Bag<T>& bag) {
    std::vector<T> all;
    for (const auto& partition : bag.to_delayed()) {
      const PinnedValue pinned = finished_value(partition, weft::value_type<std::vector<T>>);
      const auto& items = *static_cast<const std::vector<T>*>(pinned.value());
      all.insert(all.end(), items.begin(), items.end());
    }
    return all;
  }
};

/// It goes as the number of its partitions.
template <class T>
struct detail::ArgumentCodec<Bag<T>> {
  using Partitions = std::vector<Delayed<std::vector<T>>>;
  static constexpr bool travels = argument_travels<Partitions>;
  static void write(Writer& writer, const Bag<T>& bag) { ArgumentCodec<Partitions>::write(writer, bag.to_delayed()); }
  static Bag<T> read(Reader& reader) { return Bag<T>::from_delayed(ArgumentCodec<Partitions>::read(reader)); }
};

}  // namespace weft
