#include "core/journal/source.hpp"

#include <weft/error.hpp>

namespace weft::journal {
namespace {

/// Returns whether a large result is what was written, without keeping it.
bool is_whole(const std::string& file, const RecordPlace& place) {
  try {
    return holds_record(file, place);
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

std::optional<Stored> Source::find(const Key& key, bool last_chance) {
  const Contents::Found there = contents_.find(key);
  if (there.file == nullptr) return std::nullopt;
  Stored stored{key, *there.file, there.place};
  bool good = true;
  if (there.place.bytes <= kFewBytes) {
    stored.bytes.resize(there.place.bytes);
    try {
      good = read_record(*there.file, there.place, stored.bytes.data());
    } catch (const Error&) {
      good = false;
    }
  } else if ((far_ || last_chance) &&
             looked_through_.fetch_add(there.place.bytes, std::memory_order_relaxed) < kMostLookedThrough) {
    good = is_whole(*there.file, there.place);
  }
  if (good) return stored;
  lost_.fetch_add(1, std::memory_order_relaxed);
  return std::nullopt;
}

void Source::count(const Stored& taken) {
  found_.fetch_add(1, std::memory_order_relaxed);
  found_bytes_.fetch_add(taken.place.bytes, std::memory_order_relaxed);
}

}  // namespace weft::journal
