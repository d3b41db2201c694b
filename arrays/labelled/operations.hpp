#pragma once

#include <weft/arrays.hpp>
#include <weft/labelled.hpp>

#include <source_location>
#include <string>
#include <vector>

/// The operations of LabelledOperations on one array. What they throw is told with the call and its line there.
namespace weft::labelled {

using Where = std::source_location;

/// Returns an array like `of` with other values; the same dimensions and labels.
inline LabelledArray with_data(const LabelledArray& of, arrays::Array data) {
  return {std::move(data), of.dims(), of.coordinates(), of.name(), of.attributes()};
}
/// The same with other labels along a dimension, or none.
LabelledArray with_labels(const LabelledArray& of, arrays::Array data, const std::string& dim,
                          std::optional<Coordinate> labels);
/// The data in a type that has NaN: floating as it is, small integers in single precision.
arrays::Array floating(const arrays::Array& data, const Where& where);
inline int axis_of(const LabelledArray& array, const std::string& dim) { return static_cast<int>(array.axis(dim)); }
/// The labels along a dimension as numbers; of times counted in "s", "m", "h" or "D".
std::vector<double> positions(const LabelledArray& array, const std::string& dim, const std::string& unit);
/// An array that varies along one axis of `like` only, for what broadcasts.
arrays::Array along(const std::vector<double>& values, const arrays::Array& like, std::size_t axis, const Where& where);

LabelledArray rolling(const LabelledArray& array, const Extents& windows, const RollingOptions& options,
                      const WantedReduction& wanted, const Where& where);
LabelledArray coarsen(const LabelledArray& array, const Extents& windows, const CoarsenLabelsOptions& options,
                      const WantedReduction& wanted, const Where& where);

LabelledArray shift(const LabelledArray& array, const std::string& dim, std::int64_t by, const ShiftOptions& options,
                    const Where& where);
LabelledArray roll(const LabelledArray& array, const std::string& dim, std::int64_t by, bool labels_too,
                   const Where& where);
LabelledArray diff(const LabelledArray& array, const std::string& dim, const DiffLabelsOptions& options,
                   const Where& where);
LabelledArray pad(const LabelledArray& array, const std::string& dim, std::int64_t before, std::int64_t after,
                  const PadLabelsOptions& options, const Where& where);
LabelledArray cumulate(const LabelledArray& array, const std::string& dim, bool product, bool skipna,
                       const Where& where);
LabelledArray differentiate(const LabelledArray& array, const std::string& dim, const SlopeOptions& options,
                            const Where& where);
LabelledArray integrate(const LabelledArray& array, const std::string& dim, const SlopeOptions& options, bool running,
                        const Where& where);

LabelledArray rank(const LabelledArray& array, const std::string& dim, bool percent, const Where& where);
LabelledArray stack(const LabelledArray& array, const std::string& name, const std::vector<std::string>& dims,
                    const Where& where);
LabelledArray unstack(const LabelledArray& array, const std::string& name, const std::vector<Coordinate>& labels,
                      const Where& where);

LabelledArray interp(const LabelledArray& array, const std::string& dim, const Coordinate& labels,
                     const InterpOptions& options, const Where& where);
LabelledArray interp(const LabelledArray& array, const std::string& dim, const std::vector<double>& labels,
                     const InterpOptions& options, const Where& where);
LabelledArray reindex(const LabelledArray& array, const std::string& dim, const Coordinate& labels, Lookup lookup,
                      const Where& where);
LabelledArray reindex(const LabelledArray& array, const std::string& dim, const std::vector<double>& labels,
                      Lookup lookup, const Where& where);
LabelledArray sortby(const LabelledArray& array, const std::string& dim, bool ascending, const Where& where);
LabelledArray isel_points(const LabelledArray& array,
                          const std::vector<std::pair<std::string, std::vector<std::int64_t>>>& places,
                          const std::string& name, const Where& where);
LabelledArray sel_points(const LabelledArray& array,
                         const std::vector<std::pair<std::string, std::vector<double>>>& labels,
                         const std::string& name, const Where& where);

/// `Grid`: LatLonGrid or CellGrid.
template <class Grid>
LabelledArray regrid(const LabelledArray& array, const Grid& target, const RegridOptions& options, const Where& where);
template <class Grid>
Dataset regrid(const Dataset& set, const Grid& target, const RegridOptions& options, const Where& where);
template <class Grid>
LabelledArray regrid_points(const LabelledArray& array, const CellGrid& source, const Grid& target,
                            const PointsOptions& options, const Where& where);
template <class Grid>
Dataset regrid_points(const Dataset& set, const CellGrid& source, const Grid& target, const PointsOptions& options,
                      const Where& where);

LabelledArray where(const LabelledArray& array, const LabelledArray& condition, std::optional<double> other,
                    const Where& line);
LabelledArray fillna(const LabelledArray& array, double value, const Where& line);
LabelledArray fillna(const LabelledArray& array, const LabelledArray& values, const Where& line);
LabelledArray fill_along(const LabelledArray& array, const std::string& dim, std::int64_t limit, bool forward,
                         const Where& line);

/// A quantile over axes, which stay with extent 1.
arrays::Array quantile_over(const arrays::Array& data, double q, const std::vector<int>& axes, bool skipna,
                            const Where& where);
/// The same of each group of places of `axis`, one of the axes.
arrays::Array quantile_groups(const arrays::Array& data, double q, const std::vector<int>& axes, std::size_t axis,
                              const std::vector<std::int32_t>& group_of, std::int32_t groups, bool skipna,
                              const Where& where);
/// Reduces the places of each group; the dimension becomes the groups'.
LabelledArray reduce_in_groups(const LabelledArray& array, const std::string& dim, const Coordinate& groups,
                               const std::vector<std::int32_t>& group_of, const WantedReduction& wanted,
                               const Where& where);
LabelledArray reduce_intervals(const LabelledArray& array, const std::string& dim, const std::string& every,
                               const WantedReduction& wanted, const Where& where);
/// Values at the begins of intervals; without a lookup, interpolated.
LabelledArray fill_intervals(const LabelledArray& array, const std::string& dim, const std::string& every,
                             std::optional<Lookup> lookup, const Where& where);
LabelledArray reduce_bins(const LabelledArray& array, const std::string& dim, const std::vector<double>& edges,
                          const WantedReduction& wanted, const Where& where);
LabelledArray quantile(const LabelledArray& array, const std::vector<double>& q, const std::vector<std::string>& dims,
                       bool several, const LabelledReduceOptions& options, const Where& where);
/// Throws Error where the weights' dimensions or labels are not the array's.
void check_weights(const LabelledArray& array, const LabelledArray& weights);
/// An array some dimensions of which were reduced, which have one place: they vanish with their labels, unless
/// `keepdims`.
LabelledArray reduced(const LabelledArray& from, const arrays::Array& kept, const std::vector<std::string>& over,
                      const std::string& operation, bool keepdims, const Where& where);
/// Throws Error unless each is from 0 to 1, and there is one.
void check_quantiles(const std::vector<double>& q);
LabelledArray weighted_quantile(const LabelledArray& array, const LabelledArray& weights, const std::vector<double>& q,
                                bool several, const std::vector<std::string>& dims,
                                const LabelledReduceOptions& options, const Where& where);
/// Without a kind: the sum of the weights.
LabelledArray weighted(const LabelledArray& array, const LabelledArray& weights, std::optional<Reduction> kind,
                       const std::vector<std::string>& dims, const LabelledReduceOptions& options, const Where& where);

}  // namespace weft::labelled
