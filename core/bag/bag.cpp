#include <weft/bag.hpp>

#include <weft/error.hpp>

namespace weft {
namespace detail {

void refuse_empty_bag(const char* what) {
  throw Error(std::string("Bag::") + what +
              ": the bag has too few elements for it: look at count() first, or give fold() a value to begin with");
}

void refuse_partitions(std::size_t partitions) {
  throw Error("a bag cannot have " + std::to_string(partitions) + " partitions: ask for at least one");
}

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
