#pragma once

#include "arrays/expression/structure.hpp"

#include <cstdint>
#include <vector>

namespace weft::labelled {

/// The nearest places on a grid of rows and columns: of each target its place in C order, or -1 where all are too far.
/// It has no input.
struct NearestPlaces {
  static constexpr const char* kName = "nearest_places";
  static constexpr bool kAssembles = false;
  /// Of the source's rows, rising; `falls`: the array has them the other way round.
  std::vector<double> source_lat;
  bool falls = false;
  std::int64_t source_columns = 0;
  std::vector<double> lat;
  /// Of each target's column: the nearest one, and the cosine of how far away it is.
  std::vector<std::int64_t> column;
  std::vector<double> cosine;
  /// The least cosine of an angle that is near enough.
  double least = -2;

  void needs(const arrays::expression::Box&, std::vector<arrays::expression::Need>&) const {}
  void run(const arrays::expression::ChunkWork& work) const;
  /// The nearest row for a latitude (radians) and the cosine of how far the nearest column is.
  std::int64_t row(double latitude, double away) const;
  /// Of a box of targets, the source's rows and columns that they are in.
  std::vector<bool> rows_of(std::int64_t first, std::int64_t count, std::int64_t first_column,
                            std::int64_t columns) const;
  std::vector<bool> columns_of(std::int64_t first, std::int64_t count) const;
};

}  // namespace weft::labelled
