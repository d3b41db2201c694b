#pragma once

#include <weft/array.hpp>
#include <weft/labelled_operations.hpp>
#include <weft/labels.hpp>

#include <map>
#include <string>
#include <utility>
#include <vector>

/// Arrays whose axes have names and labels, and sets of them: what a NetCDF file means.
namespace weft {

class GroupedArray;

/// A lazy array whose dimensions have names, with labels along them and attributes that operations keep.
///
///     LabelledArray tas = open_dataset("tas.nc")["tas"];
///     LabelledArray clim = tas.sel("lat", between(-30, 30)).groupby("time.month").mean();
///     NDArray values = client.compute(clim.data());
///
/// Threading: a value.
class LabelledArray : public LabelledOperations<LabelledArray> {
 public:
  using Coordinates = std::map<std::string, Coordinate>;
  LabelledArray() = default;
  /// Throws Error where names and axes, or labels and extents, do not fit.
  LabelledArray(arrays::Array data, std::vector<std::string> dims, Coordinates coordinates = {}, std::string name = {},
                std::vector<io::Attribute> attributes = {});

  const arrays::Array& data() const { return data_; }
  const std::string& name() const { return name_; }
  const std::vector<std::string>& dims() const { return dims_; }
  /// Those of its dimensions that have labels.
  const Coordinates& coordinates() const { return coordinates_; }
  const std::vector<io::Attribute>& attributes() const { return attributes_; }
  bool has(const std::string& dim) const;
  /// Throws Error that lists the dimensions.
  std::size_t axis(const std::string& dim) const;
  std::int64_t extent(const std::string& dim) const { return data_.shape()[axis(dim)]; }

  LabelledArray renamed(std::string name) const;
  LabelledArray with_attributes(std::vector<io::Attribute> attributes) const;

  LabelledArray isel(const std::string& dim, std::int64_t place) const;
  LabelledArray isel(const std::string& dim, slice part) const;
  LabelledArray isel(const std::string& dim, const std::vector<std::int64_t>& places) const;
  /// One exact label leaves the dimension out; a part of a date that means several, a range and a list keep it.
  LabelledArray sel(const std::string& dim, const Pick& pick) const;
  LabelledArray transpose(const std::vector<std::string>& dims) const;

  /// Reduces these dimensions; none: all.
  LabelledArray reduce(Reduction kind, const std::vector<std::string>& dims = {},
                       const LabelledReduceOptions& options = {}) const;
#define WEFT_REDUCE(name, kind)                                                                              \
  LabelledArray name(const std::vector<std::string>& dims = {}, const LabelledReduceOptions& o = {}) const { \
    return reduce(Reduction::kind, dims, o);                                                                 \
  }                                                                                                          \
  LabelledArray name(const char* dim, const LabelledReduceOptions& o = {}) const {                           \
    return reduce(Reduction::kind, {std::string(dim)}, o);                                                   \
  }
  WEFT_REDUCE(mean, Mean)
  WEFT_REDUCE(std, Std)
  WEFT_REDUCE(var, Var)
  WEFT_REDUCE(min, Min)
  WEFT_REDUCE(max, Max)
  WEFT_REDUCE(sum, Sum)
  WEFT_REDUCE(prod, Prod)
  WEFT_REDUCE(count, Count)
#undef WEFT_REDUCE

  /// Groups by the values of a dimension's labels ("lat"), or by a part of its times: "time.month", "time.season",
  /// "time.year", "time.dayofyear", "time.hour", "time.day", "time.quarter".
  GroupedArray groupby(const std::string& by) const;

  /// Dimensions, labels, type and chunks; computes nothing.
  std::string text() const;

 private:
  LabelledArray with(arrays::Array data, std::vector<std::string> dims, Coordinates coordinates) const;

  arrays::Array data_;
  std::vector<std::string> dims_;
  Coordinates coordinates_;
  std::string name_;
  std::vector<io::Attribute> attributes_;
};

// By dimension names: dimensions that one lacks are stretched, labels that only one has are left out.
// Comparisons give bools, which `where` takes.
#define WEFT_LABELLED_OPERATOR(symbol)                                           \
  LabelledArray operator symbol(const LabelledArray& a, const LabelledArray& b); \
  LabelledArray operator symbol(const LabelledArray& a, double b);               \
  LabelledArray operator symbol(double a, const LabelledArray& b);
WEFT_LABELLED_OPERATOR(+)
WEFT_LABELLED_OPERATOR(-)
WEFT_LABELLED_OPERATOR(*)
WEFT_LABELLED_OPERATOR(/)
WEFT_LABELLED_OPERATOR(<)
WEFT_LABELLED_OPERATOR(<=)
WEFT_LABELLED_OPERATOR(>)
WEFT_LABELLED_OPERATOR(>=)
WEFT_LABELLED_OPERATOR(==)
WEFT_LABELLED_OPERATOR(!=)
#undef WEFT_LABELLED_OPERATOR
LabelledArray operator&(const LabelledArray& a, const LabelledArray& b);
LabelledArray operator|(const LabelledArray& a, const LabelledArray& b);
LabelledArray operator~(const LabelledArray& a);
LabelledArray operator-(const LabelledArray& a);

/// What `groupby` gives: each group is reduced in one pass over the data.
/// Threading: a value.
class GroupedArray {
 public:
  GroupedArray(LabelledArray array, std::string dim, Coordinate groups, std::vector<std::int32_t> group_of);
  LabelledArray reduce(Reduction kind, const LabelledReduceOptions& options = {}) const;
  LabelledArray mean() const { return reduce(Reduction::Mean); }
  LabelledArray std() const { return reduce(Reduction::Std); }
  LabelledArray var() const { return reduce(Reduction::Var); }
  LabelledArray min() const { return reduce(Reduction::Min); }
  LabelledArray max() const { return reduce(Reduction::Max); }
  LabelledArray sum() const { return reduce(Reduction::Sum); }
  LabelledArray prod() const { return reduce(Reduction::Prod); }
  LabelledArray count() const { return reduce(Reduction::Count); }
  const Coordinate& groups() const { return groups_; }
  const std::vector<std::int32_t>& group_of() const { return group_of_; }

 private:
  LabelledArray array_;
  std::string dim_;
  Coordinate groups_;
  /// For each place of the dimension its group.
  std::vector<std::int32_t> group_of_;
};

/// Variables that share dimensions and labels: a file, or many joined.
/// Threading: a value.
class Dataset : public LabelledOperations<Dataset> {
 public:
  Dataset() = default;
  Dataset(std::vector<LabelledArray> variables, std::vector<io::Attribute> attributes = {});

  /// Throws Error that lists the variables.
  const LabelledArray& operator[](const std::string& name) const;
  bool has(const std::string& name) const;
  const std::vector<LabelledArray>& variables() const { return variables_; }
  const LabelledArray::Coordinates& coordinates() const { return coordinates_; }
  const std::vector<io::Attribute>& attributes() const { return attributes_; }
  /// Names and extents of all dimensions.
  std::map<std::string, std::int64_t> dims() const;

  Dataset isel(const std::string& dim, slice part) const;
  Dataset sel(const std::string& dim, const Pick& pick) const;
  /// Only these variables.
  Dataset only(const std::vector<std::string>& names) const;
  /// Of variables that have one of the dimensions; others pass through.
  Dataset reduce(Reduction kind, const std::vector<std::string>& dims, const LabelledReduceOptions& options = {}) const;
  Dataset mean(const std::vector<std::string>& dims) const { return reduce(Reduction::Mean, dims); }
  /// Of variables that have the dimension.
  Dataset reduce_groups(Reduction kind, const std::string& by, const LabelledReduceOptions& options = {}) const;

 private:
  std::vector<LabelledArray> variables_;
  LabelledArray::Coordinates coordinates_;
  std::vector<io::Attribute> attributes_;
};

/// Arrays one behind the other along a dimension; other dimensions and their labels must be the same.
LabelledArray concat(const std::vector<LabelledArray>& arrays, const std::string& dim,
                     const std::source_location& where = std::source_location::current());
/// Along a new dimension, the first one, with a label for each array.
LabelledArray concat(const std::vector<LabelledArray>& arrays, const Coordinate& labels,
                     const std::source_location& where = std::source_location::current());
Dataset concat(const std::vector<Dataset>& sets, const std::string& dim,
               const std::source_location& where = std::source_location::current());
/// The variables of all sets, whose labels must be the same. A variable that two sets have must be the same one.
Dataset merge(const std::vector<Dataset>& sets, const std::source_location& where = std::source_location::current());
/// Sets of the same variables are tiles: they are joined in the order of their labels along each dimension where these
/// differ. Then all are merged.
Dataset combine_by_coords(const std::vector<Dataset>& sets,
                          const std::source_location& where = std::source_location::current());

/// Opens a file as a Dataset: labels are read, data are not. Variables of text and of types that are no numbers are
/// left out.
Dataset open_dataset(const std::string& path);

struct OpenManyOptions {
  /// The dimension along which files follow each other; found where it is not given.
  std::string dim = {};
  /// Which file a label is taken from that several have: "first", "last"; otherwise that is refused.
  std::string duplicates = {};
  /// Where descriptions of many files are remembered: see io::OpenFilesOptions.
  std::string index = {};
};
/// Opens files as one Dataset, joined in the order of their labels along a dimension. Labels that repeat, or that
/// disagree along the other dimensions, are refused with the names of both files.
Dataset open_many(const std::vector<std::string>& paths, const OpenManyOptions& options = {});
/// Opens files and puts them together as combine_by_coords does: other variables, other times, other regions.
Dataset open_combined(const std::vector<std::string>& paths,
                      const std::source_location& where = std::source_location::current());
/// Returns the files that a pattern (`data/*.nc`), a folder or a name stands for, sorted. Throws Error where there is
/// none.
std::vector<std::string> files_of(const std::string& pattern);

}  // namespace weft
