#pragma once

#include <string_view>

namespace weft::dashboard {

/// The page: it asks for state.json beside it every second, and needs nothing else of any host.
std::string_view page_text();

}  // namespace weft::dashboard
