#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace weft::frames::parquet {

/// Gives numbers to values as they come, until there are too many to be worth it.
/// Owns: the table; strings are the caller's.  Threading: one thread.
template <class T>
class Dictionary {
 public:
  /// Returns the number of a value, or -1 once there are too many.
  std::int64_t code(const T& value) {
    ++seen_;
    std::size_t slot = mix(value) & mask();
    while (slots_[slot] != 0) {
      const std::uint32_t code = slots_[slot] - 1;
      if (values_[code] == value) return code;
      slot = (slot + 1) & mask();
    }
    // A third of all values new, or a long list: the values themselves are shorter, or soon would be.
    if (values_.size() >= kMost || values_.size() > 4096 + seen_ / 3 || bytes_ > (1u << 20)) return -1;
    bytes_ += bytes_of(value);
    values_.push_back(value);
    slots_[slot] = static_cast<std::uint32_t>(values_.size());
    if (values_.size() * 2 > slots_.size()) grow();
    return static_cast<std::int64_t>(values_.size()) - 1;
  }
  const std::vector<T>& values() const { return values_; }

 private:
  static constexpr std::size_t kMost = 1 << 16;

  static std::uint64_t mixed(std::uint64_t word) {
    word *= 0x9e3779b97f4a7c15u;
    return word ^ word >> 29;
  }
  static std::uint64_t mix(std::uint64_t value) { return mixed(value ^ value >> 32); }
  static std::uint64_t mix(std::string_view value) {
    std::uint64_t sum = value.size();
    while (value.size() >= 8) {
      std::uint64_t word;
      std::memcpy(&word, value.data(), 8);
      sum = mixed(sum ^ word);
      value.remove_prefix(8);
    }
    std::uint64_t rest = 0;
    if (!value.empty()) std::memcpy(&rest, value.data(), value.size());
    return mixed(sum ^ rest);
  }
  static std::size_t bytes_of(std::uint64_t) { return 8; }
  static std::size_t bytes_of(std::string_view value) { return value.size() + 4; }
  std::size_t mask() const { return slots_.size() - 1; }
  void grow() {
    slots_.assign(slots_.size() * 4, 0);
    for (std::size_t i = 0; i < values_.size(); ++i) {
      std::size_t slot = mix(values_[i]) & mask();
      while (slots_[slot] != 0) slot = (slot + 1) & mask();
      slots_[slot] = static_cast<std::uint32_t>(i + 1);
    }
  }

  std::vector<T> values_;
  std::vector<std::uint32_t> slots_ = std::vector<std::uint32_t>(256, 0);
  std::size_t seen_ = 0, bytes_ = 0;
};

}  // namespace weft::frames::parquet
