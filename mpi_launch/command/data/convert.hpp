#pragma once

#include <weft/labelled.hpp>

#include <cstdint>
#include <functional>
#include <set>
#include <string>

namespace weft {
class Client;
}

namespace weft::command::data {

class Given;

struct Changed {
  Dataset data;
  /// The variables that are not as they were: they are written unpacked.
  std::set<std::string> names;
  /// Of arrays that are kept in memory until all is written.
  std::uint64_t kept_bytes = 0;
};
/// What a verb makes of the data between reading and writing. With --dry-run it computes little: only what will be
/// written counts then.
using Change = std::function<Changed(const Client& client, const Dataset& data)>;

/// Reads, chooses, changes and writes files as the options say; returns the exit code. `verb`: for messages.
int convert_files(const Given& given, const std::string& verb, const Change& change);

}  // namespace weft::command::data
