#pragma once

#include <weft/error.hpp>

#include <string>

namespace weft {

/// Returns what the error says that a call throws.
template <class F>
std::string error_of(const F& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace weft
