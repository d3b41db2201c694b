#pragma once

#include <exception>
#include <string>

namespace weft::stack_trace {

/// Returns where `thrown` was thrown, the innermost function first, each on its line: demangled, with file and line
/// where the program has them. It must be what the calling thread handles, and have passed a `detail::TracePoint` on
/// its way there: else, or where traces are switched off (`--weft-log-level=stack=off`), or told often enough, empty.
std::string take(const std::exception_ptr& thrown);

}  // namespace weft::stack_trace
