#pragma once

#include <cstdint>
#include <string>

/// How plans are told to people.
namespace weft::arrays::lowering {

/// "12.5 MB".
std::string bytes_text(std::uint64_t bytes);
/// "1 task", "12 tasks".
std::string counted(std::uint64_t number, const char* noun);

}  // namespace weft::arrays::lowering
