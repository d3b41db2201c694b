#pragma once

#include <weft/labelled.hpp>

#include <cstdint>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

/// Differences and means on staggered grids (Arakawa's C, Yee's), where some variables lie at the middles of cells and
/// others on the faces between them.
namespace weft {

/// What lies beyond the ends of an axis: the value at the end again, a given one, or the other end.
enum class Beyond : std::uint8_t { Extend, Fill, Periodic };
struct StaggeredOptions {
  Beyond beyond = Beyond::Extend;
  /// Fill: the value.
  double fill = 0;
  /// Periodic: how far the labels go until they come back, 360 for degrees of longitude.
  double period = 0;
};

/// One axis of a staggered grid: the labels of the middles of cells along one dimension, those of the faces along
/// another. Of n cells there are n + 1 faces (both ends), n (the first or the last end; all of them, where the axis
/// goes round) or n - 1 (those between cells). What lies at the middles is taken to the faces, what lies on faces to
/// the middles:
///
///     const StaggeredAxis x(x_middle, x_face, {.beyond = Beyond::Periodic, .period = 360});
///     LabelledArray flux = u * x.mean(heat);                       // on the faces
///     LabelledArray convergence = -x.diff(flux * height) / area;   // in the cells
///
/// Threading: a value.
class StaggeredAxis {
 public:
  /// Throws Error where faces and middles do not alternate.
  StaggeredAxis(Coordinate middles, Coordinate faces, const StaggeredOptions& options = {},
                const std::source_location& where = std::source_location::current());

  const Coordinate& middles() const { return middles_; }
  const Coordinate& faces() const { return faces_; }

  /// The place behind less the place before, in the order of the labels.
  LabelledArray diff(const LabelledArray& array,
                     const std::source_location& where = std::source_location::current()) const;
  /// The mean of both.
  LabelledArray mean(const LabelledArray& array,
                     const std::source_location& where = std::source_location::current()) const;
  /// The difference over the difference of the labels.
  LabelledArray derivative(const LabelledArray& array,
                           const std::source_location& where = std::source_location::current()) const;
  /// The differences of the labels around each place of one of the two dimensions: lengths of cells at the middles,
  /// distances of middles on the faces. Beyond an end labels are mirrored at it.
  LabelledArray spacing(const std::string& dim,
                        const std::source_location& where = std::source_location::current()) const;

 private:
  struct Sides;
  std::vector<double> spacings(const std::string& dim) const;
  Sides sides(const LabelledArray& array, const std::source_location& where) const;
  /// How many places are missing before and behind, for values that go to the faces or come from them.
  std::pair<int, int> missing(bool to_faces) const;

  Coordinate middles_, faces_;
  StaggeredOptions options_;
  /// Whether there is a face before the first middle, and one behind the last.
  bool first_ = false, last_ = false;
};

}  // namespace weft
