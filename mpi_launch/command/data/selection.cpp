#include "mpi_launch/command/data/selection.hpp"

#include "core/config/nearest.hpp"
#include "mpi_launch/command/data/verbs.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <optional>

namespace weft::command::data {
namespace {

std::pair<std::string, std::string> name_and_rest(const std::string& words, const char* option) {
  const std::size_t equals = words.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == words.size()) {
    throw UsageError(std::string("--") + option + " '" + words + "': write DIMENSION=FIRST:LAST");
  }
  return {words.substr(0, equals), words.substr(equals + 1)};
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> out(1);
  for (const char c : text) {
    if (c == at) {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  return out;
}

std::optional<double> number_in(const std::string& text) {
  double value = 0;
  const char* const first = text.data() + (!text.empty() && text[0] == '+' ? 1 : 0);
  const auto [end, error] = std::from_chars(first, text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

/// Cuts "FIRST:LAST" at the colon in the middle: times of day have colons, too.
std::optional<std::pair<std::string, std::string>> range_in(const std::string& text) {
  const auto colons = std::count(text.begin(), text.end(), ':');
  const auto clocks = std::count(text.begin(), text.end(), 'T');
  if (colons == 0 || (colons % 2 == 0) ||
      (clocks == 1 && colons == 1 && text.find('T') < text.find(':') && text.find(':') + 3 == text.size() &&
       text.find(':') - text.find('T') == 3)) {
    return {};
  }
  std::size_t at = 0;
  for (std::int64_t i = 0; i <= colons / 2; ++i) at = text.find(':', at) + 1;
  return std::pair(text.substr(0, at - 1), text.substr(at));
}

Label label_of(const std::string& text, const Coordinate& labels) {
  if (labels.is_time() || !labels.texts().empty()) return text;
  const std::optional<double> number = number_in(text);
  if (!number) throw UsageError("--sel " + labels.name() + "=" + text + ": '" + text + "' is no number");
  return *number;
}

Pick range_pick(const std::pair<std::string, std::string>& ends, const Coordinate& labels) {
  // An open end means the first or the last label there is.
  const std::vector<double>& numbers = labels.numbers();
  std::size_t least = 0, most = 0;
  for (std::size_t i = 1; i < numbers.size(); ++i) {
    if (numbers[i] < numbers[least]) least = i;
    if (numbers[i] > numbers[most]) most = i;
  }
  const auto end = [&](const std::string& text, std::size_t otherwise) -> Label {
    if (!text.empty()) return label_of(text, labels);
    if (labels.is_time()) return labels.label(otherwise);
    return numbers[otherwise];
  };
  if (numbers.empty()) throw Error("there are no labels along '" + labels.name() + "' to choose a range of");
  return {Pick::Between, end(ends.first, least), end(ends.second, most)};
}

/// Longitudes from `first` eastward to `last`, in that order; labels go on rising.
struct Eastward {
  std::vector<std::int64_t> places;
  std::vector<double> labels;
};
Eastward eastward(const Coordinate& labels, double first, double last) {
  const auto turn = [](double degrees) { return degrees - 360 * std::floor(degrees / 360); };
  const double width = last - first >= 360 ? 360 : turn(last - first);
  std::vector<std::pair<double, std::int64_t>> found;
  for (std::size_t i = 0; i < labels.numbers().size(); ++i) {
    double offset = turn(labels.numbers()[i] - first);
    if (offset > 360 - 1e-6) offset = 0;
    if (offset <= width + 1e-6) found.emplace_back(offset, static_cast<std::int64_t>(i));
  }
  if (found.empty())
    throw Error("coordinate '" + labels.name() + "': nothing from " + number_words(first) + " to " +
                number_words(last));
  std::stable_sort(found.begin(), found.end());
  Eastward out;
  for (const auto& [offset, place] : found) {
    out.places.push_back(place);
    out.labels.push_back(first + offset);
  }
  return out;
}

/// Chooses places of every variable that has the dimension; `labels` replace those that are there.
Dataset choose(const Dataset& data, const std::string& dim, const std::vector<std::int64_t>& places,
               const std::optional<Coordinate>& labels = {}) {
  std::vector<LabelledArray> out;
  for (const LabelledArray& one : data.variables()) {
    if (!one.has(dim)) {
      out.push_back(one);
      continue;
    }
    LabelledArray chosen = one.isel(dim, places);
    if (labels) {
      LabelledArray::Coordinates coordinates = chosen.coordinates();
      coordinates[dim] = *labels;
      chosen = LabelledArray(chosen.data(), chosen.dims(), std::move(coordinates), chosen.name(), chosen.attributes());
    }
    out.push_back(std::move(chosen));
  }
  return {std::move(out), data.attributes()};
}

bool named_or_in(const Coordinate& labels, std::initializer_list<const char*> names, const char* units) {
  const io::Attribute* const found = io::find_attribute(labels.attributes(), "units");
  if (found != nullptr && found->text().rfind(units, 0) == 0) return true;
  return std::any_of(names.begin(), names.end(), [&](const char* name) { return labels.name() == name; });
}

}  // namespace

bool is_longitude(const Coordinate& labels) { return named_or_in(labels, {"lon", "longitude"}, "degrees_east"); }
bool is_latitude(const Coordinate& labels) { return named_or_in(labels, {"lat", "latitude"}, "degrees_north"); }

void require_dimension(const Dataset& data, const std::string& dim) {
  std::vector<std::string> names;
  std::string listed;
  for (const auto& [name, extent] : data.dims()) {
    if (name == dim) return;
    names.push_back(name);
    listed += (listed.empty() ? "" : ", ") + name;
  }
  throw Error("there is no dimension '" + dim + "'; did you mean '" + nearest_name(dim, names) + "'? There are " +
              (listed.empty() ? "none" : listed));
}

void require_variable(const Dataset& data, const std::string& wanted) {
  std::vector<std::string> names;
  std::string listed;
  for (const LabelledArray& one : data.variables()) {
    if (one.name() == wanted) return;
    names.push_back(one.name());
    listed += (listed.empty() ? "" : ", ") + one.name();
  }
  throw Error("there is no variable '" + wanted + "'; did you mean '" + nearest_name(wanted, names) + "'? There are " +
              (listed.empty() ? "none" : listed));
}

Dataset select_labels(const Dataset& data, const std::string& words) {
  const auto [dim, text] = name_and_rest(words, "sel");
  require_dimension(data, dim);
  const auto found = data.coordinates().find(dim);
  if (found == data.coordinates().end()) {
    throw Error("there are no labels along '" + dim + "'; choose by place: --isel " + dim + "=0:10");
  }
  const Coordinate& labels = found->second;
  if (const auto range = range_in(text)) {
    if (is_longitude(labels) && !range->first.empty() && !range->second.empty()) {
      const Eastward chosen = eastward(labels, std::get<double>(label_of(range->first, labels)),
                                       std::get<double>(label_of(range->second, labels)));
      const bool rises = std::is_sorted(chosen.places.begin(), chosen.places.end());
      if (rises) return choose(data, dim, chosen.places);
      return choose(data, dim, chosen.places, Coordinate::of_numbers(dim, chosen.labels, labels.attributes()));
    }
    return choose(data, dim, labels.find(range_pick(*range, labels)));
  }
  std::vector<std::int64_t> places;
  for (const std::string& one : split(text, ',')) {
    const Label label = label_of(one, labels);
    const Pick pick =
        std::holds_alternative<double>(label) ? Pick(std::get<double>(label)) : Pick(std::get<std::string>(label));
    const std::vector<std::int64_t> some = labels.find(pick);
    places.insert(places.end(), some.begin(), some.end());
  }
  return choose(data, dim, places);
}

Dataset select_places(const Dataset& data, const std::string& words) {
  const auto [dim, text] = name_and_rest(words, "isel");
  require_dimension(data, dim);
  const std::int64_t extent = data.dims().at(dim);
  const auto whole = [&, &dim = dim](const std::string& one) {
    const std::optional<double> number = number_in(one);
    if (!number || *number != std::floor(*number)) throw UsageError("--isel " + dim + ": '" + one + "' is no place");
    return static_cast<std::int64_t>(*number);
  };
  if (text.find(':') != std::string::npos) {
    const std::vector<std::string> parts = split(text, ':');
    if (parts.size() > 3) throw UsageError("--isel " + words + ": write FIRST:END or FIRST:END:STEP");
    const std::int64_t step = parts.size() == 3 && !parts[2].empty() ? whole(parts[2]) : 1;
    if (step < 1) throw UsageError("--isel " + words + ": the step is at least 1");
    const auto end = [&](const std::string& one, std::int64_t otherwise) {
      if (one.empty()) return otherwise;
      const std::int64_t place = whole(one);
      return std::clamp<std::int64_t>(place < 0 ? place + extent : place, 0, extent);
    };
    std::vector<std::int64_t> places;
    const std::int64_t last = end(parts[1], extent);
    for (std::int64_t place = end(parts[0], 0); place < last; place += step) places.push_back(place);
    if (places.empty()) throw Error("--isel " + words + " chooses nothing of " + std::to_string(extent) + " places");
    return choose(data, dim, places);
  }
  std::vector<std::int64_t> places;
  for (const std::string& one : split(text, ',')) {
    const std::int64_t place = whole(one);
    if (place < -extent || place >= extent) {
      throw Error("--isel " + words + ": there are " + std::to_string(extent) + " places along '" + dim + "'");
    }
    places.push_back(place < 0 ? place + extent : place);
  }
  return choose(data, dim, places);
}

}  // namespace weft::command::data
