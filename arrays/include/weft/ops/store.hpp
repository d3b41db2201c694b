#pragma once

#include <weft/journal.hpp>
#include <weft/locks.hpp>
#include <weft/ops/blocks.hpp>
#include <weft/ops/creation.hpp>

#include <optional>

// Arrays in objects of the program: files of its own formats, data bases, instruments, other libraries' arrays.

namespace weft::arrays {

/// How an array is stored.
struct StoreOptions {
  /// Where the array's first element goes in the target; empty: to its origin.
  std::vector<std::int64_t> at = {};
  /// Held by whoever writes: for targets that take one writer at a time.
  std::optional<Lock> lock = {};
};

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

template <class M>
struct ReadMember {};
template <class R, class C, class T, std::size_t N>
struct ReadMember<R (C::*)(const Region&, ChunkView<T, N>) const> {
  using View = ChunkView<T, N>;
};
template <class Target>
concept HasRead = requires {
  typename ReadMember<decltype(&Target::read)>::View;
};

using WriteRegion = void (*)(void* target, const Region& region, const RawView& view);

/// Checks that the chunks can be seen as the target's `write` or `read` (`what`) wants them, and where they go.
void check_store(const Array& array, const ViewType& view, const StoreOptions& options, const char* what,
                 const std::source_location& where);

/// A chunk on its way to an object of this process.
struct StoredChunk {
  Delayed<Buffer> chunk;
  Region region;
  Dtype dtype;
  void* target = nullptr;
  WriteRegion write = nullptr;
  const StoreOptions* options = nullptr;
};
/// Computes the chunks, a few at a time, and writes each in this thread, in their order.
void store_here(const Client& client, std::vector<StoredChunk> chunks);

/// Runs the tasks, waits for all of them, and throws the first error: then nobody writes any more.
void wait_for(const Client& client, const std::vector<Delayed<std::int64_t>>& tasks);

/// The type and the chunks of an array.
CreateOptions created_like(const Array& array);
/// Where each chunk of the array goes.
std::vector<Region> regions_of(const Array& array, const StoreOptions& options);
Region moved(const std::vector<std::int64_t>& start, const std::vector<std::int64_t>& extent,
             const StoreOptions& options);
RawView view_of(const Region& region, Dtype dtype, const Buffer& chunk);

/// Writes a chunk where it was computed.
template <class Target>
struct WriteChunk {
  std::int64_t operator()(const Target& target, const Region& region, const std::optional<Lock>& lock,
                          const Buffer& chunk) const {
    using View = typename WriteMember<decltype(&Target::write)>::View;
    this_task::has_effect();
    const Lease held = lock ? lock->acquire() : Lease();
    target.write(region, typed_view<View>(view_of(region, dtype_of<typename View::value_type>(), chunk)));
    return 1;
  }
};

/// Reads a chunk where it is needed.
template <class Target>
struct ReadChunk {
  using View = typename ReadMember<decltype(&Target::read)>::View;
  Target target{};
  std::vector<std::int64_t> at;
  void operator()(View out, const BlockInfo& info) const {
    target.read(moved(info.start, info.shape, StoreOptions{at}), out);
  }
  template <class Archive>
  friend void weft_fields(Archive& archive, ReadChunk& read) {
    archive(read.target, read.at);
  }
};

template <class Target>
inline constexpr bool writes_anywhere = WriteMember<decltype(&Target::write)>::kConst&& Travels<Target>;

}  // namespace detail

/// One of several arrays that are stored together.
template <class Target>
struct StorePart {
  Array array;
  Target* target = nullptr;
  StoreOptions options;
  std::source_location where;
};
template <class Target>
requires detail::HasWrite<Target> StorePart<Target> into(
    const Array& array, Target& target, const StoreOptions& options = {},
    const std::source_location& where = std::source_location::current()) {
  return {array, &target, options, where};
}

/// Stores several arrays at once: what they share is computed once.
///
///     store(client, into(x - mean, anomalies), into(mean, climate, {.at = {12, 0}}));
template <class... Targets>
requires(sizeof...(Targets) > 0) void store(const Client& client, const StorePart<Targets>&... parts) {
  std::vector<detail::StoredChunk> here;
  std::vector<Delayed<std::int64_t>> written;
  const auto describe = [&]<class Target>(const StorePart<Target>& part, const std::vector<Delayed<Buffer>>& chunks) {
    using Plain = std::remove_const_t<Target>;
    const std::vector<Region> regions = detail::regions_of(part.array, part.options);
    if constexpr (detail::writes_anywhere<Plain>) {
      const auto write = delayed(detail::WriteChunk<Plain>{}, part.where);
      for (std::size_t i = 0; i < chunks.size(); ++i)
        written.push_back(write(Plain(*part.target), regions[i], part.options.lock, chunks[i]));
    } else {
      using View = typename detail::WriteMember<decltype(&Plain::write)>::View;
      const auto write = [](void* to, const Region& region, const detail::RawView& view) {
        static_cast<Target*>(to)->write(region, detail::typed_view<View>(view));
      };
      for (std::size_t i = 0; i < chunks.size(); ++i)
        here.push_back({chunks[i], regions[i], part.array.dtype(), part.target, write, &part.options});
    }
  };
  const auto check = []<class Target>(const StorePart<Target>& part) {
    using View = typename detail::WriteMember<decltype(&std::remove_const_t<Target>::write)>::View;
    detail::check_store(part.array, {dtype_of<typename View::value_type>(), View::kRank}, part.options,
                        "the target writes", part.where);
  };
  (check(parts), ...);
  {
    std::vector<std::vector<Delayed<Buffer>>> chunks = to_delayed(std::vector<Array>{parts.array...});
    std::size_t part = 0;
    (describe(parts, std::exchange(chunks[part++], {})), ...);
  }
  detail::wait_for(client, written);
  detail::store_here(client, std::move(here));
}

/// Computes the array and hands each chunk to `target.write(const Region&, ChunkView<const T, N>)`, with T and N as the
/// array has them:
///
///     struct Log { void write(const Region& region, ChunkView<const double, 2> chunk) { ... } };
///
/// Where `write` is const and the target travels, copies of it write in parallel where the chunks were computed;
/// otherwise the target itself writes, in this thread, chunk after chunk. Returns when all have been written. A chunk
/// whose worker is lost may be written again, with the same elements.
template <class Target>
requires(detail::HasWrite<Target> || !std::is_invocable_v<Target&, const Region&, const NDArray&>) void store(
    const Client& client, const Array& array, Target& target, const StoreOptions& options = {},
    const std::source_location& where = std::source_location::current()) {
  static_assert(detail::HasWrite<std::remove_const_t<Target>>,
                "weft: store needs a target with one write(const Region&, ChunkView<const T, N>)");
  if constexpr (detail::HasWrite<std::remove_const_t<Target>>) {
    store(client, into(array, target, options, where));
  }
}

/// The array as it lies in a target: `target.read(const Region&, ChunkView<T, N>) const` fills each chunk where and
/// when it is needed, so that what was stored need not be kept or computed again.
template <class Target>
Array stored_in(const Target& target, const Array& like, const StoreOptions& options = {},
                const std::source_location& where = std::source_location::current()) {
  static_assert(detail::HasRead<Target>,
                "weft: stored_in needs a target with one read(const Region&, ChunkView<T, N>) const");
  if constexpr (detail::HasRead<Target>) {
    using View = typename detail::ReadMember<decltype(&Target::read)>::View;
    detail::check_store(like, {dtype_of<typename View::value_type>(), View::kRank}, options, "the target reads", where);
    return from_function(like.shape(), detail::ReadChunk<Target>{target, options.at}, detail::created_like(like),
                         where);
  }
}

}  // namespace weft::arrays

namespace weft {
using arrays::into;
using arrays::store;
using arrays::stored_in;
using arrays::StoreOptions;
using arrays::StorePart;
}  // namespace weft
