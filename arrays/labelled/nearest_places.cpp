#include "arrays/labelled/nearest_places.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace weft::labelled {

using arrays::expression::ChunkWork;

std::int64_t NearestPlaces::row(double latitude, double away) const {
  // The great circle's cosine, sin a sin b + cos a cos b away, is greatest at this b; rows are nearer the nearer to it.
  const double best = std::atan2(std::sin(latitude), std::cos(latitude) * away) * 180 / std::numbers::pi;
  const auto behind = std::lower_bound(source_lat.begin(), source_lat.end(), best);
  std::int64_t at = behind - source_lat.begin();
  const auto count = static_cast<std::int64_t>(source_lat.size());
  const auto cosine_of = [&](std::int64_t row) {
    return std::cos((source_lat[static_cast<std::size_t>(row)] - best) * std::numbers::pi / 180);
  };
  if (at == count || (at > 0 && best - source_lat[static_cast<std::size_t>(at - 1)] <= *behind - best)) --at;
  // Beyond a pole the way over the other one may be shorter.
  if (std::abs(best) > 90) {
    for (const std::int64_t end : {std::int64_t{0}, count - 1}) {
      if (cosine_of(end) > cosine_of(at)) at = end;
    }
  }
  return falls ? count - 1 - at : at;
}

void NearestPlaces::run(const ChunkWork& work) const {
  std::int64_t* out = reinterpret_cast<std::int64_t*>(work.output.data);
  const std::int64_t rows = work.out.extent[0], columns = work.out.extent[1];
  for (std::int64_t i = 0; i < rows; ++i) {
    const double latitude = lat[static_cast<std::size_t>(work.out.start[0] + i)] * std::numbers::pi / 180;
    for (std::int64_t j = 0; j < columns; ++j) {
      const auto at = static_cast<std::size_t>(work.out.start[1] + j);
      const std::int64_t nearest = row(latitude, cosine[at]);
      const auto count = static_cast<std::int64_t>(source_lat.size());
      const double there =
          source_lat[static_cast<std::size_t>(falls ? count - 1 - nearest : nearest)] * std::numbers::pi / 180;
      const double near = std::sin(latitude) * std::sin(there) + std::cos(latitude) * std::cos(there) * cosine[at];
      *out++ = near >= least ? nearest * source_columns + column[at] : -1;
    }
  }
}

std::vector<bool> NearestPlaces::rows_of(std::int64_t first, std::int64_t count, std::int64_t first_column,
                                         std::int64_t columns) const {
  // Rows follow the cosine one way, so its ends have the rows' ends; where it is below 0 they may leap over a pole.
  const auto [low, high] = std::minmax_element(cosine.begin() + first_column, cosine.begin() + first_column + columns);
  std::vector<bool> used(source_lat.size(), *low < 0);
  for (std::int64_t i = first; i < first + count; ++i) {
    const double latitude = lat[static_cast<std::size_t>(i)] * std::numbers::pi / 180;
    const auto [from, upto] = std::minmax({row(latitude, *low), row(latitude, *high)});
    std::fill(used.begin() + from, used.begin() + upto + 1, true);
  }
  return used;
}

std::vector<bool> NearestPlaces::columns_of(std::int64_t first, std::int64_t count) const {
  std::vector<bool> used(static_cast<std::size_t>(source_columns), false);
  for (std::int64_t i = first; i < first + count; ++i)
    used[static_cast<std::size_t>(column[static_cast<std::size_t>(i)])] = true;
  return used;
}

}  // namespace weft::labelled
