#pragma once

#include <weft/encode.hpp>

namespace weft::everything {

struct Link {
  int value = 0;
  std::unique_ptr<Link> next;
};

/// Touches every family of codecs at once.
struct Everything {
  std::vector<std::map<std::string, std::variant<int, std::vector<double>>>> maps;
  std::tuple<std::optional<std::string>, std::array<bool, 3>, std::pair<char, long double>> parts;
  std::unordered_map<int, std::list<std::string>> lists;
  std::deque<std::set<std::uint16_t>> sets;
  std::vector<bool> flags;
  std::vector<std::monostate> units;
  std::unique_ptr<Link> link;
};

}  // namespace weft::everything
