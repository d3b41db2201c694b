// Arrays with names and labels: choosing, arithmetic, reductions.
#include <weft/arrays.hpp>
#include <weft/error.hpp>
#include <weft/labelled.hpp>

#include "arrays/labelled/attributes.hpp"
#include "arrays/labelled/calendar.hpp"
#include "arrays/labelled/combined.hpp"
#include "arrays/labelled/group_reduce.hpp"

#include <algorithm>
#include <numeric>

namespace weft {
namespace {

constexpr const char* kReductions[] = {"mean", "std", "var", "min", "max", "sum", "count", "prod"};

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& one : names) out += (out.empty() ? "" : ", ") + one;
  return out.empty() ? "none" : out;
}

std::vector<std::int64_t> range(std::int64_t first, std::int64_t step, std::int64_t count) {
  std::vector<std::int64_t> places(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) places[static_cast<std::size_t>(i)] = first + i * step;
  return places;
}

arrays::Array reduce_axes(Reduction kind, const arrays::Array& data, const std::vector<int>& axes,
                          const LabelledReduceOptions& options) {
  if (data.dtype().is_complex()) {
    arrays::ReduceOptions o;
    o.axis = axes;
    o.keepdims = options.keepdims;
    if (kind == Reduction::Mean) return arrays::mean(data, o);
    if (kind == Reduction::Sum) return arrays::sum(data, o);
    throw Error(std::string("'") + kReductions[static_cast<std::size_t>(kind)] + "' of complex numbers is not known");
  }
  labelled::GroupReduction what;
  what.kinds = {kind};
  what.axes.assign(axes.begin(), axes.end());
  what.axis = what.axes.front();
  what.skipna = options.skipna;
  what.ddof = options.ddof;
  arrays::Array out = labelled::reduce_groups(data, std::move(what), std::source_location::current()).front();
  if (options.keepdims) return out;
  std::vector<arrays::Index> index(data.ndim(), arrays::Index(slice()));
  for (const int axis : axes) index[static_cast<std::size_t>(axis)] = arrays::Index(0);
  return out.at(index);
}

}  // namespace

std::string reduction_name(Reduction kind) { return kReductions[static_cast<std::size_t>(kind)]; }

Reduction reduction_named(const std::string& name) {
  for (std::size_t i = 0; i < std::size(kReductions); ++i) {
    if (name == kReductions[i]) return static_cast<Reduction>(i);
  }
  throw Error("'" + name + "' is no reduction; known are " + listed({std::begin(kReductions), std::end(kReductions)}));
}

LabelledArray::LabelledArray(arrays::Array data, std::vector<std::string> dims, Coordinates coordinates,
                             std::string name, std::vector<io::Attribute> attributes)
    : data_(std::move(data)),
      dims_(std::move(dims)),
      coordinates_(std::move(coordinates)),
      name_(std::move(name)),
      attributes_(std::move(attributes)) {
  if (dims_.size() != data_.ndim()) {
    throw Error("'" + name_ + "' has " + std::to_string(data_.ndim()) + " axes, but " + std::to_string(dims_.size()) +
                " names of dimensions were given: " + listed(dims_));
  }
  for (std::size_t i = 0; i < dims_.size(); ++i) {
    if (std::count(dims_.begin(), dims_.end(), dims_[i]) != 1) {
      throw Error("'" + name_ + "' has two dimensions of the name '" + dims_[i] + "'");
    }
  }
  std::erase_if(coordinates_, [&](const auto& one) { return !has(one.first); });
  for (const auto& [dim, labels] : coordinates_) {
    if (static_cast<std::int64_t>(labels.size()) != extent(dim)) {
      throw Error("'" + name_ + "' has the extent " + std::to_string(extent(dim)) + " along '" + dim +
                  "', but there are " + std::to_string(labels.size()) + " labels");
    }
  }
}

LabelledArray LabelledArray::with(arrays::Array data, std::vector<std::string> dims, Coordinates coordinates) const {
  return {std::move(data), std::move(dims), std::move(coordinates), name_, attributes_};
}

bool LabelledArray::has(const std::string& dim) const {
  return std::find(dims_.begin(), dims_.end(), dim) != dims_.end();
}

std::size_t LabelledArray::axis(const std::string& dim) const {
  const auto found = std::find(dims_.begin(), dims_.end(), dim);
  if (found == dims_.end()) throw Error("'" + name_ + "' has no dimension '" + dim + "'; it has " + listed(dims_));
  return static_cast<std::size_t>(found - dims_.begin());
}

LabelledArray LabelledArray::renamed(std::string name) const {
  LabelledArray out = *this;
  out.name_ = std::move(name);
  return out;
}

LabelledArray LabelledArray::with_attributes(std::vector<io::Attribute> attributes) const {
  LabelledArray out = *this;
  out.attributes_ = std::move(attributes);
  return out;
}

LabelledArray LabelledArray::isel(const std::string& dim, std::int64_t place) const {
  const std::size_t at = axis(dim);
  std::vector<arrays::Index> index(at, arrays::Index(slice()));
  index.emplace_back(place);
  std::vector<std::string> dims = dims_;
  dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(at));
  return with(data_.at(index), std::move(dims), coordinates_);
}

LabelledArray LabelledArray::isel(const std::string& dim, slice part) const {
  const std::size_t at = axis(dim);
  const slice::Places places = part.on(data_.shape()[at]);
  std::vector<arrays::Index> index(at, arrays::Index(slice()));
  index.emplace_back(part);
  Coordinates coordinates = coordinates_;
  const auto labels = coordinates.find(dim);
  if (labels != coordinates.end()) labels->second = labels->second.at(range(places.first, places.step, places.count));
  return with(data_.at(index), dims_, std::move(coordinates));
}

LabelledArray LabelledArray::isel(const std::string& dim, const std::vector<std::int64_t>& places) const {
  // Neighbours are a view; only scattered places are moved.
  const auto count = static_cast<std::int64_t>(places.size());
  if (count > 0 && places[0] >= 0 && places == range(places[0], 1, count)) {
    return isel(dim, slice(places[0], places[0] + count));
  }
  Coordinates coordinates = coordinates_;
  const auto labels = coordinates.find(dim);
  if (labels != coordinates.end()) labels->second = labels->second.at(places);
  return with(arrays::take(data_, places, static_cast<int>(axis(dim))), dims_, std::move(coordinates));
}

LabelledArray LabelledArray::sel(const std::string& dim, const Pick& pick) const {
  axis(dim);
  const auto labels = coordinates_.find(dim);
  if (labels == coordinates_.end()) {
    throw Error("'" + name_ + "' has no labels along '" + dim + "'; choose by place with isel");
  }
  const std::vector<std::int64_t> places = labels->second.find(pick);
  if (pick.kind != Pick::Between && places.size() == 1) return isel(dim, places[0]);
  return isel(dim, places);
}

LabelledArray LabelledArray::transpose(const std::vector<std::string>& dims) const {
  std::vector<int> axes;
  for (const std::string& dim : dims) axes.push_back(static_cast<int>(axis(dim)));
  if (axes.size() != dims_.size()) throw Error("transpose: name each of the dimensions " + listed(dims_) + " once");
  return with(arrays::transpose(data_, axes), dims, coordinates_);
}

LabelledArray LabelledArray::reduce(Reduction kind, const std::vector<std::string>& dims,
                                    const LabelledReduceOptions& options) const {
  const std::vector<std::string>& over = dims.empty() ? dims_ : dims;
  std::vector<int> axes;
  std::string cells;
  for (const std::string& dim : over) {
    axes.push_back(static_cast<int>(axis(dim)));
    cells += (cells.empty() ? "" : ": ") + dim;
  }
  std::vector<std::string> left;
  Coordinates coordinates = coordinates_;
  for (const std::string& dim : dims_) {
    const bool reduced = std::find(over.begin(), over.end(), dim) != over.end();
    if (!reduced || options.keepdims) left.push_back(dim);
    if (reduced) coordinates.erase(dim);
  }
  arrays::Array data = axes.empty() ? data_ : reduce_axes(kind, data_, axes, options);
  LabelledArray out = with(std::move(data), std::move(left), std::move(coordinates));
  if (!axes.empty())
    out.attributes_ = labelled::reduced_attributes(out.attributes_, kReductions[static_cast<std::size_t>(kind)], cells);
  return out;
}

GroupedArray LabelledArray::groupby(const std::string& by) const {
  const std::size_t dot = by.find('.');
  const std::string dim = by.substr(0, dot);
  axis(dim);
  const auto found = coordinates_.find(dim);
  if (found == coordinates_.end()) throw Error("'" + name_ + "' has no labels along '" + dim + "' to group by");
  const Coordinate& labels = found->second;
  std::vector<double> keys(labels.size());
  std::string name = dim;
  if (dot != std::string::npos) {
    name = by.substr(dot + 1);
    if (!labels.is_time()) throw Error("'" + dim + "' holds no times: its units are not like 'days since 2000-01-01'");
    for (std::size_t i = 0; i < keys.size(); ++i) {
      keys[i] = static_cast<double>(
          labelled::time_part(name, static_cast<labelled::Calendar>(labels.calendar()), labels.instants()[i]));
    }
  } else if (labels.texts().empty()) {
    keys = labels.numbers();
  } else {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      keys[i] = static_cast<double>(std::find(labels.texts().begin(), labels.texts().end(), labels.texts()[i]) -
                                    labels.texts().begin());
    }
  }
  std::vector<double> groups = keys;
  std::sort(groups.begin(), groups.end());
  groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
  std::vector<std::int32_t> group_of;
  for (const double key : keys) {
    group_of.push_back(static_cast<std::int32_t>(std::lower_bound(groups.begin(), groups.end(), key) - groups.begin()));
  }
  Coordinate coordinate;
  if (name == "season") {
    static constexpr const char* kSeasons[] = {"DJF", "MAM", "JJA", "SON"};
    std::vector<std::string> names;
    for (const double group : groups) names.emplace_back(kSeasons[static_cast<std::size_t>(group) - 1]);
    coordinate = Coordinate::of_texts(name, std::move(names));
  } else if (dot == std::string::npos && !labels.texts().empty()) {
    std::vector<std::string> names;
    for (const double group : groups) names.push_back(labels.texts()[static_cast<std::size_t>(group)]);
    coordinate = Coordinate::of_texts(name, std::move(names));
  } else {
    coordinate = Coordinate::of_numbers(name, std::move(groups),
                                        dot == std::string::npos ? labels.attributes() : std::vector<io::Attribute>{});
  }
  return {*this, dim, std::move(coordinate), std::move(group_of)};
}

std::string LabelledArray::text() const {
  std::string out = (name_.empty() ? "array" : name_) + " (";
  for (std::size_t i = 0; i < dims_.size(); ++i) {
    out += (i == 0 ? "" : ", ") + dims_[i] + ": " + std::to_string(data_.shape()[i]);
  }
  out += ") " + data_.dtype().name() + "\n";
  for (const std::string& dim : dims_) {
    const auto found = coordinates_.find(dim);
    if (found == coordinates_.end() || found->second.size() == 0) continue;
    out += "  " + dim + ": " + found->second.label(0) + " to " + found->second.label(found->second.size() - 1) + "\n";
  }
  return out;
}

namespace labelled {

arrays::Array spread(const LabelledArray& array, const std::vector<std::string>& dims) {
  std::vector<std::string> own;
  for (const std::string& dim : dims) {
    if (array.has(dim)) own.push_back(dim);
  }
  arrays::Array data = array.transpose(own).data();
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (!array.has(dims[i])) data = arrays::expand_dims(data, static_cast<int>(i));
  }
  return data;
}

}  // namespace labelled

namespace {

using labelled::spread;

/// Both arrays with the dimensions of the first and then those that only the second has, at the labels they share.
std::pair<LabelledArray, LabelledArray> aligned(LabelledArray a, LabelledArray b) {
  const std::vector<std::string> dims = a.dims();
  for (const std::string& dim : dims) {
    const auto of_a = a.coordinates().find(dim);
    const auto of_b = b.coordinates().find(dim);
    if (of_a == a.coordinates().end() || of_b == b.coordinates().end() || of_a->second == of_b->second) continue;
    std::vector<std::int64_t> places_a, places_b;
    std::map<std::string, std::int64_t> where;
    for (std::size_t i = 0; i < of_b->second.size(); ++i) where[of_b->second.label(i)] = static_cast<std::int64_t>(i);
    for (std::size_t i = 0; i < of_a->second.size(); ++i) {
      const auto found = where.find(of_a->second.label(i));
      if (found == where.end()) continue;
      places_a.push_back(static_cast<std::int64_t>(i));
      places_b.push_back(found->second);
    }
    if (places_a.empty()) throw Error("'" + a.name() + "' and '" + b.name() + "' share no label along '" + dim + "'");
    a = a.isel(dim, places_a);
    b = b.isel(dim, places_b);
  }
  return {std::move(a), std::move(b)};
}

template <class F>
LabelledArray combine(const LabelledArray& left, const LabelledArray& right, const F& f) {
  const auto [a, b] = aligned(left, right);
  std::vector<std::string> dims = a.dims();
  LabelledArray::Coordinates coordinates = a.coordinates();
  for (const std::string& dim : b.dims()) {
    if (!a.has(dim)) dims.push_back(dim);
    if (a.has(dim) && a.extent(dim) != b.extent(dim)) {
      throw Error("'" + a.name() + "' and '" + b.name() + "' have the extents " + std::to_string(a.extent(dim)) +
                  " and " + std::to_string(b.extent(dim)) + " along '" + dim + "'");
    }
  }
  coordinates.insert(b.coordinates().begin(), b.coordinates().end());
  return {f(spread(a, dims), spread(b, dims)), dims, coordinates, a.name() == b.name() ? a.name() : std::string()};
}

LabelledArray changed(const LabelledArray& a, arrays::Array data) {
  return {std::move(data), a.dims(), a.coordinates(), a.name(), a.attributes()};
}

}  // namespace

namespace labelled {

LabelledArray combined(const LabelledArray& a, const LabelledArray& b,
                       const std::function<arrays::Array(const arrays::Array&, const arrays::Array&)>& f) {
  return combine(a, b, f);
}

}  // namespace labelled

#define WEFT_LABELLED_PAIR(symbol)                                                                                    \
  LabelledArray operator symbol(const LabelledArray& a, const LabelledArray& b) {                                     \
    return combine(a, b, [](const arrays::Array& x, const arrays::Array& y) -> arrays::Array { return x symbol y; }); \
  }
#define WEFT_LABELLED_OPERATOR(symbol)                                                                      \
  WEFT_LABELLED_PAIR(symbol)                                                                                \
  LabelledArray operator symbol(const LabelledArray& a, double b) { return changed(a, a.data() symbol b); } \
  LabelledArray operator symbol(double a, const LabelledArray& b) { return changed(b, a symbol b.data()); }
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
WEFT_LABELLED_PAIR(&)
WEFT_LABELLED_PAIR(|)
#undef WEFT_LABELLED_OPERATOR
#undef WEFT_LABELLED_PAIR
LabelledArray operator~(const LabelledArray& a) { return changed(a, ~a.data()); }
LabelledArray operator-(const LabelledArray& a) { return changed(a, -a.data()); }

}  // namespace weft
