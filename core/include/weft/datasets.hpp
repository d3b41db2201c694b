#pragma once

#include <weft/bag.hpp>

#include <cstdint>
#include <string>

/// Made-up data, for trying things out: the same for a seed, whatever the partitions and the workers.
namespace weft::datasets {

struct Person {
  std::string first_name, last_name;
  std::int64_t age = 0;  // 18 to 90
  std::string occupation;
  std::string telephone;
  std::string street, city;
  std::string credit_card, expires;  // no valid number; "07/29"
  bool operator==(const Person&) const = default;
};

struct PeopleOptions {
  std::size_t partitions = 10;
  std::uint64_t records_per_partition = 1'000;
  std::uint64_t seed = 0;
};
/// Returns people that there are not.
Bag<Person> make_people(const PeopleOptions& options = {},
                        const std::source_location& where = std::source_location::current());

/// A row of a measurement over time.
struct Reading {
  /// Seconds since 1970, UTC.
  std::int64_t time = 0;
  std::string name;
  std::int64_t id = 0;  // about 1000
  double x = 0, y = 0;  // -1 to 1
  bool operator==(const Reading&) const = default;
};

struct TimeseriesOptions {
  /// From `start` on, before `end`: all of January 2000.
  std::int64_t start = 946'684'800;
  std::int64_t end = 949'363'200;
  /// Seconds from one row to the next, and in one partition.
  std::int64_t step = 1;
  std::int64_t partition = 86'400;
  std::uint64_t seed = 0;
};
/// Returns rows at equal steps, in their order. Throws Error where a step or a partition is no length.
Bag<Reading> timeseries(const TimeseriesOptions& options = {},
                        const std::source_location& where = std::source_location::current());

}  // namespace weft::datasets
