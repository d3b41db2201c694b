#pragma once

#include <weft/bag_tasks.hpp>

// Tasks of a Bag that look at keys. Part of <weft/bag.hpp>, which includes it.

namespace weft::detail {

/// Folds the elements of each key into `initial`; pairs in order of first appearance.
template <class T, class K, class R, class Key, class F>
struct FoldByEach {
  [[no_unique_address]] Carried<Key> key;
  [[no_unique_address]] Carried<F> fold;
  std::vector<std::pair<K, R>> operator()(const std::vector<T>& items, const R& initial) const {
    std::vector<std::pair<K, R>> folded;
    KeyIndex<K> index;
    for (const T& item : items) {
      const K name = key(item);
      const auto [at, added] = index.place(name, folded.size());
      if (added) folded.emplace_back(name, initial);
      folded[at].second = fold(std::move(folded[at].second), item);
    }
    return folded;
  }
};

/// Joins two lists of pairs: the left one's keys first, each in order of first appearance.
template <class K, class R, class F>
struct CombineByKey {
  [[no_unique_address]] Carried<F> combine;
  std::vector<std::pair<K, R>> operator()(std::vector<std::pair<K, R>> left,
                                          const std::vector<std::pair<K, R>>& right) const {
    KeyIndex<K> index;
    for (std::size_t i = 0; i < left.size(); ++i) index.place(left[i].first, i);
    for (const auto& [name, value] : right) {
      const auto [at, added] = index.place(name, left.size());
      if (added) {
        left.emplace_back(name, value);
      } else {
        left[at].second = combine(std::move(left[at].second), value);
      }
    }
    return left;
  }
};

struct CountOne {
  template <class T>
  std::uint64_t operator()(std::uint64_t count, const T&) const {
    return count + 1;
  }
};

/// Keeps the first element of each key.
template <class T, class Key>
struct DistinctEach {
  [[no_unique_address]] Carried<Key> key;
  std::vector<T> operator()(const std::vector<T>& items) const { return both({}, items); }
  std::vector<T> both(std::vector<T> left, const std::vector<T>& right) const {
    KeyIndex<KeyOf<Key, T>> index;
    for (const T& item : left) index.place(key(item), 0);
    for (const T& item : right) {
      if (index.place(key(item), 0).second) left.push_back(item);
    }
    return left;
  }
};
template <class T, class Key>
struct CombineDistinct {
  DistinctEach<T, Key> each;
  std::vector<T> operator()(std::vector<T> left, const std::vector<T>& right) const {
    return each.both(std::move(left), right);
  }
};

/// Keeps the k greatest by key, greatest first, of equal ones the first.
template <class T, class Key>
struct TopEach {
  [[no_unique_address]] Carried<Key> key;
  std::vector<T> operator()(std::vector<T> items, std::uint64_t most) const {
    std::stable_sort(items.begin(), items.end(),
                     [this](const T& left, const T& right) { return key_less<KeyOf<Key, T>>(key(right), key(left)); });
    if (items.size() > most) items.erase(items.begin() + static_cast<std::ptrdiff_t>(most), items.end());
    return items;
  }
};
template <class T, class Key>
struct CombineTop {
  TopEach<T, Key> each;
  std::uint64_t most = 0;
  std::vector<T> operator()(std::vector<T> left, const std::vector<T>& right) const {
    left.insert(left.end(), right.begin(), right.end());
    return each(std::move(left), most);
  }
};

template <class T>
struct TakeFirst {
  std::vector<T> operator()(std::vector<T> items, std::uint64_t most) const {
    if (items.size() > most) items.erase(items.begin() + static_cast<std::ptrdiff_t>(most), items.end());
    return items;
  }
};
template <class T>
struct CombineFirst {
  std::uint64_t most = 0;
  std::vector<T> operator()(std::vector<T> left, const std::vector<T>& right) const {
    const std::size_t wanted = std::min<std::size_t>(right.size(), static_cast<std::size_t>(most) - left.size());
    left.insert(left.end(), right.begin(), right.begin() + static_cast<std::ptrdiff_t>(wanted));
    return left;
  }
};

/// Puts each element into the bucket of its key's hash.
template <class T, class Key>
struct SplitByKey {
  [[no_unique_address]] Carried<Key> key;
  std::vector<std::vector<T>> operator()(const std::vector<T>& items, std::uint64_t buckets) const {
    std::vector<std::vector<T>> split(static_cast<std::size_t>(buckets));
    for (const T& item : items) {
      split[static_cast<std::size_t>(hash_key<KeyOf<Key, T>>(key(item)) % buckets)].push_back(item);
    }
    return split;
  }
};
/// Groups one bucket of every partition: keys in order of first appearance, elements in the bag's order.
template <class T, class K, class Key>
struct GroupBucket {
  [[no_unique_address]] Carried<Key> key;
  std::vector<std::pair<K, std::vector<T>>> operator()(const std::vector<Delayed<std::vector<std::vector<T>>>>& splits,
                                                       std::uint64_t bucket) const {
    using Split = std::vector<std::vector<T>>;
    std::vector<std::pair<K, std::vector<T>>> groups;
    KeyIndex<K> index;
    for (const Delayed<Split>& split : splits) {
      const PinnedValue pinned = finished_value(split, value_type<Split>);
      for (const T& item : (*static_cast<const Split*>(pinned.value()))[static_cast<std::size_t>(bucket)]) {
        const K name = key(item);
        const auto [at, added] = index.place(name, groups.size());
        if (added) groups.emplace_back(name, std::vector<T>());
        groups[at].second.push_back(item);
      }
    }
    return groups;
  }
};

/// Pairs each element with every element of the other bag that has the same key, in the order of both.
template <class T, class U, class Key, class OtherKey>
struct JoinEach {
  [[no_unique_address]] Carried<Key> key;
  [[no_unique_address]] Carried<OtherKey> other_key;
  std::vector<std::pair<T, U>> operator()(const std::vector<T>& items, const std::vector<U>& others) const {
    using K = KeyOf<OtherKey, U>;
    KeyIndex<K> index;
    std::vector<std::vector<std::size_t>> groups;
    for (std::size_t i = 0; i < others.size(); ++i) {
      const auto [at, added] = index.place(other_key(others[i]), groups.size());
      if (added) groups.emplace_back();
      groups[at].push_back(i);
    }
    std::vector<std::pair<T, U>> joined;
    for (const T& item : items) {
      const std::size_t* const at = index.find(static_cast<K>(key(item)));
      if (at == nullptr) continue;
      for (const std::size_t place : groups[*at]) joined.emplace_back(item, others[place]);
    }
    return joined;
  }
};

}  // namespace weft::detail
