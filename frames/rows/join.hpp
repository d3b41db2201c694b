#pragma once

#include <weft/table.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace weft {

enum class JoinKind : std::uint8_t { Inner, Left, Right, Outer, LeftSemi, LeftAnti };

namespace frames {

/// How two tables are joined. Keys of equal names come once; other columns of equal names get the suffixes. LeftSemi
/// and LeftAnti choose rows of the left table that have a partner, or none: they give its columns alone.
struct JoinPlan {
  JoinKind kind = JoinKind::Inner;
  std::vector<std::string> left_on = {}, right_on = {};
  std::string left_suffix = "_x", right_suffix = "_y";
  std::string indicator = {};  ///< a column of categories: "left_only", "right_only" or "both"; empty: none
};

/// Returns the rows with equal keys, in the order of the left table's rows, and of the right one's where several match
/// (by Right: of the right table's rows). By Outer, rows of the right table without a partner come behind the others.
/// Missing keys equal each other, as pandas has it. Rows without a partner have missing values in the other's columns;
/// integers and bools stay what they are, with marks. Keys of types that differ are compared as int64 where both are
/// whole numbers, as float64 where both are numbers, as strings where one is of categories, and are refused in a
/// sentence otherwise.
Table join_tables(const Table& left, const Table& right, const JoinPlan& plan);

}  // namespace frames
}  // namespace weft
