#pragma once

#include <weft/client.hpp>

#include <exception>
#include <string>

namespace weft {

/// How the client of a case runs: on the calling thread alone or on threads, with and without values going through
/// their encoding. Cases that use a client run in each.
struct Mode {
  const char* scheduler;
  bool check_transfer;

  Options options() const {
    Options options;
    options.scheduler = scheduler;
    options.threads = 2;
    options.check_transfer = check_transfer;
    return options;
  }
};

inline constexpr Mode kModes[] = {{"sync", false}, {"threads", false}, {"sync", true}, {"threads", true}};

/// Names a case's mode, for INSTANTIATE_TEST_SUITE_P.
inline constexpr auto kModeName = [](const auto& instance) {
  return std::string(instance.param.scheduler) + (instance.param.check_transfer ? "Encoded" : "");
};

/// Returns what `call` throws says.
template <class Call>
std::string message_of(const Call& call) {
  try {
    call();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace weft
