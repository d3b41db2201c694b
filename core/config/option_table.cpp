#include "core/config/option_table.hpp"

#include <vector>

#include "core/config/nearest.hpp"

namespace weft {

namespace {

std::string with_dashes(std::string_view field) {
  std::string name(field);
  for (char& c : name) {
    if (c == '_') c = '-';
  }
  return name;
}

}  // namespace

std::string OptionRow::name() const { return with_dashes(field); }

std::string OptionRow::variable() const {
  std::string variable = "WEFT_";
  for (const char c : field) variable += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return variable;
}

std::size_t find_option(std::string_view name) {
  const std::string wanted = with_dashes(name);
  for (std::size_t i = 0; i < kOptionCount; ++i) {
    if (kOptionTable[i].name() == wanted) return i;
  }
  return kOptionCount;
}

std::string nearest_option(std::string_view wrong) {
  std::vector<std::string> names;
  for (const OptionRow& row : kOptionTable) names.push_back(row.name());
  return nearest_name(with_dashes(wrong), names);
}

}  // namespace weft
