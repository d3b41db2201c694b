#pragma once

#include <weft/task_type.hpp>

#include <cstdint>
#include <string>

namespace weft {

/// Returns the text where it stays for the life of the process, as a string literal does.
const char* kept_text(const std::string& text);

/// As the function of that name, for a place that was read from a file. The texts must live as long as the process.
std::uint32_t site_of(const TaskType& type, const char* file, const char* function, std::uint32_t line);

/// A pace beside those of Site: a task of this kind has waited for what somebody tells it.
inline constexpr std::uint8_t kPaceWaits = Site::kLong + 1;

/// Returns how many sites there are: what their entries say may be read by any thread.
std::uint32_t known_sites() noexcept;

/// Returns the site of a task that may end, and its record become another's, at any moment: a guess for whoever can
/// bear that it is another's. Kept from the thread sanitizer, because records are written without atomics: a word of
/// them that is read too late is an earlier task's site, or the first one's.
std::uint32_t site_at_a_glance(TaskId task) noexcept;

}  // namespace weft
