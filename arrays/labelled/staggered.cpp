// Staggered grids: each place has two neighbours along the other dimension.
#include <weft/staggered.hpp>

#include "arrays/labelled/operations.hpp"
#include "arrays/ops/telling.hpp"

#include <weft/error.hpp>

#include <cmath>

namespace weft {
namespace {

using arrays::ops::told;

/// Moves the end of an axis's last chunks so that it has this extent.
arrays::Array with_chunks_like(const arrays::Array& data, std::size_t axis, std::vector<std::int64_t> sizes,
                               const std::source_location& where) {
  std::int64_t surplus = -data.shape()[axis];
  for (const std::int64_t size : sizes) surplus += size;
  for (; surplus > 0 && sizes.back() <= surplus; sizes.pop_back()) surplus -= sizes.back();
  sizes.back() -= surplus;
  std::vector<AxisChunks> chunks;
  for (const auto& each : data.chunks()) chunks.emplace_back(each);
  chunks[axis] = AxisChunks(std::move(sizes));
  return data.rechunk(Chunks(std::move(chunks)), where);
}

}  // namespace

struct StaggeredAxis::Sides {
  LabelledArray before, behind;
  const Coordinate* labels;
};

StaggeredAxis::StaggeredAxis(Coordinate middles, Coordinate faces, const StaggeredOptions& options,
                             const std::source_location& where)
    : middles_(std::move(middles)), faces_(std::move(faces)), options_(options) {
  told("StaggeredAxis", where, [&] {
    const std::vector<double>&x = middles_.numbers(), &f = faces_.numbers();
    const std::string names = "'" + middles_.name() + "' and '" + faces_.name() + "'";
    if (middles_.name() == faces_.name()) throw Error("middles and faces are both called " + names);
    if (x.empty() || f.empty()) throw Error(names + " need numbers as labels");
    const double sign = x.back() + f.back() < x.front() + f.front() ? -1 : 1;
    first_ = sign * f.front() < sign * x.front();
    last_ = sign * f.back() > sign * x.back();
    bool alternate = f.size() + 1 == x.size() + (first_ ? 1 : 0) + (last_ ? 1 : 0);
    for (std::size_t i = 0; alternate && i < f.size(); ++i) {
      const std::size_t next = i + (first_ ? 0 : 1);
      alternate = (next == 0 || sign * x[next - 1] < sign * f[i]) && (next >= x.size() || sign * f[i] < sign * x[next]);
    }
    if (!alternate) {
      throw Error("the " + std::to_string(x.size()) + " middles and " + std::to_string(f.size()) + " faces of " +
                  names + " do not alternate: between two middles there is one face");
    }
    if (options_.beyond != Beyond::Periodic) return;
    if (first_ == last_) {
      throw Error(names + " go round, so that there is a face for each middle, not " + std::to_string(f.size()) +
                  " for " + std::to_string(x.size()) + ": leave the last one out");
    }
    const double extent = std::abs(x.back() - x.front());
    if (options_.period != 0 && !(options_.period > extent)) {
      throw Error("a period of " + std::to_string(options_.period) + " is no more than the labels of '" +
                  middles_.name() + "' span");
    }
  });
}

std::pair<int, int> StaggeredAxis::missing(bool to_faces) const {
  if (to_faces) return {first_ ? 1 : 0, last_ ? 1 : 0};
  return {first_ ? 0 : 1, last_ ? 0 : 1};
}

StaggeredAxis::Sides StaggeredAxis::sides(const LabelledArray& array, const std::source_location& where) const {
  const bool to_faces = array.has(middles_.name());
  if (to_faces == array.has(faces_.name())) {
    throw Error("'" + array.name() + "' needs one of the dimensions '" + middles_.name() + "' and '" + faces_.name() +
                "'" + (to_faces ? ", not both" : ""));
  }
  const Coordinate &from = to_faces ? middles_ : faces_, &to = to_faces ? faces_ : middles_;
  const auto labels = array.coordinates().find(from.name());
  const bool other = labels != array.coordinates().end() && labels->second.numbers() != from.numbers();
  if (other || array.extent(from.name()) != static_cast<std::int64_t>(from.size())) {
    throw Error("'" + array.name() + "' has other labels along '" + from.name() + "' than the axis");
  }
  const auto [before, behind] = missing(to_faces);
  PadLabelsOptions how;
  how.mode = options_.beyond == Beyond::Periodic ? PadMode::Wrap
             : options_.beyond == Beyond::Extend ? PadMode::Edge
                                                 : PadMode::Constant;
  how.value = Scalar(options_.fill);
  const std::size_t axis = array.axis(from.name());
  const LabelledArray wide =
      before + behind == 0 ? array : labelled::pad(array, from.name(), before, behind, how, where);
  std::vector<std::string> dims = array.dims();
  dims[axis] = to.name();
  LabelledArray::Coordinates coordinates = array.coordinates();
  coordinates.erase(from.name());
  coordinates[to.name()] = to;
  const auto part = [&](std::int64_t first) {
    std::vector<arrays::Index> index(axis, arrays::Index(slice()));
    index.emplace_back(slice(first, first + static_cast<std::int64_t>(to.size())));
    // Chunks go on as they were, so that fluxes and what they come from meet.
    return LabelledArray(with_chunks_like(wide.data().at(index, where), axis, array.data().chunks()[axis], where), dims,
                         coordinates, array.name(), array.attributes());
  };
  return {part(0), part(1), &to};
}

LabelledArray StaggeredAxis::diff(const LabelledArray& array, const std::source_location& where) const {
  return told("diff", where, [&] {
    const Sides at = sides(array, where);
    return labelled::with_data(at.before, at.behind.data() - at.before.data());
  });
}

LabelledArray StaggeredAxis::mean(const LabelledArray& array, const std::source_location& where) const {
  return told("mean", where, [&] {
    const Sides at = sides(array, where);
    return labelled::with_data(at.before, (at.before.data() + at.behind.data()) / 2);
  });
}

LabelledArray StaggeredAxis::derivative(const LabelledArray& array, const std::source_location& where) const {
  return told("derivative", where, [&] {
    const Sides at = sides(array, where);
    const arrays::Array change = labelled::floating(at.behind.data() - at.before.data(), where);
    const std::string& dim = at.labels->name();
    const arrays::Array over = labelled::along(spacings(dim), change, at.before.axis(dim), where);
    return labelled::with_data(at.before, change / (change.dtype() == float32 ? over.astype(float32, where) : over));
  });
}

LabelledArray StaggeredAxis::spacing(const std::string& dim, const std::source_location& where) const {
  return told("spacing", where, [&]() -> LabelledArray {
    if (dim != middles_.name() && dim != faces_.name()) {
      throw Error("there is no dimension '" + dim + "' here; there are '" + middles_.name() + "' and '" +
                  faces_.name() + "'");
    }
    return {arrays::from(spacings(dim)), {dim}, {{dim, dim == faces_.name() ? faces_ : middles_}}, dim + "_spacing"};
  });
}

std::vector<double> StaggeredAxis::spacings(const std::string& dim) const {
  const bool on_faces = dim == faces_.name();
  const std::vector<double>&at = (on_faces ? faces_ : middles_).numbers(),
        around = (on_faces ? middles_ : faces_).numbers();
  const auto [before, behind] = missing(on_faces);
  if (options_.beyond == Beyond::Periodic && options_.period == 0) {
    throw Error("the axis goes round, and how far its labels go is not known: give its .period");
  }
  const double round = around.back() < around.front() ? -options_.period : options_.period;
  const bool periodic = options_.beyond == Beyond::Periodic;
  std::vector<double> wide;
  if (before != 0) wide.push_back(periodic ? around.back() - round : 2 * at.front() - around.front());
  wide.insert(wide.end(), around.begin(), around.end());
  if (behind != 0) wide.push_back(periodic ? around.front() + round : 2 * at.back() - around.back());
  std::vector<double> out;
  for (std::size_t i = 1; i < wide.size(); ++i) out.push_back(wide[i] - wide[i - 1]);
  return out;
}

}  // namespace weft
