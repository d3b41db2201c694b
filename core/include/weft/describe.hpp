#pragma once

#include <weft/task_type.hpp>

#include <string>
#include <type_traits>

namespace weft::detail {

/// Appends a reading of one argument to a task's description.
void describe_argument(std::string& text, bool value);
void describe_argument(std::string& text, long long value);
void describe_argument(std::string& text, unsigned long long value);
void describe_argument(std::string& text, double value);
void describe_argument(std::string& text, const std::string& value);
void describe_argument_type(std::string& text, const char* spelled_name);

template <class T>
void describe_any(std::string& text, const T& value) {
  if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::string>) {
    describe_argument(text, value);
  } else if constexpr (std::is_floating_point_v<T>) {
    describe_argument(text, static_cast<double>(value));
  } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
    describe_argument(text, static_cast<long long>(value));
  } else if constexpr (std::is_integral_v<T>) {
    describe_argument(text, static_cast<unsigned long long>(value));
  } else {
    describe_argument_type(text, spelled_name<T>());
  }
}

}  // namespace weft::detail
