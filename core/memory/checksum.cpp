#include "core/memory/checksum.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace weft {

namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78u;  // CRC32C, reflected

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][i] = crc;
  }
  for (std::uint32_t i = 0; i < 256; ++i) {
    for (std::size_t t = 1; t < 8; ++t) {
      tables[t][i] = (tables[t - 1][i] >> 8) ^ tables[0][tables[t - 1][i] & 0xff];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

std::uint32_t crc_word(std::uint32_t crc, std::uint64_t word) noexcept {
  word ^= crc;
  std::uint32_t result = 0;
  for (std::size_t byte = 0; byte < 8; ++byte) result ^= kTables[7 - byte][(word >> (8 * byte)) & 0xff];
  return result;
}

using Strides = void (*)(std::uint32_t* lanes, const std::byte* bytes, std::size_t strides) noexcept;

void strides_software(std::uint32_t* lanes, const std::byte* bytes, std::size_t strides) noexcept {
  for (std::size_t s = 0; s < strides; ++s) {
    std::array<std::uint64_t, 4> words;
    std::memcpy(words.data(), bytes + s * sizeof(words), sizeof(words));
    for (std::size_t lane = 0; lane < 4; ++lane) lanes[lane] = crc_word(lanes[lane], words[lane]);
  }
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) void strides_hardware(std::uint32_t* lanes, const std::byte* bytes,
                                                        std::size_t strides) noexcept {
  std::uint64_t a = lanes[0];
  std::uint64_t b = lanes[1];
  std::uint64_t c = lanes[2];
  std::uint64_t d = lanes[3];
  for (std::size_t s = 0; s < strides; ++s) {
    std::array<std::uint64_t, 4> words;
    std::memcpy(words.data(), bytes + s * sizeof(words), sizeof(words));
    a = _mm_crc32_u64(a, words[0]);
    b = _mm_crc32_u64(b, words[1]);
    c = _mm_crc32_u64(c, words[2]);
    d = _mm_crc32_u64(d, words[3]);
  }
  lanes[0] = static_cast<std::uint32_t>(a);
  lanes[1] = static_cast<std::uint32_t>(b);
  lanes[2] = static_cast<std::uint32_t>(c);
  lanes[3] = static_cast<std::uint32_t>(d);
}
#endif

bool processor_has_crc() noexcept {
#if defined(__x86_64__)
  return __builtin_cpu_supports("sse4.2") != 0;
#else
  return false;
#endif
}

std::atomic<bool> g_software{!processor_has_crc()};

Strides strides_of_processor() noexcept {
#if defined(__x86_64__)
  if (!g_software.load(std::memory_order_relaxed)) return strides_hardware;
#endif
  return strides_software;
}

}  // namespace

bool Checksum::in_hardware() noexcept { return !g_software.load(std::memory_order_relaxed); }

void Checksum::force_software(bool force) noexcept {
  g_software.store(force || !processor_has_crc(), std::memory_order_relaxed);
}

Checksum& Checksum::add(const void* bytes, std::size_t size) noexcept {
  if (size == 0) return *this;
  const Strides strides = strides_of_processor();
  const auto* at = static_cast<const std::byte*>(bytes);
  const std::size_t held = size_ % kStride;
  size_ += size;
  if (held != 0) {
    const std::size_t part = std::min(kStride - held, size);
    std::memcpy(rest_.data() + held, at, part);
    at += part;
    size -= part;
    if (held + part < kStride) return *this;
    strides(lanes_.data(), rest_.data(), 1);
  }
  strides(lanes_.data(), at, size / kStride);
  if (size % kStride != 0) std::memcpy(rest_.data(), at + size / kStride * kStride, size % kStride);
  return *this;
}

std::uint64_t Checksum::value() const noexcept {
  Lanes lanes = lanes_;
  if (size_ % kStride != 0) {
    std::array<std::byte, kStride> padded{};
    std::memcpy(padded.data(), rest_.data(), size_ % kStride);
    strides_of_processor()(lanes.data(), padded.data(), 1);
  }
  // Each step is invertible in each lane, so that damage in one lane alone always changes the result.
  const auto mix = [](std::uint64_t x) {
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdull;
    x ^= x >> 33;
    return x;
  };
  const std::uint64_t low = lanes[0] | (std::uint64_t{lanes[1]} << 32);
  const std::uint64_t high = lanes[2] | (std::uint64_t{lanes[3]} << 32);
  return mix(mix(mix(size_ + 0x9e3779b97f4a7c15ull) ^ low) ^ high);
}

}  // namespace weft
