#pragma once

#include "io/files/cursor.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace weft::io::hdf5 {

class Source;

/// The places that one axis of a regular selection takes: `count` blocks of `block` places that begin `step` apart.
/// `length` of them are meant: the last block may be cut.
struct AxisSelection {
  static constexpr std::int64_t kUnlimited = -1;
  std::int64_t start = 0;
  std::int64_t step = 1;
  std::int64_t count = 1;
  std::int64_t block = 1;
  std::int64_t length = 1;

  bool unlimited() const { return count == kUnlimited || block == kUnlimited; }
  bool contiguous() const { return count == 1 || block == kUnlimited || block == step || length <= 1; }
  std::int64_t place(std::int64_t number) const {
    return contiguous() ? start + number : start + number / block * step + number % block;
  }
  /// Returns how many of its places lie below `extent`.
  std::int64_t below(std::int64_t extent) const;
  /// The same axis with so many places.
  AxisSelection of_length(std::int64_t places) const;
};

/// What part of a dataset is meant.
struct Selection {
  enum class Kind : std::uint8_t { None, All, Regular, Boxes };
  Kind kind = Kind::All;
  /// Of a regular one.
  std::vector<AxisSelection> axes;
  /// Of boxes that are no grid: where each begins and its extents, one after the other for each axis.
  struct Box {
    std::vector<std::int64_t> start;
    std::vector<std::int64_t> extent;
  };
  std::vector<Box> boxes;

  /// Of a dataset of this shape: all of it as a grid, and of elements that are arrays their axes, too.
  void spell_out(const std::vector<std::int64_t>& shape);
  /// The axis that grows, if any.
  std::optional<std::size_t> unlimited() const;
  std::int64_t elements() const;
  /// Returns the places in the order that elements are counted in: rows along the last axis.
  std::vector<Box> rows() const;
};

/// Takes a selection from a description.
Selection parse_selection(const Source& source, Cursor& cursor);

}  // namespace weft::io::hdf5
