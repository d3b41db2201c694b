#include "dashboard/request.hpp"

#include <algorithm>

namespace weft::dashboard {
namespace {

/// No method is longer.
constexpr std::size_t kMostMethod = 16;

bool is_method(std::string_view word) {
  return !word.empty() && word.size() <= kMostMethod &&
         std::all_of(word.begin(), word.end(), [](char letter) { return letter >= 'A' && letter <= 'Z'; });
}

}  // namespace

RequestState read_request(std::string_view bytes, std::string& path) {
  const std::size_t line_end = bytes.find_first_of("\r\n");
  const std::string_view line = bytes.substr(0, line_end);
  const std::size_t first = line.find(' ');
  // What does not begin as a request is told at once, without waiting for its end.
  if (first == std::string_view::npos ? line_end != std::string_view::npos || line.size() > kMostMethod
                                      : !is_method(line.substr(0, first)))
    return RequestState::Bad;
  if (!std::all_of(line.begin(), line.end(), [](char letter) { return letter >= ' ' && letter <= '~'; }))
    return RequestState::Bad;
  const std::size_t head = std::min(bytes.find("\r\n\r\n"), bytes.find("\n\n"));
  if (head == std::string_view::npos)
    return bytes.size() >= kMostRequestBytes ? RequestState::TooLong : RequestState::Unfinished;
  const std::size_t last = line.rfind(' ');
  const std::string_view version = line.substr(last + 1);
  const std::string_view target = last > first ? line.substr(first + 1, last - first - 1) : std::string_view();
  if (!version.starts_with("HTTP/1.") || !target.starts_with('/') || target.find(' ') != std::string_view::npos)
    return RequestState::Bad;
  if (line.substr(0, first) != "GET") return RequestState::Other;
  path = target.substr(0, target.find('?'));
  return RequestState::Good;
}

bool same_secret(std::string_view a, std::string_view b) {
  unsigned differ = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size(); ++i)
    differ |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b.empty() ? '\0' : b[i % b.size()]);
  return differ == 0;
}

}  // namespace weft::dashboard
