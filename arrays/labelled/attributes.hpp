#pragma once

#include <weft/storage.hpp>

#include <string>
#include <vector>

namespace weft::labelled {

/// What a reduction ("mean", "quantile") over `cells` ("time: lat") changes in a variable's attributes: units follow,
/// cell_methods says what was done, and, unless `packed`, packing and ranges go.
std::vector<io::Attribute> reduced_attributes(std::vector<io::Attribute> attributes, const std::string& operation,
                                              const std::string& cells, bool packed = false);
void set_text(std::vector<io::Attribute>& attributes, const std::string& name, const std::string& text);

}  // namespace weft::labelled
