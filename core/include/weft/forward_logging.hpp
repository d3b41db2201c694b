#pragma once

#include <weft/log.hpp>

#include <memory>
#include <source_location>
#include <string>

namespace weft {

class Client;

/// Brings what the workers of a client log to the log of the program, while it lives, with the worker's name in front:
///
///     const ForwardLogging lines(client, {.level = logging::Level::Info});
///     client.submit([] { logging::info("solver", "three iterations"); });
///
/// Lines of that level or a higher one come, whatever the levels of the workers' own logs are, which go on as before.
/// They come within a tenth of a second, in the order of each worker; when it ends, what is under way still comes. In
/// one process there is one log: its level is that for as long. Made in the program itself, not in tasks. Owns: the
/// workers' wish to send them.  Threading: any thread makes and ends it.
class ForwardLogging {
 public:
  struct Options {
    logging::Level level = logging::Level::Info;
    /// Only lines of this room; "" for all.
    std::string room = {};
  };
  ForwardLogging(const Client& client, const Options& options,
                 const std::source_location& where = std::source_location::current());
  explicit ForwardLogging(const Client& client, const std::source_location& where = std::source_location::current())
      : ForwardLogging(client, Options{}, where) {}
  ~ForwardLogging();
  ForwardLogging(const ForwardLogging&) = delete;
  ForwardLogging& operator=(const ForwardLogging&) = delete;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace weft
