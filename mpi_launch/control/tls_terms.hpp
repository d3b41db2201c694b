#pragma once

#include "comm/tls.hpp"

#include <weft/config.hpp>

#include <memory>
#include <string>

namespace weft::launch {

/// How the links of a job are encrypted, in one process of it.
struct JobTls {
  /// Null: they are not.
  std::shared_ptr<const comm::TlsContext> context;
  /// Processes of one node still share memory.
  bool between_nodes = false;
};

/// Returns the terms that rank 0's settings ask for, as all others are told them; "" where nothing is encrypted. Makes
/// the job's own certificates where no files are named. Throws ConfigError where the settings contradict each other or
/// this weft cannot encrypt.
std::string tls_terms(const Settings& settings);

/// Returns what the terms mean here: reads the files that they name, on this host. Throws ConfigError where these are
/// not sound.
JobTls open_terms(const std::string& terms);

}  // namespace weft::launch
