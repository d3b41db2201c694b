#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weft::dashboard {

/// What the bytes of a connection are, as far as they have come.
enum class RequestState {
  Unfinished,  ///< more is to come
  Good,        ///< a GET request, whole
  Other,       ///< a whole request of another kind
  Bad,         ///< not HTTP, whatever comes
  TooLong,     ///< more than a request may have
};

/// A request takes no more; browsers send about 600 bytes.
inline constexpr std::size_t kMostRequestBytes = 8192;

/// Reads the head of a request. `path` becomes what is asked for, up to a "?", where the request is Good.
RequestState read_request(std::string_view bytes, std::string& path);

/// Returns whether both are the same, in a time that does not tell where they differ.
bool same_secret(std::string_view a, std::string_view b);

}  // namespace weft::dashboard
