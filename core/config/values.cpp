#include "core/config/values.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <weft/error.hpp>
#include <weft/log.hpp>
#include "core/config/nearest.hpp"

namespace weft {

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

[[noreturn]] void refuse(std::string_view text, std::string_view wanted) {
  throw ConfigError(fmt::format("'{}' is not {}", text, wanted));
}

// Splits "1.5 GiB" into a number that is not negative and the lower-case unit behind it.
std::pair<double, std::string> number_and_unit(std::string_view text, std::string_view wanted) {
  const std::string_view body = trimmed(text);
  double number = 0;
  const auto [end, error] = std::from_chars(body.data(), body.data() + body.size(), number);
  if (error != std::errc{} || !std::isfinite(number) || number < 0) refuse(text, wanted);
  const std::string_view rest = body.substr(static_cast<std::size_t>(end - body.data()));
  return {number, lower(trimmed(rest))};
}

constexpr std::array<std::pair<std::string_view, double>, 17> kByteUnits = {{
    {"", 1},
    {"b", 1},
    {"k", 1e3},
    {"kb", 1e3},
    {"kib", 1024.0},
    {"m", 1e6},
    {"mb", 1e6},
    {"mib", 1048576.0},
    {"g", 1e9},
    {"gb", 1e9},
    {"gib", 1073741824.0},
    {"t", 1e12},
    {"tb", 1e12},
    {"tib", 1099511627776.0},
    {"p", 1e15},
    {"pb", 1e15},
    {"pib", 1125899906842624.0},
}};

constexpr std::array<std::pair<std::string_view, double>, 9> kTimeUnits = {{
    {"", 1},
    {"ns", 1e-9},
    {"us", 1e-6},
    {"ms", 1e-3},
    {"s", 1},
    {"min", 60},
    {"m", 60},
    {"h", 3600},
    {"d", 86400},
}};

constexpr std::string_view kSizeForm = "a size such as 4096, 64KiB or 1.5GB";
constexpr std::string_view kTimeForm = "a time such as 500ms, 10s, 2min or 1h";

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t at = text.find(separator);
    parts.emplace_back(trimmed(text.substr(0, at)));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

}  // namespace

bool parse_bool(std::string_view text) {
  const std::string word = lower(trimmed(text));
  if (word == "on" || word == "true" || word == "yes" || word == "1") return true;
  if (word == "off" || word == "false" || word == "no" || word == "0") return false;
  refuse(text, "on or off (true, false, yes, no, 1, 0)");
}

std::int64_t parse_count(std::string_view text) {
  constexpr std::string_view kForm = "a whole number from 0 on";
  const std::string_view body = trimmed(text);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(body.data(), body.data() + body.size(), value);
  if (error == std::errc::result_out_of_range) refuse(text, "a number this program can hold");
  if (error != std::errc{} || end != body.data() + body.size() || value < 0) refuse(text, kForm);
  return value;
}

double parse_number(std::string_view text) {
  constexpr std::string_view kForm = "a number from 0 on";
  const auto [number, unit] = number_and_unit(text, kForm);
  if (!unit.empty()) refuse(text, kForm);
  return number;
}

std::uint64_t parse_bytes(std::string_view text) {
  // Whole numbers without a unit keep all their digits.
  const std::string_view body = trimmed(text);
  std::uint64_t whole = 0;
  const auto [end, error] = std::from_chars(body.data(), body.data() + body.size(), whole);
  if (error == std::errc{} && end == body.data() + body.size()) return whole;
  const auto [number, unit] = number_and_unit(text, kSizeForm);
  for (const auto& [name, factor] : kByteUnits) {
    if (name != unit) continue;
    const double bytes = number * factor;
    if (bytes >= 9.2e18) refuse(text, "a size this machine can have");
    return static_cast<std::uint64_t>(std::llround(bytes));
  }
  refuse(text, kSizeForm);
}

ByteAmount parse_share(std::string_view text) {
  const std::string_view body = trimmed(text);
  ByteAmount amount;
  if (body.empty() || body.back() != '%') {
    try {
      amount.bytes = parse_bytes(text);
    } catch (const ConfigError&) {
      refuse(text, "a size such as 4GiB, or a share such as 80%");
    }
    return amount;
  }
  const double percent = parse_number(body.substr(0, body.size() - 1));
  if (percent <= 0 || percent > 100) refuse(text, "a share above 0% and up to 100%");
  amount.fraction = percent / 100;
  return amount;
}

double parse_duration(std::string_view text) {
  const auto [number, unit] = number_and_unit(text, kTimeForm);
  for (const auto& [name, factor] : kTimeUnits) {
    if (name == unit) return number * factor;
  }
  refuse(text, kTimeForm);
}

std::string parse_choice(std::string_view text, std::string_view choices) {
  const std::string word = lower(trimmed(text));
  const std::vector<std::string> words = split(choices, '|');
  for (const std::string& choice : words) {
    if (choice == word) return word;
  }
  std::string list;
  for (const std::string& choice : words) list += (list.empty() ? "" : ", ") + choice;
  refuse(text, fmt::format("one of {}; did you mean '{}'?", list, nearest_name(word, words)));
}

std::string parse_levels(std::string_view text) {
  logging::check_levels(text);
  return std::string(trimmed(text));
}

std::string exact_bytes_text(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 6> kUnits = {"", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  while (unit + 1 < kUnits.size() && bytes != 0 && bytes % 1024 == 0) {
    bytes /= 1024;
    ++unit;
  }
  return fmt::format("{}{}", bytes, kUnits[unit]);
}

std::string share_text(const ByteAmount& amount) {
  return amount.fraction > 0 ? fmt::format("{:.6g}%", amount.fraction * 100) : exact_bytes_text(amount.bytes);
}

std::string duration_text(double seconds) {
  if (seconds != 0 && seconds < 1e-3) return fmt::format("{:.6g}us", seconds * 1e6);
  if (seconds != 0 && seconds < 1) return fmt::format("{:.6g}ms", seconds * 1e3);
  return fmt::format("{:.6g}s", seconds);
}

std::string number_text(double value) { return fmt::format("{}", value); }

namespace detail {

std::string spelled_number(double value) {
  if (!std::isfinite(value))
    throw ConfigError(fmt::format("an option was given {}, which is no number it can be", value));
  return number_text(value);
}

std::string given_words(const char* text) {
  if (text == nullptr) {
    throw ConfigError("an option was given a null pointer for its text: leave it unset, or give it \"\"");
  }
  return text;
}

}  // namespace detail

}  // namespace weft
