#pragma once

#include <weft/bag_keys.hpp>
#include <weft/delayed.hpp>
#include <weft/future.hpp>

#include <algorithm>
#include <string>

// The functions that the tasks of a Bag run. Part of <weft/bag.hpp>, which includes it.

namespace weft::detail {

[[noreturn]] void refuse_empty_bag(const char* what);
[[noreturn]] void refuse_partitions(std::size_t partitions);
[[noreturn]] void refuse_split(std::size_t split_every);
[[noreturn]] void refuse_lengths(const char* what, std::size_t mine, std::size_t others);
[[noreturn]] void refuse_both(const char* what, std::size_t mine, std::size_t others);
[[noreturn]] void refuse_probability(double probability);

struct GiveItems {
  template <class T>
  std::vector<T> operator()(std::vector<T>&& items) const {
    return std::move(items);
  }
};

struct MakeRange {
  std::vector<std::int64_t> operator()(std::int64_t first, std::int64_t end) const {
    std::vector<std::int64_t> numbers;
    numbers.reserve(static_cast<std::size_t>(end - first));
    for (std::int64_t number = first; number < end; ++number) numbers.push_back(number);
    return numbers;
  }
};

/// Reads the lines that begin in [first, end) of a file.
struct ReadLines {
  std::vector<std::string> operator()(const std::string& path, std::uint64_t first, std::uint64_t end) const;
};

template <class T, class F>
struct MapEach {
  [[no_unique_address]] Carried<F> function;
  auto operator()(const std::vector<T>& items) const {
    std::vector<std::decay_t<std::invoke_result_t<const F&, const T&>>> mapped;
    mapped.reserve(items.size());
    for (const T& item : items) mapped.push_back(function(item));
    return mapped;
  }
};

template <class T, class F>
struct MapTuples {
  [[no_unique_address]] Carried<F> function;
  auto operator()(const std::vector<T>& items) const {
    std::vector<std::decay_t<decltype(std::apply(function, items.front()))>> mapped;
    mapped.reserve(items.size());
    for (const T& item : items) mapped.push_back(std::apply(function, item));
    return mapped;
  }
};

template <class T, std::size_t I>
struct PluckEach {
  auto operator()(const std::vector<T>& items) const {
    std::vector<std::tuple_element_t<I, T>> plucked;
    plucked.reserve(items.size());
    for (const T& item : items) plucked.push_back(std::get<I>(item));
    return plucked;
  }
};

/// Keeps elements for which the predicate says `kKeep`.
template <class T, class F, bool kKeep>
struct FilterEach {
  [[no_unique_address]] Carried<F> predicate;
  std::vector<T> operator()(std::vector<T> items) const {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (static_cast<bool>(predicate(std::as_const(items)[i])) != kKeep) continue;
      if (kept != i) items[kept] = std::move(items[i]);
      ++kept;
    }
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(kept), items.end());
    return items;
  }
};

template <class T, class F>
struct FlatmapEach {
  [[no_unique_address]] Carried<F> function;
  auto operator()(const std::vector<T>& items) const {
    using Range = std::decay_t<std::invoke_result_t<const F&, const T&>>;
    std::vector<std::decay_t<decltype(*std::declval<const Range&>().begin())>> flat;
    for (const T& item : items) {
      // A name for the range: it may be a temporary or a reference into the item.
      const auto& range = function(item);
      for (const auto& element : range) flat.push_back(element);
    }
    return flat;
  }
};

/// Gives each partition `initial` and folds its elements into it, in order.
template <class T, class R, class F>
struct FoldEach {
  [[no_unique_address]] Carried<F> fold;
  R operator()(const std::vector<T>& items, const R& initial) const {
    R folded = initial;
    for (const T& item : items) folded = fold(std::move(folded), item);
    return folded;
  }
};

template <class R, class F>
struct CombineTwo {
  [[no_unique_address]] Carried<F> combine;
  R operator()(R left, const R& right) const { return combine(std::move(left), right); }
};

template <class T>
struct CombineLists {
  std::vector<T> operator()(std::vector<T> left, const std::vector<T>& right) const {
    left.insert(left.end(), right.begin(), right.end());
    return left;
  }
};

struct AddNumbers {
  template <class R>
  R operator()(R left, const R& right) const {
    return left + right;
  }
};

/// A sum's type: wide enough for any number of elements.
template <class T>
using SumOf =
    std::conditional_t<!std::is_arithmetic_v<T>, T,
                       std::conditional_t<std::is_floating_point_v<T>, std::conditional_t<(sizeof(T) < 8), double, T>,
                                          std::conditional_t<std::is_signed_v<T> || std::is_same_v<T, bool>,
                                                             std::int64_t, std::uint64_t>>>;

template <class T, class R>
struct SumEach {
  R operator()(const std::vector<T>& items) const {
    R sum{};
    for (const T& item : items) sum = sum + static_cast<R>(item);
    return sum;
  }
};

template <class T, class R>
struct MultiplyEach {
  R operator()(const std::vector<T>& items) const {
    R product{1};
    for (const T& item : items) product = product * static_cast<R>(item);
    return product;
  }
};
struct MultiplyNumbers {
  template <class R>
  R operator()(R left, const R& right) const {
    return left * right;
  }
};

struct CountEach {
  template <class T>
  std::uint64_t operator()(const std::vector<T>& items) const {
    return items.size();
  }
};

/// The smallest element (kLeast) or the greatest; the first of equal ones. What is not a number only if nothing else
/// is.
template <bool kLeast>
struct Extreme {
  template <class T>
  static bool better(const T& candidate, const T& best) {
    if constexpr (std::is_floating_point_v<T>) {
      if (std::isnan(best) || std::isnan(candidate)) return std::isnan(best) && !std::isnan(candidate);
    }
    return kLeast ? candidate < best : best < candidate;
  }
};
template <class T, bool kLeast>
struct ExtremeEach {
  std::optional<T> operator()(const std::vector<T>& items) const {
    std::optional<T> best;
    for (const T& item : items) {
      if (!best || Extreme<kLeast>::better(item, *best)) best = item;
    }
    return best;
  }
};
template <class T, bool kLeast>
struct CombineExtremes {
  std::optional<T> operator()(std::optional<T> left, const std::optional<T>& right) const {
    if (!left || (right && Extreme<kLeast>::better(*right, *left))) return right;
    return left;
  }
};
template <class T, bool kLeast>
struct TakeExtreme {
  T operator()(const std::optional<T>& best) const {
    if (!best) refuse_empty_bag(kLeast ? "min" : "max");
    return *best;
  }
};

/// Count, mean and sum of squared distances from it, combined without loss as partitions are joined.
struct Moments {
  double count = 0;
  double mean = 0;
  double squares = 0;
};
template <class T>
struct MomentsEach {
  Moments operator()(const std::vector<T>& items) const {
    Moments moments;
    for (const T& item : items) {
      const auto value = static_cast<double>(item);
      moments.count += 1;
      const double distance = value - moments.mean;
      moments.mean += distance / moments.count;
      moments.squares += distance * (value - moments.mean);
    }
    return moments;
  }
};
struct CombineMoments {
  Moments operator()(const Moments& left, const Moments& right) const {
    if (left.count == 0 || right.count == 0) return left.count == 0 ? right : left;
    const double count = left.count + right.count;
    const double distance = right.mean - left.mean;
    return {count, left.mean + distance * (right.count / count),
            left.squares + right.squares + distance * distance * (left.count * (right.count / count))};
  }
};
struct TakeVariance {
  double operator()(const Moments& moments, unsigned ddof, bool root) const {
    if (moments.count <= ddof) refuse_empty_bag(root ? "std" : "var");
    const double variance = moments.squares / (moments.count - ddof);
    return root ? std::sqrt(variance) : variance;
  }
};

template <class T>
struct SumAndCount {
  T sum{};
  std::uint64_t count = 0;
};
template <class T>
struct SumAndCountEach {
  SumAndCount<SumOf<T>> operator()(const std::vector<T>& items) const {
    return {SumEach<T, SumOf<T>>{}(items), items.size()};
  }
};
template <class R>
struct CombineSums {
  SumAndCount<R> operator()(const SumAndCount<R>& left, const SumAndCount<R>& right) const {
    return {left.sum + right.sum, left.count + right.count};
  }
};
template <class R>
struct TakeMean {
  double operator()(const SumAndCount<R>& sums) const {
    if (sums.count == 0) refuse_empty_bag("mean");
    return static_cast<double>(sums.sum) / static_cast<double>(sums.count);
  }
};

}  // namespace weft::detail

#include <weft/bag_groups.hpp>
