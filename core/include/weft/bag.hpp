#pragma once

#include <weft/bag_tasks.hpp>
#include <weft/client.hpp>

namespace weft {

/// How `read_text` cuts files.
struct TextOptions {
  /// Bytes of a file that one partition reads, up to the end of its last line; 0: each file is one partition.
  std::uint64_t blocksize = std::uint64_t{64} << 20;
};

namespace detail {
/// Where a block of lines lies.
struct TextBlock {
  std::string path;
  std::uint64_t first = 0;
  std::uint64_t end = 0;
};
std::vector<TextBlock> text_blocks(const std::vector<std::string>& patterns, const TextOptions& options);
}  // namespace detail

/// Many elements in partitions, each computed by a task: Dask's bag. Nothing runs before a client computes.
///
///     Bag<std::string> lines = read_text("logs/*.txt");
///     auto words = lines.flatmap(split).filter(is_word);
///     for (auto& [word, count] : words.frequencies().topk(10, by_count).compute(client)) ...
///
/// Partitions keep their order, elements theirs within them; reductions join neighbouring partitions two by two, so the
/// bits of a result depend on the data and its partitions alone, never on workers. Callables are called concurrently
/// and must travel: functions, lambdas whose captures are trivially copyable, structs of values with operator(). Owns:
/// handles of its partitions; copying is cheap.  Threading: as a vector.
template <class T>
class Bag {
 public:
  using value_type = T;
  using Items = std::vector<T>;
  using Where = std::source_location;

  Bag() = default;
  /// Cuts a vector into partitions of equal size.
  static Bag from(Items items, std::size_t partitions = 16, const Where& where = Where::current());
  /// Makes a bag of lazy vectors, one partition each.
  static Bag from_delayed(std::vector<Delayed<Items>> partitions) { return Bag(std::move(partitions)); }
  /// Makes a bag of vectors that are being computed.
  static Bag from_futures(const std::vector<Future<Items>>& partitions);

  std::size_t partition_count() const { return partitions_.size(); }
  /// Returns the lazy vectors that the bag consists of.
  const std::vector<Delayed<Items>>& to_delayed() const { return partitions_; }

  /// Runs what the bag needs and returns all elements in order.
  Items compute(const Client& client) const;
  /// Starts computing the partitions; their results are kept while this bag or one made from it exists.
  Bag persist(const Client& client) const {
    client.persist(partitions_);
    return *this;
  }
  /// Returns the first `most` elements, computing one partition after another until there are enough.
  Items take(const Client& client, std::size_t most) const;

  // --- Element by element --------------------------------------------------------------------------------------------

  /// Describes f(x) of each element.
  template <class F>
  auto map(F function, const Where& where = Where::current()) const {
    require_call<F, const T&>();
    return each(detail::MapEach<T, F>{detail::carry(std::move(function))}, where);
  }
  /// Describes f(a, b, ...) of each element that is a tuple or pair (a, b, ...).
  template <class F>
  auto starmap(F function, const Where& where = Where::current()) const {
    return each(detail::MapTuples<T, F>{detail::carry(std::move(function))}, where);
  }
  /// Keeps the elements for which the predicate holds.
  template <class F>
  Bag filter(F predicate, const Where& where = Where::current()) const {
    require_call<F, const T&>();
    return each(detail::FilterEach<T, F, true>{detail::carry(std::move(predicate))}, where);
  }
  /// Keeps the elements for which the predicate does not hold.
  template <class F>
  Bag remove(F predicate, const Where& where = Where::current()) const {
    require_call<F, const T&>();
    return each(detail::FilterEach<T, F, false>{detail::carry(std::move(predicate))}, where);
  }
  /// Describes all elements of the ranges f(x).
  template <class F>
  auto flatmap(F function, const Where& where = Where::current()) const {
    require_call<F, const T&>();
    return each(detail::FlatmapEach<T, F>{detail::carry(std::move(function))}, where);
  }
  /// Describes all elements of the elements, which are ranges.
  auto flatten(const Where& where = Where::current()) const { return flatmap(detail::Itself{}, where); }
  /// Describes the I-th part of each element, which is a tuple or pair.
  template <std::size_t I>
  auto pluck(const Where& where = Where::current()) const {
    return each(detail::PluckEach<T, I>{}, where);
  }
  /// Describes f(partition) of each partition: a vector of T in, a vector of anything out.
  template <class F>
  auto map_partitions(F function, const Where& where = Where::current()) const {
    static_assert(std::is_invocable_v<const F&, const Items&> || std::is_invocable_v<const F&, Items>,
                  "weft: Bag::map_partitions: the function must take a std::vector of the bag's elements");
    return each(std::move(function), where);
  }
  /// Describes f(mine, other's) of the elements at the same places. Partitions of both must be equally long.
  template <class F, class U>
  auto map(F function, const Bag<U>& other, const Where& where = Where::current()) const;
  /// Pairs the elements at the same places. Partitions of both must be equally long.
  template <class U>
  Bag<std::pair<T, U>> zip(const Bag<U>& other, const Where& where = Where::current()) const;
  /// Pairs each element with each of the other bag: a partition for each pair of partitions, mine slowest.
  template <class U>
  Bag<std::pair<T, U>> product(const Bag<U>& other, const Where& where = Where::current()) const;
  /// Describes item.at(key) of each element, a map or a vector; `otherwise` where there is no such key.
  template <class K>
  auto pluck(const K& key, const Where& where = Where::current()) const;
  template <class K, class V>
  auto pluck(const K& key, V otherwise, const Where& where = Where::current()) const;
  /// Keeps each element with this probability. Which are kept depends on the seed and their places alone.
  Bag random_sample(double probability, std::uint64_t seed, const Where& where = Where::current()) const;
  /// Describes x0, f(x0, x1), f(f(x0, x1), x2), ... through all partitions, one after another.
  template <class F>
  Bag accumulate(F function, const Where& where = Where::current()) const;
  /// Describes initial, f(initial, x0), ...: one element more.
  template <class F, class R>
  Bag<R> accumulate(F function, R initial, const Where& where = Where::current()) const;
  /// Joins neighbouring partitions until there are at most `partitions`.
  Bag coalesce(std::size_t partitions, const Where& where = Where::current()) const;
  /// Joins or splits partitions until there are `partitions`.
  Bag repartition(std::size_t partitions, const Where& where = Where::current()) const;
  /// Runs what the bag needs and writes each partition to a file, one element a line; returns the files' paths. A `*`
  /// in `path` becomes the partition's number; without one, `path` is a folder of `0.part`, `1.part`, ... Files appear
  /// when they are complete.
  std::vector<std::string> to_textfiles(const Client& client, const std::string& path,
                                        const Where& where = Where::current()) const;

  // --- Reductions ----------------------------------------------------------------------------------------------------

  /// Folds each partition's elements into `initial`, and the partitions' results with `combine`. `initial` begins every
  /// partition, so it must change nothing: 0 for a sum.
  template <class F, class R, class C>
  Delayed<R> fold(F function, R initial, C combine, const Where& where = Where::current()) const;
  /// As above where the same function folds elements and results.
  template <class F, class R>
  Delayed<R> fold(F function, R initial, const Where& where = Where::current()) const {
    return fold(function, std::move(initial), function, where);
  }
  /// Describes aggregate(std::vector of partial(partition)).
  template <class P, class A>
  auto reduction(P partial, A aggregate, const Where& where = Where::current()) const {
    return DelayedFunction<A>(std::move(aggregate), where)(partials(std::move(partial), where));
  }
  /// As above, `split_every` results at a time, until one is left: `aggregate` gives what `partial` gives.
  template <class P, class A>
  auto reduction(P partial, A aggregate, std::size_t split_every, const Where& where = Where::current()) const;
  Delayed<std::uint64_t> count(const Where& where = Where::current()) const {
    return reduce<std::uint64_t>(detail::CountEach{}, detail::AddNumbers{}, where);
  }
  /// Describes the sum; integers as 64 bits, float as double.
  Delayed<detail::SumOf<T>> sum(const Where& where = Where::current()) const {
    using R = detail::SumOf<T>;
    return reduce<R>(detail::SumEach<T, R>{}, detail::AddNumbers{}, where);
  }
  Delayed<detail::SumOf<T>> product(const Where& where = Where::current()) const {
    using R = detail::SumOf<T>;
    return reduce<R>(detail::MultiplyEach<T, R>{}, detail::MultiplyNumbers{}, where);
  }
  /// Describes the smallest element; computing it fails if the bag is empty.
  Delayed<T> min(const Where& where = Where::current()) const { return extreme<true>(where); }
  Delayed<T> max(const Where& where = Where::current()) const { return extreme<false>(where); }
  Delayed<double> mean(const Where& where = Where::current()) const;
  /// Describes the variance over count - ddof.
  Delayed<double> var(unsigned ddof = 0, const Where& where = Where::current()) const {
    return spread(ddof, false, where);
  }
  Delayed<double> std(unsigned ddof = 0, const Where& where = Where::current()) const {
    return spread(ddof, true, where);
  }
  /// Describes whether the predicate holds for any element, for all.
  template <class F>
  Delayed<bool> any(F predicate, const Where& where = Where::current()) const;
  template <class F>
  Delayed<bool> all(F predicate, const Where& where = Where::current()) const;
  /// Describes the first `most` elements. All partitions are computed; take(client, most) computes no more than it
  /// needs.
  Delayed<Items> take(std::size_t most, const Where& where = Where::current()) const {
    return tree(list_parts(detail::TakeFirst<T>{}, where, std::uint64_t{most}), detail::CombineFirst<T>{most}, where);
  }

  // --- By key: one partition, keys in order of first appearance, unless something else is said -----------------------

  /// Folds the elements of each key into `initial`: pairs (key, result).
  template <class Key, class F, class R, class C>
  auto foldby(Key key, F function, R initial, C combine, const Where& where = Where::current()) const;
  template <class Key, class F, class R>
  auto foldby(Key key, F function, R initial, const Where& where = Where::current()) const {
    return foldby(std::move(key), function, std::move(initial), function, where);
  }
  /// Describes pairs (element, how often).
  auto frequencies(const Where& where = Where::current()) const {
    return foldby(detail::Itself{}, detail::CountOne{}, std::uint64_t{0}, detail::AddNumbers{}, where);
  }
  /// Describes the first element of each key.
  template <class Key = detail::Itself>
  Bag distinct(Key key = {}, const Where& where = Where::current()) const;
  /// Describes the k elements with the greatest keys, greatest first, of equal ones the first.
  template <class Key = detail::Itself>
  Bag topk(std::size_t k, Key key = {}, const Where& where = Where::current()) const;
  /// Describes pairs (key, its elements in order) in `partitions` partitions (0: as many as there are). A key's hash
  /// says in which; within a partition keys are in order of first appearance.
  template <class Key>
  auto groupby(Key key, std::size_t partitions = 0, const Where& where = Where::current()) const;
  /// Describes pairs (mine, other's) of elements with equal keys, in my order, then the other's. Each of my partitions
  /// looks at the whole of the other bag: let the smaller one be `other`.
  template <class U, class Key, class OtherKey>
  Bag<std::pair<T, U>> join(const Bag<U>& other, Key key, OtherKey other_key,
                            const Where& where = Where::current()) const;

 private:
  template <class>
  friend class Bag;
  explicit Bag(std::vector<Delayed<Items>> partitions) : partitions_(std::move(partitions)) {}

  template <class F, class... A>
  static consteval void require_call() {
    static_assert(std::is_invocable_v<const F&, A...>,
                  "weft: Bag: the function cannot be called with the bag's elements (they arrive as const T&)");
  }
  /// Makes a task of each partition, which gives a partition of another bag.
  template <class F>
  auto each(F function, const Where& where) const {
    const DelayedFunction<F> one(std::move(function), where);
    using Out = typename decltype(one(partitions_[0]))::value_type;
    std::vector<Delayed<Out>> out;
    out.reserve(partitions_.size());
    for (const Delayed<Items>& partition : partitions_) out.push_back(one(partition));
    return Bag<typename Out::value_type>(std::move(out));
  }
  template <class F, class... A>
  auto list_parts(F function, const Where& where, const A&... arguments) const {
    const DelayedFunction<F> one(std::move(function), where);
    using Out = typename decltype(one(partitions_[0], arguments...))::value_type;
    std::vector<Delayed<Out>> parts;
    for (const Delayed<Items>& partition : partitions_) parts.push_back(one(partition, arguments...));
    if (parts.empty()) parts.push_back(delayed(Out{}, where));
    return parts;
  }
  /// Joins neighbours two by two until one is left.
  template <class R, class C>
  static Delayed<R> tree(std::vector<Delayed<R>> parts, C combine, const Where& where) {
    const DelayedFunction<C> two(std::move(combine), where);
    while (parts.size() > 1) {
      std::size_t kept = 0;
      for (std::size_t i = 0; i < parts.size(); i += 2) {
        parts[kept++] = i + 1 < parts.size() ? two(std::move(parts[i]), std::move(parts[i + 1])) : std::move(parts[i]);
      }
      parts.resize(kept);
    }
    return std::move(parts.front());
  }
  template <class R, class F, class C>
  Delayed<R> reduce(F function, C combine, const Where& where) const {
    return tree<R>(list_parts(std::move(function), where), std::move(combine), where);
  }
  template <bool kLeast>
  Delayed<T> extreme(const Where& where) const;
  Delayed<double> spread(unsigned ddof, bool root, const Where& where) const;
  template <class P>
  auto partials(P partial, const Where& where) const {
    const DelayedFunction<P> one(std::move(partial), where);
    std::vector<decltype(one(partitions_[0]))> parts;
    for (const Delayed<Items>& partition : partitions_) parts.push_back(one(partition));
    return parts;
  }
  /// Makes a task of each pair of partitions that stand at the same place.
  template <class F, class U>
  auto both(F function, const Bag<U>& other, const char* what, const Where& where) const;
  template <class U>
  static Bag<U> one_partition(Delayed<std::vector<U>> list) {
    return Bag<U>::from_delayed({std::move(list)});
  }

  std::vector<Delayed<Items>> partitions_;
};

}  // namespace weft

#include <weft/bag_make.hpp>
#include <weft/bag_more.hpp>
#include <weft/bag_reduce.hpp>
