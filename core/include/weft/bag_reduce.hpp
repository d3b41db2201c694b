#pragma once

#include <weft/bag.hpp>

// Reductions of a Bag, in all and by key. Part of <weft/bag.hpp>, which includes it.

namespace weft {

template <class T>
template <class F, class R, class C>
Delayed<R> Bag<T>::fold(F function, R initial, C combine, const Where& where) const {
  require_call<F, R, const T&>();
  require_call<C, R, const R&>();
  std::vector<Delayed<R>> parts;
  const auto one = DelayedFunction(detail::FoldEach<T, R, F>{detail::carry(std::move(function))}, where);
  for (const Delayed<Items>& partition : partitions_) parts.push_back(one(partition, initial));
  if (parts.empty()) parts.push_back(delayed(std::move(initial), where));
  return tree(std::move(parts), detail::CombineTwo<R, C>{detail::carry(std::move(combine))}, where);
}

template <class T>
template <class P, class A>
auto Bag<T>::reduction(P partial, A aggregate, std::size_t split_every, const Where& where) const {
  if (split_every < 2) detail::refuse_split(split_every);
  auto parts = partials(std::move(partial), where);
  const DelayedFunction<A> join(std::move(aggregate), where);
  static_assert(std::is_same_v<decltype(join(parts)), typename decltype(parts)::value_type>,
                "weft: Bag::reduction in steps: the aggregate must give what the partial function gives");
  while (parts.size() > split_every) {
    decltype(parts) above;
    for (std::size_t first = 0; first < parts.size(); first += split_every) {
      const auto begin = parts.begin() + static_cast<std::ptrdiff_t>(first);
      const auto end = parts.begin() + static_cast<std::ptrdiff_t>(std::min(parts.size(), first + split_every));
      above.push_back(join(decltype(parts)(begin, end)));
    }
    parts.swap(above);
  }
  return join(parts);
}

template <class T>
Delayed<double> Bag<T>::mean(const Where& where) const {
  using R = detail::SumOf<T>;
  auto sums = reduce<detail::SumAndCount<R>>(detail::SumAndCountEach<T>{}, detail::CombineSums<R>{}, where);
  return DelayedFunction(detail::TakeMean<R>{}, where)(sums);
}

template <class T>
template <bool kLeast>
Delayed<T> Bag<T>::extreme(const Where& where) const {
  auto best = reduce<std::optional<T>>(detail::ExtremeEach<T, kLeast>{}, detail::CombineExtremes<T, kLeast>{}, where);
  return DelayedFunction(detail::TakeExtreme<T, kLeast>{}, where)(best);
}

template <class T>
Delayed<double> Bag<T>::spread(unsigned ddof, bool root, const Where& where) const {
  auto moments = reduce<detail::Moments>(detail::MomentsEach<T>{}, detail::CombineMoments{}, where);
  return DelayedFunction(detail::TakeVariance{}, where)(moments, ddof, root);
}

template <class T>
template <class Key, class F, class R, class C>
auto Bag<T>::foldby(Key key, F function, R initial, C combine, const Where& where) const {
  require_call<Key, const T&>();
  require_call<F, R, const T&>();
  require_call<C, R, const R&>();
  using K = detail::KeyOf<Key, T>;
  const detail::FoldByEach<T, K, R, Key, F> fold{detail::carry(std::move(key)), detail::carry(std::move(function))};
  return one_partition(
      tree(list_parts(fold, where, initial), detail::CombineByKey<K, R, C>{detail::carry(std::move(combine))}, where));
}

template <class T>
template <class Key>
Bag<T> Bag<T>::distinct(Key key, const Where& where) const {
  require_call<Key, const T&>();
  const detail::DistinctEach<T, Key> each{detail::carry(std::move(key))};
  return one_partition(tree(list_parts(each, where), detail::CombineDistinct<T, Key>{each}, where));
}

template <class T>
template <class Key>
Bag<T> Bag<T>::topk(std::size_t k, Key key, const Where& where) const {
  require_call<Key, const T&>();
  const detail::TopEach<T, Key> each{detail::carry(std::move(key))};
  return one_partition(
      tree(list_parts(each, where, std::uint64_t{k}), detail::CombineTop<T, Key>{each, std::uint64_t{k}}, where));
}

}  // namespace weft
