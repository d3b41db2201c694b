#pragma once

#include <weft/task_type.hpp>

namespace weft {

/// As the function of that name, for a place that was read from a file. The texts must live as long as the process.
std::uint32_t site_of(const TaskType& type, const char* file, const char* function, std::uint32_t line);

}  // namespace weft
