#pragma once

#include <cstddef>
#include <string>

namespace weft {

/// Returns bytes as people read them: "512 B", "1.5 MiB", "12 GiB".
std::string bytes_text(std::size_t bytes);

}  // namespace weft
