#include "bench/arguments.hpp"

#include <cmath>
#include <cstdlib>
#include <stdexcept>

namespace weft::bench {

Arguments::Arguments(std::string_view name, const std::vector<Option>& options, const std::vector<std::string>& words) {
  std::string known;
  for (const Option& option : options) {
    values_[option.name] = option.initial;
    known += std::string(" --") + option.name;
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const auto place = word.starts_with("--") ? values_.find(std::string_view(word).substr(2)) : values_.end();
    if (place == values_.end())
      throw std::invalid_argument(std::string(name) + " has no option '" + word + "'; it has:" + known + " --json");
    if (++i == words.size()) throw std::invalid_argument("give " + word + " a value");
    place->second = words[i];
  }
}

std::string Arguments::text(std::string_view option) const { return values_.find(option)->second; }

double Arguments::real(std::string_view option) const {
  const std::string value = text(option);
  char* end = nullptr;
  const double number = std::strtod(value.c_str(), &end);
  if (value.empty() || *end != '\0' || !std::isfinite(number) || number < 0)
    throw std::invalid_argument("--" + std::string(option) + " takes a number from 0 on, not '" + value + "'");
  return number;
}

std::int64_t Arguments::integer(std::string_view option, std::int64_t least) const {
  // Also 1e6, as people write counts of tasks.
  const double number = real(option);
  if (number != std::floor(number) || number > 9e15 || number < static_cast<double>(least))
    throw std::invalid_argument("--" + std::string(option) + " takes a whole number from " + std::to_string(least) +
                                " on, not '" + text(option) + "'");
  return static_cast<std::int64_t>(number);
}

std::int64_t Arguments::bytes(std::string_view option) const {
  const std::string value = text(option);
  char* end = nullptr;
  const double number = std::strtod(value.c_str(), &end);
  const std::string_view unit = end;
  const double factor = unit.empty()    ? 1
                        : unit == "KiB" ? 1024.0
                        : unit == "MiB" ? 1024.0 * 1024
                        : unit == "GiB" ? 1024.0 * 1024 * 1024
                                        : 0;
  if (value.empty() || factor == 0 || !(number > 0))
    throw std::invalid_argument("--" + std::string(option) + " takes a size such as 4194304 or 4MiB, not '" + value +
                                "'");
  return static_cast<std::int64_t>(number * factor);
}

}  // namespace weft::bench
