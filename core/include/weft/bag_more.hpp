#pragma once

#include <weft/bag.hpp>

// Bags beside bags, samples, running totals, partitions, text files. Part of <weft/bag.hpp>, which includes it.

namespace weft {

namespace detail {

template <class T, class U, class F>
struct MapBoth {
  [[no_unique_address]] Carried<F> function;
  auto operator()(const std::vector<T>& mine, const std::vector<U>& others) const {
    if (mine.size() != others.size()) refuse_lengths("map", mine.size(), others.size());
    std::vector<std::decay_t<std::invoke_result_t<const F&, const T&, const U&>>> mapped;
    mapped.reserve(mine.size());
    for (std::size_t i = 0; i < mine.size(); ++i) mapped.push_back(function(mine[i], others[i]));
    return mapped;
  }
};

template <class T, class U>
struct ZipBoth {
  std::vector<std::pair<T, U>> operator()(const std::vector<T>& mine, const std::vector<U>& others) const {
    if (mine.size() != others.size()) refuse_lengths("zip", mine.size(), others.size());
    std::vector<std::pair<T, U>> pairs;
    pairs.reserve(mine.size());
    for (std::size_t i = 0; i < mine.size(); ++i) pairs.emplace_back(mine[i], others[i]);
    return pairs;
  }
};

template <class T, class U>
struct ProductBoth {
  std::vector<std::pair<T, U>> operator()(const std::vector<T>& mine, const std::vector<U>& others) const {
    std::vector<std::pair<T, U>> pairs;
    pairs.reserve(mine.size() * others.size());
    for (const T& item : mine) {
      for (const U& other : others) pairs.emplace_back(item, other);
    }
    return pairs;
  }
};

template <class T, class K>
struct PluckKey {
  K key;
  auto operator()(const std::vector<T>& items) const {
    std::vector<std::decay_t<decltype(items[0].at(key))>> plucked;
    plucked.reserve(items.size());
    for (const T& item : items) plucked.push_back(item.at(key));
    return plucked;
  }
};
template <class T, class K, class V>
struct PluckKeyOr {
  K key;
  V otherwise;
  std::vector<V> operator()(const std::vector<T>& items) const {
    std::vector<V> plucked;
    plucked.reserve(items.size());
    for (const T& item : items) {
      if constexpr (requires { item.find(key); }) {
        const auto found = item.find(key);
        plucked.push_back(found == item.end() ? otherwise : V(found->second));
      } else {
        const auto at = static_cast<std::size_t>(key);
        plucked.push_back(at < item.size() ? V(item[at]) : otherwise);
      }
    }
    return plucked;
  }
};

/// Returns a number in [0, 1) that depends on these three alone.
double sample_number(std::uint64_t seed, std::uint64_t partition, std::uint64_t place);

template <class T>
struct SampleEach {
  std::vector<T> operator()(const std::vector<T>& items, std::uint64_t partition, double probability,
                            std::uint64_t seed) const {
    std::vector<T> kept;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (sample_number(seed, partition, i) < probability) kept.push_back(items[i]);
    }
    return kept;
  }
};

/// Goes on from what came before, a list of one or none. `show` has it stand first in the result.
template <class T, class R, class F>
struct AccumulateEach {
  [[no_unique_address]] Carried<F> function;
  std::vector<R> operator()(const std::vector<T>& items, const std::vector<R>& before, bool show) const {
    std::vector<R> totals;
    totals.reserve(items.size() + 1);
    std::optional<R> last;
    if (!before.empty()) last = before.front();
    if (show && last) totals.push_back(*last);
    for (const T& item : items) {
      if (last) {
        last = R(function(*last, item));
      } else if constexpr (std::is_same_v<R, T>) {
        last = item;  // without an initial value the first element is the first total
      }
      totals.push_back(*last);
    }
    return totals;
  }
};
template <class R>
struct TakeLast {
  std::vector<R> operator()(const std::vector<R>& totals, const std::vector<R>& before) const {
    return totals.empty() ? before : std::vector<R>{totals.back()};
  }
};

/// The piece of a partition that is cut into `pieces` of equal length.
template <class T>
struct CutPiece {
  std::vector<T> operator()(const std::vector<T>& items, std::uint64_t piece, std::uint64_t pieces) const {
    const auto first = static_cast<std::ptrdiff_t>(items.size() * piece / pieces);
    const auto end = static_cast<std::ptrdiff_t>(items.size() * (piece + 1) / pieces);
    return {items.begin() + first, items.begin() + end};
  }
};

/// Writes a file that appears when it is complete, and returns its path.
struct WriteLines {
  std::string operator()(const std::vector<std::string>& lines, const std::string& path) const;
};
/// Returns the paths of a bag's files and makes the folder they lie in.
std::vector<std::string> text_paths(const std::string& path, std::size_t partitions);

}  // namespace detail

template <class T>
template <class F, class U>
auto Bag<T>::both(F function, const Bag<U>& other, const char* what, const Where& where) const {
  const auto& others = other.to_delayed();
  if (others.size() != partitions_.size()) detail::refuse_both(what, partitions_.size(), others.size());
  const DelayedFunction<F> two(std::move(function), where);
  using Out = typename decltype(two(partitions_[0], others[0]))::value_type;
  std::vector<Delayed<Out>> out;
  out.reserve(others.size());
  for (std::size_t i = 0; i < others.size(); ++i) out.push_back(two(partitions_[i], others[i]));
  return Bag<typename Out::value_type>::from_delayed(std::move(out));
}

template <class T>
template <class F, class U>
auto Bag<T>::map(F function, const Bag<U>& other, const Where& where) const {
  require_call<F, const T&, const U&>();
  return both(detail::MapBoth<T, U, F>{detail::carry(std::move(function))}, other, "map", where);
}

template <class T>
template <class U>
Bag<std::pair<T, U>> Bag<T>::zip(const Bag<U>& other, const Where& where) const {
  return both(detail::ZipBoth<T, U>{}, other, "zip", where);
}

template <class T>
template <class U>
Bag<std::pair<T, U>> Bag<T>::product(const Bag<U>& other, const Where& where) const {
  const DelayedFunction<detail::ProductBoth<T, U>> two({}, where);
  std::vector<Delayed<std::vector<std::pair<T, U>>>> out;
  out.reserve(partitions_.size() * other.partition_count());
  for (const Delayed<Items>& mine : partitions_) {
    for (const auto& others : other.to_delayed()) out.push_back(two(mine, others));
  }
  return Bag<std::pair<T, U>>::from_delayed(std::move(out));
}

template <class T>
template <class K>
auto Bag<T>::pluck(const K& key, const Where& where) const {
  using Key = detail::Stored<const K&>;
  static_assert(
      requires(const T& item, const Key& at) { item.at(at); },
      "weft: Bag::pluck(key): the bag's elements have no at(key)");
  return each(detail::PluckKey<T, Key>{Key(key)}, where);
}

template <class T>
template <class K, class V>
auto Bag<T>::pluck(const K& key, V otherwise, const Where& where) const {
  using Key = detail::Stored<const K&>;
  static_assert(
      requires(const T& item, const Key& at) { item.at(at); },
      "weft: Bag::pluck(key): the bag's elements have no at(key)");
  using Value = std::decay_t<decltype(std::declval<const T&>().at(std::declval<const Key&>()))>;
  return each(detail::PluckKeyOr<T, Key, Value>{Key(key), Value(std::move(otherwise))}, where);
}

template <class T>
Bag<T> Bag<T>::random_sample(double probability, std::uint64_t seed, const Where& where) const {
  if (!(probability >= 0 && probability <= 1)) detail::refuse_probability(probability);
  const DelayedFunction<detail::SampleEach<T>> sample({}, where);
  std::vector<Delayed<Items>> out;
  out.reserve(partitions_.size());
  for (std::size_t i = 0; i < partitions_.size(); ++i) {
    out.push_back(sample(partitions_[i], std::uint64_t{i}, probability, seed));
  }
  return Bag(std::move(out));
}

namespace detail {
/// Runs through all partitions one after another; `before` goes ahead of the first.
template <class T, class R, class F>
Bag<R> accumulate_all(const std::vector<Delayed<std::vector<T>>>& partitions, F function, std::vector<R> before,
                      const std::source_location& where) {
  bool show = !before.empty();
  const DelayedFunction total(AccumulateEach<T, R, F>{carry(std::move(function))}, where);
  const DelayedFunction<TakeLast<R>> last({}, where);
  Delayed<std::vector<R>> so_far = delayed(std::move(before), where);
  std::vector<Delayed<std::vector<R>>> out;
  out.reserve(partitions.size());
  for (const auto& partition : partitions) {
    out.push_back(total(partition, so_far, std::exchange(show, false)));
    so_far = last(out.back(), so_far);
  }
  if (out.empty()) out.push_back(so_far);
  return Bag<R>::from_delayed(std::move(out));
}
}  // namespace detail

template <class T>
template <class F>
Bag<T> Bag<T>::accumulate(F function, const Where& where) const {
  require_call<F, const T&, const T&>();
  return detail::accumulate_all<T, T>(partitions_, std::move(function), {}, where);
}

template <class T>
template <class F, class R>
Bag<R> Bag<T>::accumulate(F function, R initial, const Where& where) const {
  require_call<F, const R&, const T&>();
  return detail::accumulate_all<T, R>(partitions_, std::move(function), std::vector<R>{std::move(initial)}, where);
}

template <class T>
Bag<T> Bag<T>::repartition(std::size_t partitions, const Where& where) const {
  if (partitions <= partitions_.size()) return coalesce(partitions, where);
  const DelayedFunction<detail::CutPiece<T>> cut({}, where);
  std::vector<Delayed<Items>> out;
  out.reserve(partitions);
  for (std::size_t i = 0; i < partitions_.size(); ++i) {
    const std::uint64_t pieces = partitions * (i + 1) / partitions_.size() - partitions * i / partitions_.size();
    for (std::uint64_t piece = 0; piece < pieces; ++piece) out.push_back(cut(partitions_[i], piece, pieces));
  }
  return Bag(std::move(out));
}

template <class T>
std::vector<std::string> Bag<T>::to_textfiles(const Client& client, const std::string& path, const Where& where) const {
  static_assert(std::is_same_v<T, std::string>,
                "weft: Bag::to_textfiles: the elements must be std::string: map them to text first");
  const std::vector<std::string> paths = detail::text_paths(path, partitions_.size());
  const DelayedFunction<detail::WriteLines> write({}, where);
  std::vector<Delayed<std::string>> written;
  for (std::size_t i = 0; i < paths.size(); ++i) written.push_back(write(partitions_[i], paths[i]));
  return client.compute(written);
}

}  // namespace weft
