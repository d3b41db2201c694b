// Rice coding: differences between neighbours, each with its high bits as a count of zeros and its low bits as they
// are.
#include "io/fits/tiles.hpp"

#include <bit>

namespace weft::io::fits {
namespace {

/// Bits, the high one of each byte first.
/// Owns: nothing.  Threading: one thread.
class Bits {
 public:
  Bits(const std::string& path, std::span<const std::byte> from) : path_(path), from_(from) {}

  std::uint64_t take(unsigned count) {
    while (held_ < count) {
      need();
    }
    held_ -= count;
    return bits_ >> held_ & ((std::uint64_t{1} << count) - 1);
  }
  /// Counts zeros up to a one, and takes that, too.
  std::uint64_t zeros() {
    std::uint64_t count = 0;
    for (;;) {
      const std::uint64_t rest = bits_ & ((std::uint64_t{1} << held_) - 1);
      if (rest != 0) {
        const auto width = static_cast<unsigned>(std::bit_width(rest));
        count += held_ - width;
        held_ = width - 1;
        return count;
      }
      count += held_;
      held_ = 0;
      need();
    }
  }

 private:
  void need() {
    if (at_ == from_.size()) fail(path_, "a tile's Rice bits end too early: it is damaged");
    bits_ = bits_ << 8 | static_cast<std::uint64_t>(from_[at_++]);
    held_ += 8;
  }

  const std::string& path_;
  std::span<const std::byte> from_;
  std::size_t at_ = 0;
  std::uint64_t bits_ = 0;
  unsigned held_ = 0;
};

}  // namespace

void unpack_rice(const std::string& path, std::span<const std::byte> from, std::uint32_t block, std::uint32_t bytes,
                 std::span<std::int64_t> out) {
  // How many bits say of a block how many low bits its differences have, and what of them means "as they are".
  const unsigned width = 8 * bytes;
  const unsigned choice_bits = bytes == 1 ? 3 : bytes == 2 ? 4 : 5;
  const unsigned as_they_are = bytes == 1 ? 6 : bytes == 2 ? 14 : 25;
  const std::uint64_t mask = (std::uint64_t{1} << width) - 1;
  Bits bits(path, from);
  std::uint64_t last = bits.take(width);
  for (std::size_t begin = 0; begin < out.size(); begin += block) {
    const std::size_t end = std::min<std::size_t>(out.size(), begin + block);
    const auto choice = static_cast<unsigned>(bits.take(choice_bits));
    for (std::size_t i = begin; i < end; ++i) {
      std::uint64_t folded = 0;
      if (choice == as_they_are + 1) {
        folded = bits.take(width);
      } else if (choice > as_they_are + 1) {
        fail(path, "a tile's Rice bits are none: it is damaged");
      } else if (choice > 0) {
        const std::uint64_t high = bits.zeros();
        folded = high << (choice - 1) | bits.take(choice - 1);
      }
      // Even numbers stand for what is not negative.
      const std::uint64_t difference = (folded & 1) != 0 ? ~(folded >> 1) : folded >> 1;
      last = (last + difference) & mask;
      const bool negative = bytes > 1 && (last >> (width - 1)) != 0;
      out[i] = static_cast<std::int64_t>(negative ? last | ~mask : last);
    }
  }
}

}  // namespace weft::io::fits
