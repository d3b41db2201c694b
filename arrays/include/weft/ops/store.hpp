#pragma once

#include <weft/ops/creation.hpp>
#include <weft/ops/kernel.hpp>

namespace weft::arrays {

namespace detail {

template <class M>
struct WriteMember {};
template <class R, class C, class T, std::size_t N>
struct WriteMember<R (C::*)(const Region&, ChunkView<const T, N>)> {
  using View = ChunkView<const T, N>;
  static constexpr bool kConst = false;
};
template <class R, class C, class T, std::size_t N>
struct WriteMember<R (C::*)(const Region&, ChunkView<const T, N>) const> {
  using View = ChunkView<const T, N>;
  static constexpr bool kConst = true;
};
template <class Target>
concept HasWrite = requires {
  typename WriteMember<decltype(&Target::write)>::View;
};

using WriteRegion = void (*)(void* target, const Region& region, const RawView& view);

/// Checks that the chunks can be seen as the target's `write` wants them.
void check_store(const Array& array, const ViewType& view, const std::source_location& where);
/// Computes the chunks, a few at a time, and writes each in this thread, in their order.
void store_here(const Client& client, const Array& array, void* target, WriteRegion write);
std::vector<Region> regions_of(const Array& array);
RawView view_of(const Region& region, Dtype dtype, const Buffer& chunk);

/// Writes a chunk where it was computed.
template <class Target>
struct WriteChunk {
  bool operator()(const Target& target, const Region& region, const Buffer& chunk) const {
    using View = typename WriteMember<decltype(&Target::write)>::View;
    target.write(region, typed_view<View>(view_of(region, dtype_of<typename View::value_type>(), chunk)));
    return true;
  }
};

}  // namespace detail

/// Computes the array and hands each chunk to `target.write(const Region&, ChunkView<const T, N>)`, with T and N as the
/// array has them:
///
///     struct Log { void write(const Region& region, ChunkView<const double, 2> chunk) { ... } };
///
/// Where `write` is const and the target travels, copies of it write in parallel where the chunks were computed;
/// otherwise the target itself writes, in this thread, chunk after chunk. Returns when all have been written.
template <class Target>
void store(const Client& client, const Array& array, Target& target,
           const std::source_location& where = std::source_location::current()) {
  using Plain = std::remove_const_t<Target>;
  static_assert(detail::HasWrite<Plain>,
                "weft: store needs a target with one write(const Region&, ChunkView<const T, N>)");
  if constexpr (detail::HasWrite<Plain>) {
    using Member = detail::WriteMember<decltype(&Plain::write)>;
    using View = typename Member::View;
    detail::check_store(array, {dtype_of<typename View::value_type>(), View::kRank}, where);
    if constexpr (Member::kConst && Travels<Plain>) {
      const std::vector<Region> regions = detail::regions_of(array);
      std::vector<Delayed<bool>> written;
      {
        const std::vector<Delayed<Buffer>> chunks = to_delayed(array);
        const auto write = delayed(detail::WriteChunk<Plain>{}, where);
        for (std::size_t i = 0; i < chunks.size(); ++i) written.push_back(write(Plain(target), regions[i], chunks[i]));
      }
      client.compute(written);
    } else {
      detail::store_here(client, array, &target, [](void* to, const Region& region, const detail::RawView& view) {
        static_cast<Target*>(to)->write(region, detail::typed_view<View>(view));
      });
    }
  }
}

}  // namespace weft::arrays

namespace weft {
using arrays::store;
}  // namespace weft
