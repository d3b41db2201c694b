#pragma once

#include <weft/ids.hpp>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace weft::journal {

/// Names a call across runs of a program: equal keys mean equal functions, arguments and inputs.
struct Key {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  auto operator<=>(const Key&) const = default;
  bool none() const { return high == 0 && low == 0; }
};

struct KeyHash {
  std::size_t operator()(const Key& key) const noexcept { return key.low; }
};

/// Makes a key of bytes. 128 bits of state, each step of which loses nothing, so that keys of different bytes differ
/// but for an accident that no program lives to see. It does not withstand somebody who wants two to be equal.
/// Owns: its state.  Threading: one thread.
class KeyMaker {
 public:
  KeyMaker& add(const void* bytes, std::size_t count) noexcept;
  KeyMaker& add(const Key& key) noexcept { return add(&key, sizeof key); }
  template <class T>
  requires std::is_arithmetic_v<T> KeyMaker& add(T value) noexcept { return add(&value, sizeof value); }
  /// Never returns the key that is none.
  Key key() const noexcept;

 private:
  __extension__ using Word = unsigned __int128;
  Word state_ = (Word{0x6a09e667f3bcc908u} << 64) | 0xbb67ae8584caa73bu;
};

// The keys of this process's tasks, beside their records: 20 bytes for each task of a segment in which one has a key,
// nothing where there is no journal.
// Threading: any thread.

/// Gives a live task its key, and what its result has taken so far.
void set_key(TaskId task, const Key& key, float seconds = 0);
/// Returns the task's key, or one that is none.
Key key_of(TaskId task) noexcept;
/// Returns the seconds that the task's result took, with those of inputs that are not in the journal; negative: it is
/// not to be written.
float cost_of(TaskId task) noexcept;
void set_cost(TaskId task, float seconds) noexcept;
inline constexpr float kNotWritten = -1;

}  // namespace weft::journal
