#include "arrays/ops/sort_pieces.hpp"

#include <weft/buffer.hpp>
#include <weft/ops/structure.hpp>

#include <algorithm>
#include <cstring>

namespace weft::arrays::ops {
namespace {

using expression::Grid;
using kernels::PlacedKey;

/// Keys that a piece is asked for, for each boundary in each round.
constexpr std::int64_t kProbes = 64;

/// Calls visit with a zero of the type of the keys.
template <class Visit>
void with_key(bool placed, const Visit& visit) {
  if (placed) {
    visit(PlacedKey{});
  } else {
    visit(std::uint64_t{});
  }
}

/// What may be the place of a boundary in a piece: not before `low`, not behind `high`.
struct Bracket {
  std::int64_t low;
  std::int64_t high;
};

std::int64_t probe_count(const Bracket& bracket) { return std::min(kProbes, bracket.high - bracket.low); }

/// Probes are spread over the elements [low, high); where these are few, they are all of them.
std::int64_t probe_place(const Bracket& bracket, std::int64_t probe) {
  const std::int64_t width = bracket.high - bracket.low;
  if (width <= kProbes) return bracket.low + probe;
  return bracket.low + static_cast<std::int64_t>(static_cast<unsigned __int128>(width) *
                                                 static_cast<unsigned __int128>(probe + 1) / (kProbes + 1));
}

/// The keys at the probes of one piece, for each boundary. Inputs: the keys; the brackets, in all rounds but the first.
struct SplitProbe {
  static constexpr const char* kName = "sort-probe";
  static constexpr bool kAssembles = false;
  AxisGrid pieces;
  bool placed;
  bool first;

  void needs(const Box& out, std::vector<Need>& needs) const {
    const std::int64_t piece = out.start[0];
    needs.push_back({0, Box{{pieces.start(piece)}, {pieces.size(piece)}}, {}});
    if (!first) needs.push_back({1, Box{{0, piece, 0}, {pieces.count() - 1, 1, 2}}, {}});
  }
  void run(const ChunkWork& work) const {
    const std::int64_t size = work.inputs[0].shape[0];
    with_key(placed, [&](auto zero) {
      using K = decltype(zero);
      const auto* const keys = reinterpret_cast<const K*>(work.inputs[0].data);
      auto* const out = reinterpret_cast<K*>(work.output.data);
      for (std::int64_t boundary = 0; boundary + 1 < pieces.count(); ++boundary) {
        Bracket bracket{0, size};
        if (!first) {
          std::memcpy(&bracket, work.inputs[1].data + boundary * work.inputs[1].strides[0], sizeof bracket);
        }
        const std::int64_t count = probe_count(bracket);
        for (std::int64_t probe = 0; probe < kProbes; ++probe) {
          out[boundary * kProbes + probe] = probe < count ? keys[probe_place(bracket, probe)] : K{};
        }
      }
    });
  }
};

/// One probed element.
template <class K>
struct Probe {
  K key;
  std::int64_t piece;
  std::int64_t number;
  std::int64_t place;
};

/// Narrows the brackets of one boundary. All elements have one order: by key, piece and place. An element is before the
/// boundary exactly if fewer than `rank` elements are before it; of the elements before it each piece tells two bounds,
/// by its probes on both sides.
template <class K>
void narrow(std::int64_t rank, const std::byte* probed, std::int64_t probe_stride, std::vector<Bracket>& brackets) {
  const std::vector<Bracket> before = brackets;
  std::vector<Probe<K>> probes;
  // What is known of each piece, for the element that is looked at: how many of its elements are before that.
  std::vector<Bracket> known = brackets;
  std::int64_t at_least = 0, at_most = 0;
  for (std::size_t piece = 0; piece < before.size(); ++piece) {
    const std::int64_t count = probe_count(before[piece]);
    const auto* const keys = reinterpret_cast<const K*>(probed + static_cast<std::int64_t>(piece) * probe_stride);
    for (std::int64_t probe = 0; probe < count; ++probe) {
      probes.push_back({keys[probe], static_cast<std::int64_t>(piece), probe, probe_place(before[piece], probe)});
    }
    if (count > 0) known[piece].high = probe_place(before[piece], 0);
    at_least += known[piece].low;
    at_most += known[piece].high;
  }
  std::sort(probes.begin(), probes.end(), [](const Probe<K>& a, const Probe<K>& b) {
    if (a.key < b.key || b.key < a.key) return a.key < b.key;
    return a.piece != b.piece ? a.piece < b.piece : a.place < b.place;
  });
  for (const Probe<K>& probe : probes) {
    const auto piece = static_cast<std::size_t>(probe.piece);
    at_least += probe.place - known[piece].low;
    if (at_most < rank) {
      brackets[piece].low = probe.place + 1;
    } else if (at_least >= rank) {
      brackets[piece].high = std::min(brackets[piece].high, probe.place);
    }
    known[piece].low = probe.place + 1;
    ++at_least;
    const bool last = probe.number + 1 == probe_count(before[piece]);
    known[piece].high = last ? before[piece].high : probe_place(before[piece], probe.number + 1);
    at_most += known[piece].high - probe.place;
  }
}

/// The brackets of some boundaries after a round. Inputs: the probes; the brackets, in all rounds but the first.
struct SplitNarrow {
  static constexpr const char* kName = "sort-narrow";
  static constexpr bool kAssembles = false;
  AxisGrid pieces;
  bool placed;
  bool first;

  void needs(const Box& out, std::vector<Need>& needs) const {
    needs.push_back({0, Box{{0, out.start[0], 0}, {pieces.count(), out.extent[0], kProbes}}, {}});
    if (!first) needs.push_back({1, out, {}});
  }
  void run(const ChunkWork& work) const {
    const Block& probes = work.inputs[0];
    for (std::int64_t i = 0; i < work.output.shape[0]; ++i) {
      std::vector<Bracket> brackets;
      for (std::int64_t piece = 0; piece < pieces.count(); ++piece) {
        Bracket bracket{0, pieces.size(piece)};
        if (!first) {
          const Block& state = work.inputs[1];
          std::memcpy(&bracket, state.data + i * state.strides[0] + piece * state.strides[1], sizeof bracket);
        }
        brackets.push_back(bracket);
      }
      const std::int64_t rank = pieces.end(work.out.start[0] + i);
      with_key(placed, [&](auto zero) {
        narrow<decltype(zero)>(rank, probes.data + i * probes.strides[1], probes.strides[0], brackets);
      });
      std::memcpy(work.output.data + i * work.output.strides[0], brackets.data(), brackets.size() * sizeof(Bracket));
    }
  }
};

/// What one piece gives to one chunk of the result. Inputs: the keys, the closed brackets.
struct SplitStretch {
  static constexpr const char* kName = "sort-stretch";
  static constexpr bool kAssembles = false;
  static constexpr bool kDefers = true;
  AxisGrid pieces;

  void needs(const Box& out, std::vector<Need>& needs) const {
    const std::int64_t number = out.start[0] / AxisGrid::kDeferredStep;
    const std::int64_t chunk = number / pieces.count(), piece = number % pieces.count();
    needs.push_back({0, Box{{pieces.start(piece)}, {pieces.size(piece)}}, {}});
    const std::int64_t from = std::max<std::int64_t>(0, chunk - 1);
    const std::int64_t to = std::min(chunk + 1, pieces.count() - 1);
    needs.push_back({1, Box{{from, piece, 0}, {to - from, 1, 2}}, {}});
  }
  void run(const ChunkWork& work) const {
    const std::int64_t chunk = work.out.start[0] / AxisGrid::kDeferredStep / pieces.count();
    const Block& keys = work.inputs[0];
    const Block& state = work.inputs[1];
    const auto boundary = [&](std::int64_t row) {
      Bracket bracket;
      std::memcpy(&bracket, state.data + row * state.strides[0], sizeof bracket);
      if (bracket.low != bracket.high) throw Error("sort: the boundaries of the pieces were not found");
      return bracket.low;
    };
    const std::int64_t begin = chunk == 0 ? 0 : boundary(0);
    const std::int64_t end = chunk + 1 == pieces.count() ? keys.shape[0] : boundary(chunk == 0 ? 0 : 1);
    const Block out = work.allocate({end - begin});
    const std::size_t bytes = keys.dtype.size();
    if (end > begin) {
      std::memcpy(out.data, keys.data + static_cast<std::size_t>(begin) * bytes,
                  static_cast<std::size_t>(end - begin) * bytes);
    }
  }
};

/// A chunk of the result from its stretches.
struct MergeStretches {
  static constexpr const char* kName = "sort-merge";
  static constexpr bool kAssembles = false;
  static constexpr bool kTakesDeferred = true;
  AxisGrid pieces;
  bool placed;

  void needs(const Box& out, std::vector<Need>& needs) const {
    const std::int64_t chunk = pieces.find(out.start[0]);
    for (std::int64_t piece = 0; piece < pieces.count(); ++piece) {
      needs.push_back({0, Box{{(chunk * pieces.count() + piece) * AxisGrid::kDeferredStep}, {1}}, {}});
    }
  }
  void run(const ChunkWork& work) const {
    const auto count = static_cast<std::size_t>(work.output.shape[0]);
    if (placed) {
      Buffer room = Buffer::allocate(2 * count * sizeof(PlacedKey));
      auto* const keys = reinterpret_cast<PlacedKey*>(room.data());
      merge_all(work, keys, keys + count);
      auto* const places = reinterpret_cast<std::int64_t*>(work.output.data);
      for (std::size_t i = 0; i < count; ++i) places[i] = keys[i].place;
      return;
    }
    const bool wide = work.output.dtype.size() == sizeof(std::uint64_t);
    Buffer room = Buffer::allocate((wide ? 1 : 2) * count * sizeof(std::uint64_t));
    auto* const other = reinterpret_cast<std::uint64_t*>(room.data());
    auto* const keys = wide ? reinterpret_cast<std::uint64_t*>(work.output.data) : other + count;
    merge_all(work, keys, other);
    kernels::write_values(work.output.dtype, keys, count, work.output.data);
  }
  /// Merges neighbours until one is left, between the inputs and two places by turns; it ends in `out`.
  template <class K>
  static void merge_all(const ChunkWork& work, K* out, K* other) {
    struct Run {
      const K* keys;
      std::size_t count;
    };
    std::vector<Run> runs;
    for (const Block& block : work.inputs) {
      if (block.data == nullptr || block.shape[0] == 0) continue;
      runs.push_back({reinterpret_cast<const K*>(block.data), static_cast<std::size_t>(block.shape[0])});
    }
    std::size_t rounds = 1;
    for (std::size_t left = (runs.size() + 1) / 2; left > 1; left = (left + 1) / 2) ++rounds;
    for (; rounds > 0; --rounds) {
      K* to = rounds % 2 == 1 ? out : other;
      std::vector<Run> merged;
      for (std::size_t at = 0; at < runs.size(); at += 2) {
        const Run second = at + 1 < runs.size() ? runs[at + 1] : Run{nullptr, 0};
        kernels::merge_keys(runs[at].keys, runs[at].count, second.keys, second.count, to);
        merged.push_back({to, runs[at].count + second.count});
        to += merged.back().count;
      }
      runs.swap(merged);
    }
  }
};

}  // namespace

Array sort_pieces(const Array& keys, const AxisGrid& pieces, const SortedForm& form,
                  const std::source_location& where) {
  const std::int64_t count = pieces.count();
  const std::int64_t boundaries = count - 1;
  const Grid probes{AxisGrid::regular(count, 1), AxisGrid::whole(boundaries), AxisGrid::whole(kProbes)};
  const Grid brackets{AxisGrid::regular(boundaries, std::max<std::int64_t>(1, boundaries / 16)), AxisGrid::whole(count),
                      AxisGrid::whole(2)};
  // Each round leaves about an eighth of what was possible, as 8 / kProbes of it are between two probes; once that is
  // less than the probes, the next one tells exactly.
  Array state;
  bool first = true;
  for (double possible = static_cast<double>(pieces.extent());;) {
    const auto with_state = [&](const Array& one) {
      return first ? std::vector<Array>{one} : std::vector<Array>{one, state};
    };
    const Array probed =
        structural(SplitProbe{pieces, form.placed, first}, with_state(keys), keys.dtype(), probes, where);
    state = structural(SplitNarrow{pieces, form.placed, first}, with_state(probed), int64, brackets, where);
    first = false;
    if (possible <= 1) break;
    possible = possible <= static_cast<double>(kProbes) ? 1 : possible * 8 / static_cast<double>(kProbes);
  }
  const Array stretches =
      structural(SplitStretch{pieces}, {keys, state}, keys.dtype(),
                 {AxisGrid::deferred(count * count, state.node()->key.high, state.node()->key.low)}, where);
  return structural(MergeStretches{pieces, form.placed}, {stretches}, form.dtype, {pieces}, where);
}

}  // namespace weft::arrays::ops
