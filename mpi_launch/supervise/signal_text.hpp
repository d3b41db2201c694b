#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace weft::launch {

/// A text that is put together in a signal handler, where nothing may allocate. What does not fit is left out.
struct SignalText {
  std::array<char, 512> bytes{};
  std::size_t size = 0;

  void add(std::string_view more) {
    const std::size_t count = std::min(more.size(), bytes.size() - size);
    std::memcpy(bytes.data() + size, more.data(), count);
    size += count;
  }
  void add(std::uint64_t number) {
    char digits[20];
    std::size_t at = sizeof digits;
    do {
      digits[--at] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    add(std::string_view(digits + at, sizeof digits - at));
  }
  std::string_view view() const { return {bytes.data(), size}; }
};

}  // namespace weft::launch
