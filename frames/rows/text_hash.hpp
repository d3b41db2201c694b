#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace weft::frames {

/// Mixes two words: the halves of their product, laid upon each other.
inline std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = Wide{a} * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

/// Returns a hash of one word, the same on every machine.
inline std::uint64_t word_hash(std::uint64_t word) {
  word = (word ^ (word >> 32)) * 0xd6e8feb86659fd93u;
  word = (word ^ (word >> 32)) * 0xd6e8feb86659fd93u;
  return word ^ (word >> 32);
}

/// Returns a hash of the bytes, the same on every machine of the same byte order.
inline std::uint64_t text_hash(std::string_view text) {
  constexpr std::uint64_t kA = 0xa0761d6478bd642fu, kB = 0xe7037ed1a0b428dbu;
  std::uint64_t hash = kA ^ text.size();
  const char* from = text.data();
  std::size_t left = text.size();
  for (; left >= 8; left -= 8, from += 8) {
    std::uint64_t word;
    std::memcpy(&word, from, 8);
    hash = mixed(word ^ kB, hash ^ kA);
  }
  std::uint64_t word = 0;
  if (left != 0) std::memcpy(&word, from, left);
  return mixed(word ^ kB, hash ^ kA) ^ (hash >> 32);
}

}  // namespace weft::frames
