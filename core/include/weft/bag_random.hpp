#pragma once

#include <weft/bag.hpp>

#include <cstdint>
#include <utility>
#include <vector>

namespace weft {

namespace detail {

/// Returns which of `all` elements the draw of that number takes. Every one is as likely.
std::uint64_t drawn_element(std::uint64_t seed, std::uint64_t draw, std::uint64_t all);
[[noreturn]] void refuse_empty_choice();

/// The drawn elements of one partition, with the numbers of their draws. `sizes`: of all partitions.
template <class T>
struct ChooseEach {
  std::vector<std::pair<std::uint64_t, T>> operator()(const std::vector<T>& items,
                                                      const std::vector<std::uint64_t>& sizes, std::uint64_t partition,
                                                      std::uint64_t k, std::uint64_t seed) const {
    std::uint64_t all = 0, first = 0;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      if (i == partition) first = all;
      all += sizes[i];
    }
    if (all == 0) refuse_empty_choice();
    std::vector<std::pair<std::uint64_t, T>> chosen;
    for (std::uint64_t draw = 0; draw < k; ++draw) {
      const std::uint64_t element = drawn_element(seed, draw, all);
      if (element >= first && element - first < items.size())
        chosen.emplace_back(draw, items[static_cast<std::size_t>(element - first)]);
    }
    return chosen;
  }
};

struct GiveSizes {
  std::vector<std::uint64_t> operator()(const std::vector<std::uint64_t>& sizes) const { return sizes; }
};

template <class T>
struct CountItems {
  std::uint64_t operator()(const std::vector<T>& items) const { return items.size(); }
};

/// Puts what partitions gave into the order of the draws.
template <class T>
struct InOrderOfDraws {
  std::vector<T> operator()(const std::vector<std::vector<std::pair<std::uint64_t, T>>>& parts, std::uint64_t k) const {
    std::vector<const T*> places(static_cast<std::size_t>(k));
    for (const auto& part : parts) {
      for (const auto& [draw, item] : part) places[static_cast<std::size_t>(draw)] = &item;
    }
    std::vector<T> all;
    all.reserve(places.size());
    for (const T* const item : places) all.push_back(*item);
    return all;
  }
};

}  // namespace detail

namespace random {

/// Draws `k` elements of a bag, with replacement, each as likely as any other: one partition, in the order of the
/// draws. They depend on the seed and the elements in their order alone: not on partitions, nor on workers. Computing
/// it throws Error where the bag is empty and k is not 0.
template <class T>
Bag<T> choices(const Bag<T>& bag, std::uint64_t k, std::uint64_t seed,
               const std::source_location& where = std::source_location::current()) {
  const std::vector<Delayed<std::vector<T>>>& partitions = bag.to_delayed();
  if (k == 0) return Bag<T>::from({}, 1, where);
  if (partitions.empty()) detail::refuse_empty_choice();
  const DelayedFunction<detail::CountItems<T>> count({}, where);
  std::vector<Delayed<std::uint64_t>> sizes;
  for (const auto& partition : partitions) sizes.push_back(count(partition));
  const auto all_sizes = DelayedFunction<detail::GiveSizes>({}, where)(sizes);
  const DelayedFunction<detail::ChooseEach<T>> choose({}, where);
  std::vector<Delayed<std::vector<std::pair<std::uint64_t, T>>>> chosen;
  for (std::size_t i = 0; i < partitions.size(); ++i)
    chosen.push_back(choose(partitions[i], all_sizes, std::uint64_t{i}, k, seed));
  return Bag<T>::from_delayed({DelayedFunction<detail::InOrderOfDraws<T>>({}, where)(chosen, k)});
}

}  // namespace random
}  // namespace weft
