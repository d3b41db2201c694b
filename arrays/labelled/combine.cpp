// Arrays and sets put together: one behind the other, side by side, as tiles by their labels.
#include "arrays/expression/node.hpp"
#include "arrays/labelled/combined.hpp"
#include "arrays/labelled/operations.hpp"
#include "arrays/ops/telling.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <map>

namespace weft {

void labelled::check_alike(const LabelledArray& first, const LabelledArray& other, const std::string& which,
                           const std::string& dim) {
  if (first.dims() != other.dims()) {
    throw Error(which + " has other dimensions, or another order of them, than the first one");
  }
  for (const std::string& one : first.dims()) {
    if (one == dim) continue;
    const auto mine = first.coordinates().find(one), theirs = other.coordinates().find(one);
    const bool known = mine != first.coordinates().end() && theirs != other.coordinates().end();
    if (first.extent(one) != other.extent(one) || (known && !(mine->second == theirs->second))) {
      throw Error(which + " has other labels along '" + one + "' than the first one: reindex gives it the same");
    }
  }
}

namespace {

using arrays::ops::told;
using labelled::Where;

/// Throws where an array does not fit to the first one but along `dim`.
void check_alike(const LabelledArray& a, const LabelledArray& b, std::size_t number, const std::string& dim) {
  labelled::check_alike(a, b, "'" + b.name() + "' number " + std::to_string(number + 1), dim);
}

LabelledArray joined(const std::vector<LabelledArray>& arrays, const std::string& dim, const Where& where) {
  const LabelledArray& first = arrays.front();
  std::vector<arrays::Array> pieces;
  std::optional<Coordinate> labels;
  bool all_labelled = true;
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    arrays[i].axis(dim);
    check_alike(first, arrays[i], i, dim);
    pieces.push_back(arrays[i].data());
    const auto found = arrays[i].coordinates().find(dim);
    all_labelled = all_labelled && found != arrays[i].coordinates().end();
    if (all_labelled) labels = labels ? labels->then(found->second) : found->second;
  }
  if (!all_labelled) labels.reset();
  return labelled::with_labels(first, arrays::concatenate(pieces, labelled::axis_of(first, dim), where), dim,
                               std::move(labels));
}

Dataset joined(const std::vector<Dataset>& sets, const std::string& dim, const Where& where) {
  std::vector<LabelledArray> out;
  bool found = false;
  for (const LabelledArray& one : sets.front().variables()) {
    found = found || one.has(dim);
    std::vector<LabelledArray> parts;
    for (const Dataset& set : sets) parts.push_back(set[one.name()]);
    out.push_back(one.has(dim) ? joined(parts, dim, where) : one);
  }
  if (!found) throw Error("no variable has the dimension '" + dim + "'");
  return {std::move(out), sets.front().attributes()};
}

/// Where the labels of a tile begin and end along a dimension; of times in milliseconds.
std::pair<double, double> ends(const Coordinate& labels) {
  if (labels.size() == 0) return {0, 0};
  if (labels.is_time()) {
    return {static_cast<double>(labels.instants().front()), static_cast<double>(labels.instants().back())};
  }
  if (labels.numbers().empty())
    throw Error("'" + labels.name() + "' has texts as labels, which have no order to join by");
  return {labels.numbers().front(), labels.numbers().back()};
}

/// The different labels along a dimension of some tiles, in the order in which the tiles follow each other.
std::vector<Coordinate> in_order(const std::vector<Dataset>& tiles, const std::string& dim) {
  std::vector<Coordinate> all;
  bool falls = false;
  for (const Dataset& tile : tiles) {
    const Coordinate& labels = tile.coordinates().at(dim);
    falls = falls || ends(labels).first > ends(labels).second;
    if (std::find(all.begin(), all.end(), labels) == all.end()) all.push_back(labels);
  }
  std::stable_sort(all.begin(), all.end(), [&](const Coordinate& a, const Coordinate& b) {
    return falls ? ends(a).first > ends(b).first : ends(a).first < ends(b).first;
  });
  for (std::size_t i = 1; i < all.size(); ++i) {
    const double end = ends(all[i - 1]).second, begin = ends(all[i]).first;
    if (falls ? begin < end : begin > end) continue;
    throw Error("two tiles overlap along '" + dim + "': one ends at " + all[i - 1].label(all[i - 1].size() - 1) +
                ", the next begins at " + all[i].label(0));
  }
  return all;
}

/// Tiles of the same variables, joined along each dimension whose labels differ.
Dataset tiled(std::vector<Dataset> tiles, const Where& where) {
  std::vector<std::string> dims;
  std::vector<std::vector<Coordinate>> along;
  for (const auto& [dim, labels] : tiles.front().coordinates()) {
    const bool differ = std::any_of(tiles.begin(), tiles.end(), [&, name = dim, own = labels](const Dataset& tile) {
      const auto found = tile.coordinates().find(name);
      if (found == tile.coordinates().end())
        throw Error("a tile has no labels along '" + name + "', which others have");
      return !(found->second == own);
    });
    if (!differ) continue;
    dims.push_back(dim);
    along.push_back(in_order(tiles, dim));
  }
  if (tiles.size() == 1) return tiles.front();
  std::size_t places = 1;
  for (const auto& labels : along) places *= labels.size();
  if (dims.empty())
    throw Error("two sets have the same variables and the same labels: there is nothing to join them by");
  std::vector<const Dataset*> at(places, nullptr);
  for (const Dataset& tile : tiles) {
    std::size_t place = 0;
    for (std::size_t i = 0; i < dims.size(); ++i) {
      const auto found = std::find(along[i].begin(), along[i].end(), tile.coordinates().at(dims[i]));
      place = place * along[i].size() + static_cast<std::size_t>(found - along[i].begin());
    }
    if (at[place] != nullptr) throw Error("two tiles have the same labels along each of the dimensions");
    at[place] = &tile;
  }
  std::vector<Dataset> parts;
  for (const Dataset* const tile : at) {
    if (tile == nullptr) {
      throw Error("a tile is missing: " + std::to_string(tiles.size()) +
                  " are there, but their labels make a grid of " + std::to_string(places));
    }
    parts.push_back(*tile);
  }
  for (std::size_t i = dims.size(); i-- > 0;) {
    std::vector<Dataset> wider;
    const auto each = static_cast<std::ptrdiff_t>(along[i].size());
    for (auto from = parts.begin(); from != parts.end(); from += each) {
      wider.push_back(joined(std::vector<Dataset>(from, from + each), dims[i], where));
    }
    parts = std::move(wider);
  }
  return parts.front();
}

Dataset merged(const std::vector<Dataset>& sets) {
  std::vector<LabelledArray> out;
  std::map<std::string, Coordinate> labels;
  for (const Dataset& set : sets) {
    for (const auto& [dim, own] : set.coordinates()) {
      const auto [known, fresh] = labels.emplace(dim, own);
      if (!fresh && !(known->second == own)) {
        throw Error("two sets have other labels along '" + dim +
                    "': reindex gives them the same, combine_by_coords joins");
      }
    }
    for (const LabelledArray& one : set.variables()) {
      const auto known =
          std::find_if(out.begin(), out.end(), [&](const LabelledArray& other) { return other.name() == one.name(); });
      if (known == out.end()) {
        out.push_back(one);
      } else if (known->data().node()->key != one.data().node()->key) {
        throw Error("'" + one.name() + "' is in two sets, with values from other sources: rename one, or leave it out");
      }
    }
  }
  return {std::move(out), sets.front().attributes()};
}

}  // namespace

LabelledArray concat(const std::vector<LabelledArray>& arrays, const std::string& dim, const Where& where) {
  return told("concat", where, [&] {
    if (arrays.empty()) throw Error("needs at least one array");
    return joined(arrays, dim, where);
  });
}

LabelledArray concat(const std::vector<LabelledArray>& arrays, const Coordinate& labels, const Where& where) {
  return told("concat", where, [&] {
    if (arrays.empty() || arrays.size() != labels.size()) {
      throw Error(std::to_string(labels.size()) + " labels along '" + labels.name() + "' were given for " +
                  std::to_string(arrays.size()) + " arrays: each needs one");
    }
    std::vector<arrays::Array> pieces;
    for (std::size_t i = 0; i < arrays.size(); ++i) {
      check_alike(arrays[0], arrays[i], i, "");
      pieces.push_back(arrays[i].data());
    }
    std::vector<std::string> dims = arrays[0].dims();
    dims.insert(dims.begin(), labels.name());
    LabelledArray::Coordinates coordinates = arrays[0].coordinates();
    coordinates[labels.name()] = labels;
    return LabelledArray(arrays::stack(pieces, 0, where), std::move(dims), std::move(coordinates), arrays[0].name(),
                         arrays[0].attributes());
  });
}

Dataset concat(const std::vector<Dataset>& sets, const std::string& dim, const Where& where) {
  return told("concat", where, [&] {
    if (sets.empty()) throw Error("needs at least one set");
    return joined(sets, dim, where);
  });
}

Dataset merge(const std::vector<Dataset>& sets, const Where& where) {
  return told("merge", where, [&] {
    if (sets.empty()) throw Error("needs at least one set");
    return merged(sets);
  });
}

Dataset combine_by_coords(const std::vector<Dataset>& sets, const Where& where) {
  return told("combine_by_coords", where, [&] {
    if (sets.empty()) throw Error("needs at least one set");
    std::map<std::vector<std::string>, std::vector<Dataset>> kinds;
    for (const Dataset& set : sets) {
      std::vector<std::string> names;
      for (const LabelledArray& one : set.variables()) names.push_back(one.name());
      std::sort(names.begin(), names.end());
      kinds[names].push_back(set);
    }
    std::vector<Dataset> parts;
    for (auto& [names, tiles] : kinds) parts.push_back(tiled(std::move(tiles), where));
    return merged(parts);
  });
}

Dataset open_combined(const std::vector<std::string>& paths, const Where& where) {
  std::vector<Dataset> sets;
  for (const std::string& path : paths) sets.push_back(open_dataset(path));
  return combine_by_coords(sets, where);
}

}  // namespace weft
