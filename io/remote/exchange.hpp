#pragma once

#include "io/remote/address.hpp"
#include "io/remote/curl.hpp"
#include "io/remote/transfer.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace weft::io::remote {

/// One request on its way, again and again until there is a reply.
/// Owns: the library's handle of the time that is on its way.  Threading: one thread.
class Exchange {
 public:
  /// `request` and `reply` must outlive it.
  Exchange(const Request& request, Reply& reply);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// Makes the handle of the next time.
  CURL* begin();
  CURL* handle() const { return handle_; }
  /// Looks at how it ended. Returns whether the reply is there; otherwise it is to be begun again after `pause`. Throws
  /// FileError where another time would not help, or there were enough.
  bool end(CURLcode code);
  std::chrono::milliseconds pause() const { return pause_; }

 private:
  static std::size_t take_body(char* data, std::size_t one, std::size_t count, void* self);
  static std::size_t take_header(char* data, std::size_t one, std::size_t count, void* self);
  static std::size_t give_body(char* data, std::size_t one, std::size_t count, void* self);
  std::size_t take(const char* data, std::size_t bytes);
  void read_header(const std::string& line);
  void aim();
  void drop();
  bool answered();
  bool moved();
  bool again(const std::string& why, int most_tries);
  [[noreturn]] void refused() const;
  /// What an answer in XML says between <name> and </name>.
  std::string told(const char* name) const;

  const Request& request_;
  Reply& reply_;
  const Address address_;
  CURL* handle_ = nullptr;
  curl_slist* headers_ = nullptr;
  std::string keys_from_;
  std::string region_, asked_region_;
  int tries_ = 0;
  std::chrono::milliseconds pause_{0};
  char error_[CURL_ERROR_SIZE] = {};
  // Of the time that is on its way.
  long status_ = 0;
  std::uint64_t received_ = 0, sent_ = 0, first_ = 0;
  bool enough_ = false, too_long_ = false;
  std::string etag_, other_region_;
  std::string complaint_;
};

}  // namespace weft::io::remote
