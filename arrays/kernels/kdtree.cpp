// A balanced tree of points. The middle of a range is its node: those before it lie on one side along its axis, those
// behind it on the other; short ranges have no nodes.
#include "arrays/kernels/kdtree.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace weft::arrays::kernels {
namespace {

constexpr std::int64_t kLeaf = 12;
constexpr int kAxisBits = 8;
/// Behind a point that is none.
constexpr std::int64_t kNoPoint = -1;

/// Orders places of points; notes the axis of each node.
struct Builder {
  const double* points;
  std::int64_t dimensions;
  std::vector<std::int64_t> order;
  std::vector<std::uint8_t> axes;

  double at(std::int64_t place, std::int64_t axis) const { return points[place * dimensions + axis]; }

  std::int64_t widest(std::int64_t begin, std::int64_t end) const {
    std::int64_t best = 0;
    double most = -1;
    for (std::int64_t axis = 0; axis < dimensions; ++axis) {
      double low = std::numeric_limits<double>::infinity(), high = -low;
      for (std::int64_t i = begin; i < end; ++i) {
        const double one = at(order[static_cast<std::size_t>(i)], axis);
        low = std::min(low, one);
        high = std::max(high, one);
      }
      if (high - low > most) most = high - low, best = axis;
    }
    return best;
  }

  void divide(std::int64_t begin, std::int64_t end) {
    if (end - begin <= kLeaf) return;
    const std::int64_t axis = widest(begin, end), middle = begin + (end - begin) / 2;
    std::nth_element(order.begin() + begin, order.begin() + middle, order.begin() + end,
                     [&](std::int64_t a, std::int64_t b) {
                       const double x = at(a, axis), y = at(b, axis);
                       return x != y ? x < y : a < b;
                     });
    axes[static_cast<std::size_t>(middle)] = static_cast<std::uint8_t>(axis);
    divide(begin, middle);
    divide(middle + 1, end);
  }
};

}  // namespace

void build_kdtree(const double* points, std::int64_t count, std::int64_t dimensions, double* tree) {
  Builder builder{points, dimensions, std::vector<std::int64_t>(static_cast<std::size_t>(count)),
                  std::vector<std::uint8_t>(static_cast<std::size_t>(count), 0)};
  std::iota(builder.order.begin(), builder.order.end(), 0);
  const auto whole = std::stable_partition(builder.order.begin(), builder.order.end(), [&](std::int64_t place) {
    return std::none_of(points + place * dimensions, points + (place + 1) * dimensions,
                        [](double one) { return std::isnan(one); });
  });
  const std::int64_t known = whole - builder.order.begin();
  builder.divide(0, known);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t place = builder.order[static_cast<std::size_t>(i)];
    tree = std::copy_n(points + place * dimensions, dimensions, tree);
    const std::int64_t word = place << kAxisBits | builder.axes[static_cast<std::size_t>(i)];
    *tree++ = std::bit_cast<double>(i < known ? word : kNoPoint);
  }
}

struct KdtreeView::Search {
  const double* point;
  std::span<Neighbour> nearest;
  Neighbour worst() const { return nearest.back(); }
  void offer(const Neighbour& one) {
    if (!(one < worst())) return;
    const auto after = std::upper_bound(nearest.begin(), nearest.end(), one);
    std::move_backward(after, nearest.end() - 1, nearest.end());
    *after = one;
  }
};

KdtreeView::KdtreeView(const double* tree, std::int64_t count, std::int64_t dimensions)
    : tree_(tree), dimensions_(dimensions), count_(count) {
  std::int64_t low = 0;
  while (low < count_) {
    const std::int64_t middle = low + (count_ - low) / 2;
    if (word(middle) == kNoPoint) {
      count_ = middle;
    } else {
      low = middle + 1;
    }
  }
}

std::int64_t KdtreeView::word(std::int64_t at) const { return std::bit_cast<std::int64_t>(row(at)[dimensions_]); }

void KdtreeView::query(const double* point, double most, std::span<Neighbour> nearest) const {
  // What is farther than `most` is behind these.
  std::fill(nearest.begin(), nearest.end(), Neighbour{most, std::numeric_limits<std::int64_t>::max()});
  Search search{point, nearest};
  const bool known = std::none_of(point, point + dimensions_, [](double one) { return std::isnan(one); });
  if (known) visit(search, 0, count_);
  for (Neighbour& one : nearest) {
    if (one.place == std::numeric_limits<std::int64_t>::max()) one = Neighbour();
  }
}

void KdtreeView::visit(Search& search, std::int64_t begin, std::int64_t end) const {
  const auto offer = [&](std::int64_t at) {
    const double* const here = row(at);
    double distance = 0;
    for (std::int64_t axis = 0; axis < dimensions_; ++axis) {
      const double apart = here[axis] - search.point[axis];
      distance += apart * apart;
    }
    search.offer({distance, word(at) >> kAxisBits});
  };
  if (end - begin <= kLeaf) {
    for (std::int64_t at = begin; at < end; ++at) offer(at);
    return;
  }
  const std::int64_t middle = begin + (end - begin) / 2;
  const std::int64_t axis = word(middle) & ((1 << kAxisBits) - 1);
  const double apart = search.point[axis] - row(middle)[axis];
  const bool before = apart < 0;
  if (before) {
    visit(search, begin, middle);
  } else {
    visit(search, middle + 1, end);
  }
  offer(middle);
  // As near as the farthest one so far may still be one that stands before it.
  if (apart * apart > search.worst().distance) return;
  if (before) {
    visit(search, middle + 1, end);
  } else {
    visit(search, begin, middle);
  }
}

}  // namespace weft::arrays::kernels
