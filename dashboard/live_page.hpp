#pragma once

#include <cstdint>
#include <string>

namespace weft::dashboard {

/// Has clients that ask for it (--weft-page) shown on a page of their own.
void install_live_page();

/// Returns the port that the option asks for, 0 for any. Throws ConfigError for what is none.
std::uint16_t page_port(const std::string& words, const std::string& where);

}  // namespace weft::dashboard
