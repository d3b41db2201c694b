#pragma once

#include <cstdint>
#include <vector>

/// States of reductions: what is kept of a group of elements until all of them were seen. Doubles, in rows; a state of
/// several parts has a row for each of them.
namespace weft::labelled {

/// Which parts a state has; they lie in this order.
struct StateParts {
  enum Bit : std::uint8_t { Weight = 1, Sum = 2, Moments = 4, Min = 8, Max = 16, Product = 32 };
  /// The number of elements is always the first part.
  std::uint8_t bits = 0;

  bool has(Bit bit) const { return (bits & bit) != 0; }
  int of(Bit bit) const {
    int part = 1;
    for (std::uint8_t before = 1; before < bit; before = static_cast<std::uint8_t>(before << 1)) {
      if ((bits & before) != 0) part += before == Moments ? 2 : 1;
    }
    return part;
  }
  int count() const { return of(static_cast<Bit>(64)); }
};

/// Elements that are added to states.
template <class T>
struct Elements {
  const T* values = nullptr;
  std::int64_t count = 0;
  /// Nothing: each counts once. `weight_step` is 0 where one weight is meant for all.
  const double* weights = nullptr;
  std::int64_t weight_step = 0;
  bool skipna = true;
};

void begin_states(StateParts parts, double* state, std::int64_t stride, std::int64_t count);
/// Adds element i to state i. The parts of a state are `stride` apart.
template <class T>
void add_side_by_side(StateParts parts, const Elements<T>& elements, double* state, std::int64_t stride);
/// Adds all elements to one state.
template <class T>
void add_to_one(StateParts parts, const Elements<T>& elements, double* state, std::int64_t stride);
void merge_states(StateParts parts, const double* from, std::int64_t from_stride, std::int64_t count, double* to,
                  std::int64_t stride);

}  // namespace weft::labelled
