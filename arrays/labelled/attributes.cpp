#include "arrays/labelled/attributes.hpp"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <utility>

namespace weft::labelled {
namespace {

/// CF's words for operations.
std::string method_of(const std::string& operation) {
  static const std::pair<const char*, const char*> kMethods[] = {
      {"std", "standard_deviation"}, {"var", "variance"}, {"min", "minimum"}, {"max", "maximum"}};
  for (const auto& [name, method] : kMethods) {
    if (operation == name) return method;
  }
  return operation;
}

/// The unit of squares: "K2", "(m s-1)2".
std::string squared(const std::string& unit) {
  const bool simple =
      std::all_of(unit.begin(), unit.end(), [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; });
  return simple ? unit + "2" : "(" + unit + ")2";
}

}  // namespace

void set_text(std::vector<io::Attribute>& attributes, const std::string& name, const std::string& text) {
  const auto found =
      std::find_if(attributes.begin(), attributes.end(), [&](const io::Attribute& one) { return one.name == name; });
  io::Attribute& one = found != attributes.end() ? *found : attributes.emplace_back();
  one = io::Attribute();
  one.name = name;
  one.type.kind = io::ElementKind::VariableText;
  one.type.name = "string";
  one.texts.push_back(text);
}

std::vector<io::Attribute> reduced_attributes(std::vector<io::Attribute> attributes, const std::string& operation,
                                              const std::string& cells, bool packed) {
  static const char* const kPacking[] = {"scale_factor", "add_offset", "_FillValue", "missing_value", "_Unsigned"};
  static const char* const kRanges[] = {"valid_range",  "valid_min",   "valid_max",
                                        "actual_range", "_ChunkSizes", "_Endianness"};
  std::erase_if(attributes, [&](const io::Attribute& one) {
    const auto is = [&](const char* name) { return one.name == name; };
    return (!packed && std::any_of(std::begin(kPacking), std::end(kPacking), is)) ||
           std::any_of(std::begin(kRanges), std::end(kRanges), is);
  });
  const io::Attribute* const units = io::find_attribute(attributes, "units");
  if (operation == "var" && units != nullptr && !units->text().empty() && units->text() != "1") {
    set_text(attributes, "units", squared(units->text()));
  }
  if (operation == "count") set_text(attributes, "units", "1");
  const io::Attribute* const before = io::find_attribute(attributes, "cell_methods");
  const std::string said = before == nullptr || before->text().empty() ? "" : before->text() + " ";
  set_text(attributes, "cell_methods", said + cells + ": " + method_of(operation));
  return attributes;
}

}  // namespace weft::labelled
