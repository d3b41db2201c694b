#pragma once

#include <string>

namespace weft::detail {

/// Called while an exception is handled that a task is about to end with: its message will say, in brackets behind it,
/// with which part of the work that was ("chunk (1, 0) of 'cholesky'"). Where it is called twice the first says more.
void note_failed_part(const std::string& text) noexcept;

}  // namespace weft::detail
