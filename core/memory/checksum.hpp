#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace weft {

/// Finds damage in bytes that were away: four CRC32C lanes over alternate words, folded to 64 bits. Four, because one
/// CRC instruction waits three cycles for the one before it; a single lane would cost more than the disk.
/// Owns: 56 bytes of state.  Threading: one thread. The same bytes give the same value on every
/// little-endian machine; graph files hold it.
class Checksum {
 public:
  Checksum& add(const void* bytes, std::size_t size) noexcept;
  std::uint64_t value() const noexcept;

  static std::uint64_t of(const void* bytes, std::size_t size) noexcept { return Checksum().add(bytes, size).value(); }

  /// Tells whether the processor's CRC instruction is used.
  static bool in_hardware() noexcept;
  /// Sets the table-driven way for tests; false goes back to what the processor has.
  static void force_software(bool force) noexcept;

 private:
  using Lanes = std::array<std::uint32_t, 4>;
  static constexpr std::size_t kStride = 4 * sizeof(std::uint64_t);

  Lanes lanes_{0x9e3779b9u, 0x85ebca6bu, 0xc2b2ae35u, 0x27d4eb2fu};
  std::uint64_t size_ = 0;
  // The begin of a stride that is not complete.
  std::array<std::byte, kStride> rest_{};
};

}  // namespace weft
