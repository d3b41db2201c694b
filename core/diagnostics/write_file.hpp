#pragma once

#include <string>
#include <string_view>

namespace weft {

/// Writes a file at once. Throws ConfigError, which calls it "the `what` "path"", where it cannot be written.
void write_file(std::string_view what, const std::string& path, const std::string& text);

/// Returns text as it may stand in HTML and SVG, without control characters, and in a JSON string.
std::string html_text(std::string_view text);
std::string json_text(std::string_view text);

}  // namespace weft
