#pragma once

#include <weft/array.hpp>
#include <weft/storage.hpp>

#include <map>
#include <memory>
#include <source_location>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// Arrays whose axes have names and labels, and sets of them: what a NetCDF file means.
namespace weft {

/// A label to choose by: a number, or a text; of times, a date of which the end may be left out ("2001-03").
using Label = std::variant<double, std::string>;

/// What `sel` chooses along a dimension: `sel("lat", between(-30, 30))`, `sel("time", "2001-03")`, `sel("lon",
/// nearest(12.3))`.
struct Pick {
  enum Kind : std::uint8_t { Exact, Nearest, Between };
  template <class T>
  requires std::is_arithmetic_v<T> Pick(T value) : first(static_cast<double>(value)) {}  // NOLINT
  Pick(const char* text) : first(std::string(text)) {}                                   // NOLINT
  Pick(std::string text) : first(std::move(text)) {}                                     // NOLINT
  Pick(Kind what, Label from, Label to) : kind(what), first(std::move(from)), last(std::move(to)) {}

  Kind kind = Exact;
  Label first;
  Label last = 0.0;
};

/// Both ends belong to it; the axis may run either way.
template <class A, class B>
Pick between(const A& first, const B& last) {
  const auto label = []<class T>(const T& value) -> Label {
    if constexpr (std::is_arithmetic_v<T>) {
      return static_cast<double>(value);
    } else {
      return std::string(value);
    }
  };
  return {Pick::Between, label(first), label(last)};
}
inline Pick nearest(double value) { return {Pick::Nearest, value, 0.0}; }

/// The labels along one dimension, in memory: numbers, texts or times.
/// Threading: a value.
class Coordinate {
 public:
  Coordinate() = default;
  static Coordinate of_numbers(std::string name, std::vector<double> values,
                               std::vector<io::Attribute> attributes = {});
  static Coordinate of_texts(std::string name, std::vector<std::string> values);

  const std::string& name() const { return name_; }
  std::size_t size() const { return texts_.empty() ? numbers_.size() : texts_.size(); }
  const std::vector<double>& numbers() const { return numbers_; }
  const std::vector<std::string>& texts() const { return texts_; }
  const std::vector<io::Attribute>& attributes() const { return attributes_; }
  /// Times, told by units such as "days since 2000-01-01".
  bool is_time() const { return !instants_.empty(); }
  /// Milliseconds in the coordinate's calendar; only times have them.
  const std::vector<std::int64_t>& instants() const { return instants_; }
  int calendar() const { return calendar_; }
  /// For people: "2001-03-05", "12.5".
  std::string label(std::size_t place) const;

  /// Returns the places that are chosen. Throws Error that names the nearest labels where there are none.
  std::vector<std::int64_t> find(const Pick& pick) const;
  /// Returns the labels at these places.
  Coordinate at(const std::vector<std::int64_t>& places) const;
  /// Returns this and then the other's labels, in this one's units.
  Coordinate then(const Coordinate& other) const;
  friend bool operator==(const Coordinate& a, const Coordinate& b);

 private:
  void read_times();

  std::string name_;
  std::vector<double> numbers_;
  std::vector<std::string> texts_;
  std::vector<io::Attribute> attributes_;
  std::vector<std::int64_t> instants_;
  int calendar_ = 0;
};

enum class Reduction : std::uint8_t { Mean, Std, Var, Min, Max, Sum, Count };
/// Returns the reduction of that name ("mean"). Throws Error that lists them.
Reduction reduction_named(const std::string& name);
std::string reduction_name(Reduction kind);

struct LabelledReduceOptions {
  bool keepdims = false;
  /// Leave missing values (NaN) out.
  bool skipna = true;
  double ddof = 0;
};

class GroupedArray;

/// A lazy array whose dimensions have names, with labels along them and attributes that operations keep.
///
///     LabelledArray tas = open_dataset("tas.nc")["tas"];
///     LabelledArray clim = tas.sel("lat", between(-30, 30)).groupby("time.month").mean();
///     NDArray values = client.compute(clim.data());
///
/// Threading: a value.
class LabelledArray {
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
LabelledArray operator+(const LabelledArray& a, const LabelledArray& b);
LabelledArray operator-(const LabelledArray& a, const LabelledArray& b);
LabelledArray operator*(const LabelledArray& a, const LabelledArray& b);
LabelledArray operator/(const LabelledArray& a, const LabelledArray& b);
LabelledArray operator+(const LabelledArray& a, double b);
LabelledArray operator-(const LabelledArray& a, double b);
LabelledArray operator*(const LabelledArray& a, double b);
LabelledArray operator/(const LabelledArray& a, double b);

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
class Dataset {
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
/// Returns the files that a pattern (`data/*.nc`), a folder or a name stands for, sorted. Throws Error where there is
/// none.
std::vector<std::string> files_of(const std::string& pattern);

}  // namespace weft
