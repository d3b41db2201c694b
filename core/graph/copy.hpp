#pragma once

#include <weft/handle.hpp>

namespace weft::detail {

/// Describes the call of a task that has ended once more, on the same inputs, which it still holds. Throws Error where
/// its closure cannot be encoded.
Handle copy_call(TaskId task);

}  // namespace weft::detail
