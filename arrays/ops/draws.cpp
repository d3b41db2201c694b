// Draws from lists: permutations, choices, counts of outcomes.
#include <weft/ops/distributions.hpp>

#include "arrays/kernels/copy.hpp"
#include "arrays/ops/random_elements.hpp"
#include "arrays/ops/telling.hpp"

#include <weft/ops/creation.hpp>
#include <weft/ops/structure.hpp>

#include <algorithm>
#include <array>
#include <cstring>

namespace weft::arrays {
namespace {

using expression::Block;
using expression::Box;
using expression::ChunkWork;
using expression::Need;

/// The order of `n` things: shuffled one by one where they are few, else by a network of exchanges on the bits of the
/// index (Luby and Rackoff), walked until the index is below n.
class Order {
 public:
  Order(std::int64_t n, std::uint64_t seed) : n_(n), seed_(seed) {
    constexpr std::int64_t kFew = 1 << 14;
    if (n <= kFew) {
      places_.resize(static_cast<std::size_t>(n));
      for (std::int64_t i = 0; i < n; ++i) {
        ops::RandomStream stream(seed, static_cast<std::uint64_t>(i));
        const auto j = static_cast<std::int64_t>(
            (static_cast<unsigned __int128>(stream.bits()) * static_cast<std::uint64_t>(i + 1)) >> 64);
        places_[static_cast<std::size_t>(i)] = places_[static_cast<std::size_t>(j)];
        places_[static_cast<std::size_t>(j)] = i;
      }
      return;
    }
    while ((std::int64_t{1} << (2 * half_)) < n) ++half_;
  }
  std::int64_t operator[](std::int64_t index) const {
    if (!places_.empty()) return places_[static_cast<std::size_t>(index)];
    auto at = static_cast<std::uint64_t>(index);
    do {
      at = exchanged(at);
    } while (at >= static_cast<std::uint64_t>(n_));
    return static_cast<std::int64_t>(at);
  }

 private:
  std::uint64_t exchanged(std::uint64_t at) const {
    const std::uint64_t mask = (std::uint64_t{1} << half_) - 1;
    std::uint64_t left = at >> half_, right = at & mask;
    for (std::uint32_t round = 1; round <= 6; ++round) {
      ops::RandomStream stream(seed_, right, round);
      const std::uint64_t next = left ^ (stream.bits() & mask);
      left = right;
      right = next;
    }
    return left << half_ | right;
  }

  std::int64_t n_;
  std::uint64_t seed_;
  int half_ = 1;
  std::vector<std::int64_t> places_;
};

struct Permuted {
  static constexpr const char* kName = "permutation";
  static constexpr bool kAssembles = false;
  std::int64_t n;
  std::uint64_t seed;
  void needs(const Box&, std::vector<Need>&) const {}
  void run(const ChunkWork& work) const {
    const Order order(n, seed);
    auto* const out = reinterpret_cast<std::int64_t*>(work.output.data);
    for (std::int64_t i = 0; i < work.out.extent[0]; ++i) out[i] = order[work.out.start[0] + i];
  }
};

/// Rows in random order: each piece of the source gives the part of it that a chunk wants.
struct PermutedRows {
  static constexpr const char* kName = "permutation";
  static constexpr bool kAssembles = false;
  expression::AxisGrid rows;
  std::uint64_t seed;

  /// The wanted rows by piece: (piece, row, place in the chunk).
  std::vector<std::array<std::int64_t, 3>> wanted(const Box& out) const {
    const Order order(rows.extent(), seed);
    std::vector<std::array<std::int64_t, 3>> list;
    for (std::int64_t i = 0; i < out.extent[0]; ++i) {
      const std::int64_t row = order[out.start[0] + i];
      list.push_back({rows.find(row), row, i});
    }
    std::sort(list.begin(), list.end());
    return list;
  }
  void needs(const Box& out, std::vector<Need>& needs) const {
    const auto list = wanted(out);
    for (std::size_t i = 0; i < list.size();) {
      std::size_t end = i;
      while (end < list.size() && list[end][0] == list[i][0]) ++end;
      Need need{0, out, {}};
      need.box.start[0] = list[i][1];
      need.box.extent[0] = list[end - 1][1] - list[i][1] + 1;
      needs.push_back(std::move(need));
      i = end;
    }
  }
  void run(const ChunkWork& work) const;
};

void PermutedRows::run(const ChunkWork& work) const {
  const auto list = wanted(work.out);
  std::size_t need = 0;
  std::vector<std::int64_t> extents = work.output.shape;
  extents[0] = 1;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i > 0 && list[i][0] != list[i - 1][0]) ++need;
    const Block& from = work.inputs[need];
    if (from.data == nullptr) continue;
    const std::int64_t row = list[i][1] - work.needs[need].box.start[0];
    kernels::copy_box(work.output.data + list[i][2] * work.output.strides[0], work.output.strides.data(),
                      from.data + row * from.strides[0], from.strides.data(), extents.data(), extents.size(),
                      from.dtype.size());
  }
}

/// How often each outcome came: conditional binomial numbers, each from a lane of its own.
struct Multinomial {
  static constexpr const char* kName = "multinomial";
  static constexpr bool kAssembles = false;
  std::uint64_t seed;
  std::int64_t n;
  std::vector<double> probabilities;
  std::vector<std::int64_t> shape;
  void needs(const Box&, std::vector<Need>&) const {}
  void run(const ChunkWork& work) const {
    auto* out = reinterpret_cast<std::int64_t*>(work.output.data);
    Box rows = work.out;
    rows.start.pop_back();
    rows.extent.pop_back();
    ops::each_element(shape, rows, [&](std::uint64_t flat, const auto&, std::int64_t, std::int64_t) {
      double left = static_cast<double>(n), room = 1;
      for (std::size_t k = 0; k < probabilities.size(); ++k) {
        ops::RandomStream stream(seed, flat, static_cast<std::uint32_t>(k + 1));
        const bool last = k + 1 == probabilities.size();
        const double share = room > 0 ? std::min(1.0, probabilities[k] / room) : 1;
        const double count = last ? left : ops::sample_binomial(stream, left, share);
        *out++ = static_cast<std::int64_t>(count);
        left -= count;
        room -= probabilities[k];
      }
    });
  }
};

/// Draws by the sums of probabilities.
struct Weighted {
  static constexpr const char* kName = "choice";
  static constexpr bool kAssembles = false;
  std::uint64_t seed;
  std::vector<double> sums;
  std::vector<std::int64_t> shape;
  void needs(const Box&, std::vector<Need>&) const {}
  void run(const ChunkWork& work) const {
    auto* const out = reinterpret_cast<std::int64_t*>(work.output.data);
    ops::each_element(shape, work.out, [&](std::uint64_t flat, const auto&, std::int64_t, std::int64_t place) {
      ops::RandomStream stream(seed, flat);
      const auto found = std::upper_bound(sums.begin(), sums.end() - 1, stream.uniform() * sums.back());
      out[place] = found - sums.begin();
    });
  }
};

/// Elements of a short list at given places.
struct Listed {
  static constexpr const char* kName = "choice_of";
  static constexpr bool kAssembles = false;
  std::vector<std::uint8_t> bytes;
  void needs(const Box& out, std::vector<Need>& needs) const { needs.push_back({0, out, {}}); }
  void run(const ChunkWork& work) const {
    const Block& from = work.inputs[0];
    if (from.data == nullptr) return;
    const std::int64_t count = work.out.elements();
    std::vector<std::int64_t> places(static_cast<std::size_t>(count));
    const auto packed = c_strides(Shape(from.shape), sizeof(std::int64_t));
    kernels::copy_box(reinterpret_cast<std::byte*>(places.data()), packed.data(), from.data, from.strides.data(),
                      from.shape.data(), from.shape.size(), sizeof(std::int64_t));
    const std::size_t size = work.output.dtype.size();
    for (std::size_t i = 0; i < places.size(); ++i) {
      std::memcpy(work.output.data + i * size, bytes.data() + static_cast<std::size_t>(places[i]) * size, size);
    }
  }
};

}  // namespace
}  // namespace weft::arrays

namespace weft::random {

namespace expression = arrays::expression;
namespace ops = arrays::ops;
using ops::require;
using std::source_location;

namespace {

void require_probabilities(const char* name, const std::vector<double>& p, const source_location& where) {
  double sum = 0;
  for (const double one : p) {
    require(one >= 0, name, "a probability is negative", where);
    sum += one;
  }
  require(std::fabs(sum - 1) <= 1e-8, name, "the probabilities do not add up to 1", where);
}

}  // namespace

Array multinomial(std::int64_t n, const std::vector<double>& probabilities, const Shape& shape,
                  const RandomOptions& options, const source_location& where) {
  require(n >= 0, "random::multinomial", "the number of trials is negative", where);
  require_probabilities("random::multinomial", probabilities, where);
  ops::require_extents("random::multinomial", shape, where);
  auto grid =
      ops::grid_for("random::multinomial", where, shape, options.chunks, sizeof(std::int64_t) * probabilities.size());
  grid.push_back(expression::AxisGrid::whole(static_cast<std::int64_t>(probabilities.size())));
  return Array(expression::make_structural(
      expression::make_structure(arrays::Multinomial{ops::seed_of(options.seed), n, probabilities, shape.vector()}), {},
      int64, std::move(grid), where));
}

Array permutation(std::int64_t n, const RandomOptions& options, const source_location& where) {
  require(n >= 0, "random::permutation", "the number of things is negative", where);
  return Array(expression::make_structural(
      expression::make_structure(arrays::Permuted{n, ops::seed_of(options.seed)}), {}, int64,
      ops::grid_for("random::permutation", where, Shape(n), options.chunks, sizeof(std::int64_t)), where));
}
Array permutation(const Array& array, const RandomOptions& options, const source_location& where) {
  require(array.ndim() > 0, "random::permutation", "an array without dimensions has no rows", where);
  const auto& node = array.node();
  return Array(expression::make_structural(
      expression::make_structure(arrays::PermutedRows{node->grid[0], ops::seed_of(options.seed)}), {node}, node->dtype,
      node->grid, where));
}

Array choice(std::int64_t n, const Shape& shape, const ChoiceOptions& options, const source_location& where) {
  constexpr const char* kName = "random::choice";
  const std::int64_t size = shape.elements();
  require(n > 0 || size == 0, kName, "there is nothing to choose from", where);
  require(options.p.empty() || static_cast<std::int64_t>(options.p.size()) == n, kName,
          "there must be as many probabilities as things", where);
  if (!options.p.empty()) require_probabilities(kName, options.p, where);
  const std::uint64_t seed = ops::seed_of(options.seed);
  if (options.replace) {
    if (options.p.empty()) return integers(0, n, shape, {.chunks = options.chunks, .seed = seed}, where);
    std::vector<double> sums;
    for (double sum = 0; const double one : options.p) sums.push_back(sum += one);
    return Array(expression::make_structural(
        expression::make_structure(arrays::Weighted{seed, std::move(sums), shape.vector()}), {}, int64,
        ops::grid_for("random::choice", where, shape, options.chunks, sizeof(std::int64_t)), where));
  }
  require(size <= n, kName, "more are drawn without replacing them than there are", where);
  if (options.p.empty()) {
    const Array first = permutation(n, {.seed = seed}, where)(slice(0, size));
    return rechunk(reshape(first, shape, where), options.chunks, where);
  }
  // Efraimidis and Spirakis, 2006: those with the largest u^(1/p).
  std::vector<std::pair<double, std::int64_t>> keys;
  for (std::int64_t i = 0; i < n; ++i) {
    const double p = options.p[static_cast<std::size_t>(i)];
    if (p == 0) continue;
    ops::RandomStream stream(seed, static_cast<std::uint64_t>(i));
    keys.emplace_back(-std::log(stream.uniform()) / p, i);
  }
  require(size <= static_cast<std::int64_t>(keys.size()), kName,
          "more are drawn without replacing them than have a probability above 0", where);
  std::partial_sort(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(size), keys.end());
  std::vector<std::int64_t> drawn;
  for (std::int64_t i = 0; i < size; ++i) drawn.push_back(keys[static_cast<std::size_t>(i)].second);
  return from_ndarray(NDArray::of(drawn, shape), options.chunks, where);
}

Array choice(const NDArray& values, const Shape& shape, const ChoiceOptions& options, const source_location& where) {
  require(values.ndim() == 1, "random::choice", "values must lie along one axis", where);
  const Array places = choice(values.size(), shape, options, where);
  const NDArray packed = values.as_contiguous();
  const auto* const first = reinterpret_cast<const std::uint8_t*>(packed.data());
  arrays::Listed listed{{first, first + packed.nbytes()}};
  return Array(expression::make_structural(expression::make_structure(std::move(listed)), {places.node()},
                                           values.dtype(), places.node()->grid, where));
}

RandomOptions Generator::next(RandomOptions options) {
  if (!options.seed) {
    ops::RandomStream stream(seed_, streams_++, 1);
    options.seed = stream.bits();
  }
  return options;
}

}  // namespace weft::random
