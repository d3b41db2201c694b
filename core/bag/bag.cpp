#include <weft/bag_random.hpp>

#include <weft/error.hpp>

#include <initializer_list>

namespace weft {
namespace {

/// SplitMix64's finalizer, fed with one number after another.
std::uint64_t mix(std::initializer_list<std::uint64_t> numbers) {
  std::uint64_t mixed = 0;
  for (const std::uint64_t number : numbers) {
    mixed += 0x9e3779b97f4a7c15u + number;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
    mixed ^= mixed >> 31;
  }
  return mixed;
}

}  // namespace

namespace detail {

void refuse_empty_bag(const char* what) {
  throw Error(std::string("Bag::") + what +
              ": the bag has too few elements for it: look at count() first, or give fold() a value to begin with");
}

void refuse_partitions(std::size_t partitions) {
  throw Error("a bag cannot have " + std::to_string(partitions) + " partitions: ask for at least one");
}

void refuse_split(std::size_t split_every) {
  throw Error("Bag::reduction: split_every is " + std::to_string(split_every) +
              ": at least two results must be joined at a time");
}

void refuse_lengths(const char* what, std::size_t mine, std::size_t others) {
  throw Error(std::string("Bag::") + what + ": partitions that stand at the same place have " + std::to_string(mine) +
              " and " + std::to_string(others) + " elements: both bags must be cut alike");
}

void refuse_both(const char* what, std::size_t mine, std::size_t others) {
  throw Error(std::string("Bag::") + what + ": the bags have " + std::to_string(mine) + " and " +
              std::to_string(others) + " partitions: both must be cut alike");
}

void refuse_probability(double probability) {
  throw Error("Bag::random_sample: " + std::to_string(probability) + " is no probability: use a number from 0 to 1");
}

double sample_number(std::uint64_t seed, std::uint64_t partition, std::uint64_t place) {
  return static_cast<double>(mix({seed, partition, place}) >> 11) * 0x1p-53;
}

std::uint64_t drawn_element(std::uint64_t seed, std::uint64_t draw, std::uint64_t all) {
  // The upper half of the product: even up to all / 2^64.
  const std::uint64_t number = mix({seed, draw});
  const std::uint64_t low = (number & 0xffff'ffffu) * (all & 0xffff'ffffu);
  const std::uint64_t a = (number >> 32) * (all & 0xffff'ffffu) + (low >> 32);
  const std::uint64_t b = (number & 0xffff'ffffu) * (all >> 32) + (a & 0xffff'ffffu);
  return (number >> 32) * (all >> 32) + (a >> 32) + (b >> 32);
}

void refuse_empty_choice() { throw Error("random::choices: the bag is empty: there is nothing to draw from"); }

}  // namespace detail

Bag<std::int64_t> bag_range(std::int64_t n, std::size_t partitions, const std::source_location& where) {
  if (partitions == 0) detail::refuse_partitions(partitions);
  if (n < 0) throw Error("bag_range(" + std::to_string(n) + "): a bag cannot have fewer than 0 numbers");
  const auto parts = static_cast<std::int64_t>(std::min<std::uint64_t>(partitions, std::max<std::int64_t>(n, 1)));
  const DelayedFunction<detail::MakeRange> make({}, where);
  std::vector<Delayed<std::vector<std::int64_t>>> ranges;
  ranges.reserve(static_cast<std::size_t>(parts));
  for (std::int64_t i = 0; i < parts; ++i) {
    const std::int64_t first = n / parts * i + std::min(i, n % parts);
    ranges.push_back(make(first, first + n / parts + (i < n % parts ? 1 : 0)));
  }
  return Bag<std::int64_t>::from_delayed(std::move(ranges));
}

}  // namespace weft
