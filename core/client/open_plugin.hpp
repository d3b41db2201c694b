#pragma once

#include <weft/wire.hpp>

#include <source_location>
#include <string>

// Plugins as all that make them see them: users' (weft/plugin.hpp) and weft's own.

namespace weft {

class Client;

/// Has `calls` (a setup and a teardown, as write_plugin_call writes them) made in each worker that is there or comes.
/// Returns the key to end it with. Throws what the setup threw.
std::string open_plugin(const Client& client, const std::string& name, const std::string& calls,
                        const std::source_location& where);
/// Calls the teardown on each worker, unless the client is closed; what it throws is logged.
void close_plugin(std::uint32_t client, const std::string& key) noexcept;
/// Workers that come later hear nothing of it any more; those that are there stay as they are.
void forget_plugin(std::uint32_t client, const std::string& key) noexcept;

/// Appends a call of a function of this program, with what it reads.
void write_plugin_call(Writer& writer, void (*call)(Reader&), const Writer& given);

}  // namespace weft
