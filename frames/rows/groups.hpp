#pragma once

#include <weft/table.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace weft::frames {

/// Which rows have equal keys: each row's group, numbered in the order in which keys first appear.
struct Groups {
  std::vector<std::uint32_t> group_of;   ///< of each row; kNoGroup where a key is missing and such rows are dropped
  std::vector<std::uint32_t> first_row;  ///< of each group
  static constexpr std::uint32_t kNoGroup = 0xffffffff;
};

/// Numbers rows by the columns `keys`. `drop_missing`: rows with a missing key belong to no group; else missing equals
/// missing, as another value.
Groups group_rows(const Table& table, const std::vector<std::string>& keys, bool drop_missing);

/// Returns a hash of each row's keys that is the same on every machine, for equal values of equal types.
std::vector<std::uint64_t> hash_rows(const Table& table, const std::vector<std::string>& keys);

/// Cuts a table into `parts` tables: equal keys go into the same one; rows keep their order.
std::vector<Table> split_by_hash(const Table& table, const std::vector<std::string>& keys, std::size_t parts);

}  // namespace weft::frames
