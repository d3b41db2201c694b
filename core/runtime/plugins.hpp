#pragma once

#include <string>
#include <string_view>

namespace weft {

class Executor;

/// The plugins of the workers of this process: which are set up, and how each is taken down.
/// Owns: their descriptions (key, name, setup, teardown), which is what travels.  Threading: any thread; calls are made
/// while nothing is locked.
namespace plugins {

/// Returns what a worker is told of a plugin.
std::string describe(std::string_view key, std::string_view name, std::string_view calls);
/// Calls the setup, unless that plugin was set up for this worker before. Throws what it throws.
void set_up(const Executor& worker, const std::string& description);
/// Calls the teardown of a plugin that is set up; what it throws is logged.
void take_down(const Executor& worker, const std::string& key) noexcept;
/// As above, of all that are left: the worker ends.
void take_all_down(const Executor& worker) noexcept;

}  // namespace plugins
}  // namespace weft
