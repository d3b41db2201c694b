#pragma once

#include <concepts>
#include <cstdint>
#include <optional>

namespace weft {

/// An open end of a slice: `slice(none, none, 2)`.
struct None {};
inline constexpr None none{};

/// A new axis of extent 1.
struct NewAxis {};
inline constexpr NewAxis newaxis{};

/// As many full slices as the other indices leave over.
struct Ellipsis {};
inline constexpr Ellipsis ellipsis{};

/// A bound of a slice: a number or open.
class Bound {
 public:
  constexpr Bound(None) {}  // NOLINT
  template <std::integral I>
  constexpr Bound(I value) : value_(static_cast<std::int64_t>(value)) {}  // NOLINT
  constexpr const std::optional<std::int64_t>& value() const { return value_; }

 private:
  std::optional<std::int64_t> value_;
};

/// Part of an axis, as Python's slices: from start (inclusive) to stop (exclusive) in steps; negative numbers count
/// from the end.
class slice {
 public:
  constexpr slice() = default;
  constexpr explicit slice(Bound stop) : stop_(stop) {}
  constexpr slice(Bound start, Bound stop, Bound step = none) : start_(start), stop_(stop), step_(step) {}

  /// Tells whether it means the whole axis, whatever its extent.
  constexpr bool whole() const { return !start_.value() && !stop_.value() && step_.value().value_or(1) == 1; }

  /// What a slice means on an axis of a known extent: `count` places from `first` on, `step` apart.
  struct Places {
    std::int64_t first;
    std::int64_t step;
    std::int64_t count;
  };
  /// Throws Error for a step of zero.
  Places on(std::int64_t extent) const;

 private:
  Bound start_ = none;
  Bound stop_ = none;
  Bound step_ = none;
};

}  // namespace weft
