// Sets of labelled arrays, from one file or many.
#include <weft/arrays.hpp>
#include <weft/error.hpp>
#include <weft/file_groups.hpp>
#include <weft/labelled.hpp>
#include <weft/open_files.hpp>
#include <weft/remote.hpp>
#include <weft/stored_array.hpp>

#include "arrays/labelled/attributes.hpp"
#include "arrays/labelled/group_reduce.hpp"

#include <glob.h>
#include <algorithm>
#include <filesystem>
#include <limits>
#include <set>

namespace weft {

GroupedArray::GroupedArray(LabelledArray array, std::string dim, Coordinate groups, std::vector<std::int32_t> group_of)
    : array_(std::move(array)), dim_(std::move(dim)), groups_(std::move(groups)), group_of_(std::move(group_of)) {}

LabelledArray GroupedArray::reduce(Reduction kind, const LabelledReduceOptions& options) const {
  labelled::GroupReduction what;
  what.kinds = {kind};
  what.axis = array_.axis(dim_);
  what.axes = {what.axis};
  what.group_of = group_of_;
  what.groups = static_cast<std::int32_t>(groups_.size());
  what.skipna = options.skipna;
  what.ddof = options.ddof;
  arrays::Array data = labelled::reduce_groups(array_.data(), std::move(what), std::source_location::current()).front();
  std::vector<std::string> dims = array_.dims();
  dims[array_.axis(dim_)] = groups_.name();
  LabelledArray::Coordinates coordinates = array_.coordinates();
  coordinates.erase(dim_);
  coordinates[groups_.name()] = groups_;
  return {std::move(data), std::move(dims), std::move(coordinates), array_.name(),
          labelled::reduced_attributes(array_.attributes(), reduction_name(kind), dim_)};
}

Dataset::Dataset(std::vector<LabelledArray> variables, std::vector<io::Attribute> attributes)
    : variables_(std::move(variables)), attributes_(std::move(attributes)) {
  std::map<std::string, std::pair<std::int64_t, std::string>> extents;
  for (const LabelledArray& one : variables_) {
    for (const std::string& dim : one.dims()) {
      const auto [known, fresh] = extents.emplace(dim, std::pair(one.extent(dim), one.name()));
      if (!fresh && known->second.first != one.extent(dim)) {
        throw Error("'" + known->second.second + "' and '" + one.name() + "' have the extents " +
                    std::to_string(known->second.first) + " and " + std::to_string(one.extent(dim)) + " along '" + dim +
                    "'");
      }
    }
    coordinates_.insert(one.coordinates().begin(), one.coordinates().end());
  }
}

bool Dataset::has(const std::string& name) const {
  return std::any_of(variables_.begin(), variables_.end(),
                     [&](const LabelledArray& one) { return one.name() == name; });
}

const LabelledArray& Dataset::operator[](const std::string& name) const {
  std::string names;
  for (const LabelledArray& one : variables_) {
    if (one.name() == name) return one;
    names += (names.empty() ? "" : ", ") + one.name();
  }
  throw Error("there is no variable '" + name + "'; there are " + (names.empty() ? "none" : names));
}

std::map<std::string, std::int64_t> Dataset::dims() const {
  std::map<std::string, std::int64_t> out;
  for (const LabelledArray& one : variables_) {
    for (const std::string& dim : one.dims()) out[dim] = one.extent(dim);
  }
  return out;
}

namespace {

template <class F>
Dataset each(const Dataset& from, const std::string& dim, const F& f) {
  std::vector<LabelledArray> out;
  bool found = false;
  for (const LabelledArray& one : from.variables()) {
    found = found || one.has(dim);
    out.push_back(one.has(dim) ? f(one) : one);
  }
  if (!found) {
    std::string names;
    for (const auto& [name, extent] : from.dims()) names += (names.empty() ? "" : ", ") + name;
    throw Error("there is no dimension '" + dim + "'; there are " + (names.empty() ? "none" : names));
  }
  return {std::move(out), from.attributes()};
}

/// Numbers that can be reduced: bounds of times and flags are left alone by name elsewhere.
bool reducible(const LabelledArray& one) { return !one.data().dtype().is_complex() && !one.data().dtype().is_time(); }

}  // namespace

Dataset Dataset::isel(const std::string& dim, slice part) const {
  return each(*this, dim, [&](const LabelledArray& one) { return one.isel(dim, part); });
}

Dataset Dataset::sel(const std::string& dim, const Pick& pick) const {
  // Variables without labels along it (bounds) follow those that have them.
  const auto labels = coordinates_.find(dim);
  if (labels == coordinates_.end()) throw Error("there are no labels along '" + dim + "'; choose by place with isel");
  const std::vector<std::int64_t> places = labels->second.find(pick);
  const bool drop = pick.kind != Pick::Between && places.size() == 1;
  return each(*this, dim,
              [&](const LabelledArray& one) { return drop ? one.isel(dim, places[0]) : one.isel(dim, places); });
}

Dataset Dataset::only(const std::vector<std::string>& names) const {
  std::vector<LabelledArray> out;
  for (const std::string& name : names) out.push_back((*this)[name]);
  return {std::move(out), attributes_};
}

Dataset Dataset::reduce(Reduction kind, const std::vector<std::string>& dims,
                        const LabelledReduceOptions& options) const {
  const std::map<std::string, std::int64_t> known = this->dims();
  for (const std::string& dim : dims) {
    if (known.count(dim) == 0) each(*this, dim, [](const LabelledArray& one) { return one; });
  }
  std::vector<LabelledArray> out;
  for (const LabelledArray& one : variables_) {
    std::vector<std::string> own;
    for (const std::string& dim : dims.empty() ? one.dims() : dims) {
      if (one.has(dim)) own.push_back(dim);
    }
    out.push_back(own.empty() || !reducible(one) ? one : one.reduce(kind, own, options));
  }
  return {std::move(out), attributes_};
}

Dataset Dataset::reduce_groups(Reduction kind, const std::string& by, const LabelledReduceOptions& options) const {
  const std::string dim = by.substr(0, by.find('.'));
  return each(*this, dim, [&](const LabelledArray& one) {
    return reducible(one) && one.coordinates().count(dim) != 0 ? one.groupby(by).reduce(kind, options) : one;
  });
}

namespace {

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

bool is_coordinate(const io::Variable& one) {
  return one.dimensions.size() == 1 && one.dimensions[0] == name_of(one.path);
}

/// "model" of "model/time"; "" of what is in the root.
std::string group_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

/// What a file says before any array is made of it.
struct Opened {
  std::shared_ptr<const io::StoredFile> file;
  /// Whose variables are meant; "" is the root.
  std::string group;
  LabelledArray::Coordinates coordinates;
};

Opened described(std::shared_ptr<const io::StoredFile> file, const std::string& group = {}) {
  Opened out{std::move(file), group, {}};
  // From which group each is: the nearest one has it.
  std::map<std::string, std::string> from;
  for (std::size_t i = 0; i < out.file->variables().size(); ++i) {
    const io::Variable& one = out.file->variables()[i];
    if (!is_coordinate(one)) continue;
    const std::string name = name_of(one.path), in = group_of(one.path);
    if (in != group && !in.empty() && !group.starts_with(in + "/")) continue;
    const auto known = from.find(name);
    if (known != from.end() && known->second.size() > in.size()) continue;
    from[name] = in;
    try {
      if (one.type.kind == io::ElementKind::VariableText || one.type.kind == io::ElementKind::Text) {
        out.coordinates[name] = Coordinate::of_texts(name, out.file->read_text(i));
      } else if (one.type.is_number() && one.type.kind != io::ElementKind::Complex) {
        out.coordinates[name] = Coordinate::of_numbers(name, out.file->read_numbers(i), one.attributes);
      }
    } catch (const io::FileError&) {
      throw;
    } catch (const Error& error) {
      throw io::FileError("'" + io::shown_path(out.file->path()) + "': " + error.what());
    }
  }
  return out;
}

/// The dimensions of a variable; axes that the file does not name are numbered.
std::vector<std::string> dims_of(const io::Variable& variable) {
  std::vector<std::string> dims = variable.dimensions;
  if (dims.size() != variable.shape.size()) dims.clear();
  for (std::size_t i = dims.size(); i < variable.shape.size(); ++i) {
    dims.push_back("dim_" + std::to_string(i) + "_" + std::to_string(variable.shape[i]));
  }
  // A dimension twice (a matrix of distances) is told apart.
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (std::count(dims.begin(), dims.begin() + static_cast<std::ptrdiff_t>(i), dims[i]) > 0)
      dims[i] += "_" + std::to_string(i);
  }
  return dims;
}

std::vector<LabelledArray> variables_of(const Opened& opened) {
  std::vector<LabelledArray> out;
  const ArrayFile file(opened.file);
  for (const io::Variable& one : opened.file->variables()) {
    if (is_coordinate(one) || !one.type.is_number() || group_of(one.path) != opened.group) continue;
    const std::vector<std::string> dims = dims_of(one);
    LabelledArray::Coordinates coordinates;
    for (const std::string& dim : dims) {
      const auto found = opened.coordinates.find(dim);
      // A group may have a dimension of its own that is called as one around it.
      const bool fits =
          found != opened.coordinates.end() &&
          (opened.group.empty() ||
           static_cast<std::int64_t>(found->second.size()) ==
               one.shape[static_cast<std::size_t>(std::find(dims.begin(), dims.end(), dim) - dims.begin())]);
      if (fits) coordinates.emplace(dim, found->second);
    }
    out.emplace_back(file.array(one.path), dims, std::move(coordinates), name_of(one.path), one.attributes);
  }
  return out;
}

double order_of(const Coordinate& labels) {
  if (labels.size() == 0) return 0;
  return labels.is_time()           ? static_cast<double>(labels.instants()[0])
         : labels.numbers().empty() ? 0
                                    : labels.numbers()[0];
}

/// The one dimension along which the labels of the files differ.
std::string joining_dim(const std::vector<Opened>& files) {
  std::set<std::string> differ;
  for (const auto& [dim, labels] : files[0].coordinates) {
    for (const Opened& other : files) {
      const auto found = other.coordinates.find(dim);
      if (found != other.coordinates.end() && !(found->second == labels)) differ.insert(dim);
    }
  }
  if (differ.count("time") != 0) return "time";
  if (differ.size() == 1) return *differ.begin();
  const std::string names =
      io::shown_path(files[0].file->path()) + "' and '" + io::shown_path(files.back().file->path());
  if (differ.empty())
    throw Error("'" + names + "' have the same labels along every dimension: there is nothing to join them by");
  throw Error("'" + names + "' differ along several dimensions; name the one to join by");
}

/// The attributes of the group. Throws where the file has no such group.
std::vector<io::Attribute> attributes_of(const Opened& opened) {
  std::string names;
  for (const io::Group& one : opened.file->groups()) {
    if (one.path == opened.group) return one.attributes;
    if (!one.path.empty()) names += (names.empty() ? "" : ", ") + one.path;
  }
  if (opened.group.empty()) return {};
  throw io::FileError("'" + io::shown_path(opened.file->path()) + "': has no group '" + opened.group + "'; it has " +
                      (names.empty() ? "none" : names));
}

std::vector<Opened> open_all(const std::vector<std::string>& paths, const std::string& index,
                             const std::string& group) {
  std::vector<Opened> files;
  files.reserve(paths.size());
  for (auto& file : io::open_files(paths, {.index = index})) {
    files.push_back(described(std::move(file), group));
    attributes_of(files.back());
  }
  return files;
}

/// Throws where two files that follow each other share labels, or disagree along other dimensions.
void check_neighbours(const Opened& a, const Opened& b, const std::string& dim, bool rising, bool may_overlap) {
  const std::string names = "'" + io::shown_path(a.file->path()) + "' and '" + io::shown_path(b.file->path()) + "'";
  for (const auto& [name, labels] : a.coordinates) {
    const auto other = b.coordinates.find(name);
    if (other == b.coordinates.end()) throw Error(names + ": the second has no coordinate '" + name + "'");
    if (name != dim && !(labels == other->second)) throw Error(names + " disagree about '" + name + "'");
  }
  const Coordinate& first = a.coordinates.at(dim);
  const Coordinate& second = b.coordinates.at(dim);
  if (first.size() == 0 || second.size() == 0) return;
  if (first.is_time() != second.is_time() || first.calendar() != second.calendar()) {
    throw Error(names + " have times of different calendars");
  }
  const auto value = [](const Coordinate& labels, std::size_t i) {
    return labels.is_time() ? static_cast<double>(labels.instants()[i]) : labels.numbers()[i];
  };
  const double end = value(first, first.size() - 1), begin = value(second, 0);
  if (!may_overlap && (rising ? begin <= end : begin >= end)) {
    throw Error(names + " overlap along '" + dim + "': the first ends at " + first.label(first.size() - 1) +
                ", the second begins at " + second.label(0) + "; duplicates 'first' or 'last' choose one");
  }
}

/// For each file the places along `dim` that are taken from it. Labels that two files have are refused, or taken from
/// the first or the last that has them; then labels must go one way within each file.
std::vector<std::pair<std::int64_t, std::int64_t>> used_places(const std::vector<Opened>& files, const std::string& dim,
                                                               bool rising, const std::string& duplicates) {
  if (!duplicates.empty() && duplicates != "first" && duplicates != "last") {
    throw Error("duplicates '" + duplicates + "' are not known; there are 'first' and 'last'");
  }
  const auto values = [&](std::size_t file) {
    const Coordinate& labels = files[file].coordinates.at(dim);
    std::vector<double> out = labels.numbers();
    if (labels.is_time()) out.assign(labels.instants().begin(), labels.instants().end());
    for (double& value : out) value = rising ? value : -value;
    return out;
  };
  std::vector<std::pair<std::int64_t, std::int64_t>> used;
  double last = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (i > 0) check_neighbours(files[i - 1], files[i], dim, rising, !duplicates.empty());
    const std::vector<double> own = values(i);
    used.emplace_back(0, std::ssize(own));
    if (duplicates.empty()) continue;
    if (!std::is_sorted(own.begin(), own.end())) {
      throw Error("'" + io::shown_path(files[i].file->path()) + "': its labels along '" + dim +
                  "' go up and down; duplicates cannot be chosen");
    }
    if (duplicates == "first") {
      used[i].first = std::upper_bound(own.begin(), own.end(), last) - own.begin();
      if (!own.empty()) last = std::max(last, own.back());
      continue;
    }
    for (std::size_t before = 0; before < i && !own.empty(); ++before) {
      const std::vector<double> other = values(before);
      used[before].second = std::min<std::int64_t>(
          used[before].second, std::lower_bound(other.begin(), other.end(), own[0]) - other.begin());
    }
  }
  return used;
}

}  // namespace

namespace {

Dataset open_joined(const std::vector<std::string>& paths, const std::string& group, const OpenManyOptions& options) {
  if (paths.empty()) throw Error("open_many: no files were given");
  if (paths.size() == 1) {
    const Opened opened = described(io::open_shared(paths[0]), group);
    std::vector<io::Attribute> attributes = attributes_of(opened);
    return {variables_of(opened), std::move(attributes)};
  }
  std::vector<Opened> files = open_all(paths, options.index, group);
  const std::string dim = options.dim.empty() ? joining_dim(files) : options.dim;
  for (const Opened& one : files) {
    const auto found = one.coordinates.find(dim);
    if (found == one.coordinates.end() || (found->second.numbers().empty() && found->second.size() > 0)) {
      throw io::FileError("'" + io::shown_path(one.file->path()) + "': has no numbers or times along '" + dim +
                          "' to be joined by");
    }
  }
  std::stable_sort(files.begin(), files.end(), [&](const Opened& a, const Opened& b) {
    return order_of(a.coordinates.at(dim)) < order_of(b.coordinates.at(dim));
  });
  const std::vector<double>& some = files[0].coordinates.at(dim).numbers();
  const bool rising = some.size() < 2 || some.back() >= some.front();
  if (!rising) std::reverse(files.begin(), files.end());
  const std::vector<std::pair<std::int64_t, std::int64_t>> used = used_places(files, dim, rising, options.duplicates);
  Coordinate joined;
  std::vector<std::vector<LabelledArray>> parts;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto [first, end] = used[i];
    std::vector<std::int64_t> places;
    for (std::int64_t place = first; place < end; ++place) places.push_back(place);
    const Coordinate own = files[i].coordinates.at(dim).at(places);
    joined = i > 0 ? joined.then(own) : own;
    parts.push_back(variables_of(files[i]));
    if (places.size() == files[i].coordinates.at(dim).size()) continue;
    for (LabelledArray& one : parts.back()) {
      if (one.has(dim)) one = one.isel(dim, slice(first, end));
    }
  }
  std::vector<LabelledArray> out;
  for (const LabelledArray& one : parts[0]) {
    if (!one.has(dim)) {
      out.push_back(one);
      continue;
    }
    std::vector<arrays::Array> pieces;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const auto found = std::find_if(parts[i].begin(), parts[i].end(),
                                      [&](const LabelledArray& other) { return other.name() == one.name(); });
      if (found == parts[i].end() || found->dims() != one.dims()) {
        throw io::FileError("'" + io::shown_path(files[i].file->path()) + "': has no variable '" + one.name() +
                            "' with the dimensions that it has in '" + io::shown_path(files[0].file->path()) + "'");
      }
      pieces.push_back(found->data());
    }
    LabelledArray::Coordinates coordinates = one.coordinates();
    coordinates[dim] = joined;
    out.emplace_back(arrays::concatenate(pieces, static_cast<int>(one.axis(dim))), one.dims(), std::move(coordinates),
                     one.name(), one.attributes());
  }
  return {std::move(out), attributes_of(files[0])};
}

}  // namespace

Dataset open_dataset(const std::string& path) { return open_joined({path}, {}, {}); }

Dataset open_many(const std::vector<std::string>& paths, const OpenManyOptions& options) {
  return open_joined(paths, {}, options);
}

Dataset open_group(const std::vector<std::string>& paths, const std::string& group, const OpenManyOptions& options) {
  const std::size_t first = group.find_first_not_of('/');
  if (first == std::string::npos) return open_joined(paths, {}, options);
  return open_joined(paths, group.substr(first, group.find_last_not_of('/') - first + 1), options);
}

namespace {

bool is_zarr(const std::string& folder) {
  std::error_code ignored;
  for (const char* const name : {"/zarr.json", "/.zmetadata", "/.zarray", "/.zgroup"}) {
    if (std::filesystem::exists(folder + name, ignored)) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> files_of(const std::string& pattern) {
  std::vector<std::string> out;
  std::error_code ignored;
  if (io::is_remote(pattern)) return {pattern};
  if (std::filesystem::is_directory(pattern, ignored)) {
    if (is_zarr(pattern)) return {pattern};
    static const std::set<std::string> kEnds = {".nc",  ".nc4",   ".cdf",  ".h5",   ".hdf5", ".grib",
                                                ".grb", ".grib2", ".grb2", ".zarr", ".fits"};
    for (const auto& entry : std::filesystem::directory_iterator(pattern)) {
      if (kEnds.count(entry.path().extension().string()) != 0) out.push_back(entry.path().string());
    }
    if (out.empty())
      throw Error("'" + pattern +
                  "': the folder is no Zarr store, and holds no .nc, .nc4, .cdf, .h5, .hdf5, .grib, "
                  ".grb, .grib2, .grb2, .fits or .zarr");
  } else if (pattern.find_first_of("*?[") != std::string::npos && !std::filesystem::exists(pattern, ignored)) {
    glob_t found{};
    if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) out.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    ::globfree(&found);
    if (out.empty()) throw Error("'" + pattern + "': no file has such a name");
  } else {
    out.push_back(pattern);
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace weft
