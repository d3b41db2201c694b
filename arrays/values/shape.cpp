#include <weft/shape.hpp>

#include <weft/error.hpp>
#include <weft/slice.hpp>

#include <algorithm>
#include <cstring>

namespace weft {

std::int64_t Shape::elements() const {
  std::int64_t count = 1;
  bool none_at_all = false;
  for (const std::int64_t extent : extents_) none_at_all = none_at_all || extent == 0;
  if (none_at_all) return 0;
  for (const std::int64_t extent : extents_) {
    if (extent < 0) throw Error("an array of shape " + text() + " has no known number of elements before it has run");
    if (__builtin_mul_overflow(count, extent, &count)) {
      throw Error("an array of shape " + text() + " has more elements than 63 bits can count");
    }
  }
  return count;
}

std::string Shape::text() const {
  std::string text = "(";
  for (std::size_t axis = 0; axis < extents_.size(); ++axis) {
    if (axis > 0) text += ", ";
    text += extents_[axis] < 0 ? "?" : std::to_string(extents_[axis]);
  }
  return text + (extents_.size() == 1 ? ",)" : ")");
}

std::vector<int> Axes::resolve(int ndim) const {
  std::vector<int> axes;
  if (!given_) {
    for (int axis = 0; axis < ndim; ++axis) axes.push_back(axis);
    return axes;
  }
  for (const int axis : list_) {
    if (axis < -ndim || axis >= ndim) {
      throw Error("axis " + std::to_string(axis) + " is out of range for an array of " + std::to_string(ndim) +
                  " dimensions");
    }
    axes.push_back(axis < 0 ? axis + ndim : axis);
  }
  std::sort(axes.begin(), axes.end());
  const auto twice = std::adjacent_find(axes.begin(), axes.end());
  if (twice != axes.end()) throw Error("axis " + std::to_string(*twice) + " is named twice");
  return axes;
}

AxisChunks::AxisChunks(const char* word) {
  if (std::strcmp(word, "auto") != 0) {
    throw Error("'" + std::string(word) + "' says nothing about chunks: give sizes, -1 for a whole axis, or \"auto\"");
  }
}

slice::Places slice::on(std::int64_t extent) const {
  const std::int64_t step = step_.value().value_or(1);
  if (step == 0) throw Error("a slice cannot have a step of zero");
  const auto clamp = [&](std::int64_t place, std::int64_t low, std::int64_t high) {
    if (place < 0) place += extent;
    return std::clamp(place, low, high);
  };
  if (step > 0) {
    const std::int64_t start = start_.value() ? clamp(*start_.value(), 0, extent) : 0;
    const std::int64_t stop = stop_.value() ? clamp(*stop_.value(), 0, extent) : extent;
    return {start, step, stop > start ? (stop - start + step - 1) / step : 0};
  }
  const std::int64_t start = start_.value() ? clamp(*start_.value(), -1, extent - 1) : extent - 1;
  const std::int64_t stop = stop_.value() ? clamp(*stop_.value(), -1, extent - 1) : -1;
  return {start, step, start > stop ? (start - stop - step - 1) / -step : 0};
}

}  // namespace weft
