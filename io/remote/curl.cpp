#include "io/remote/curl.hpp"

#include <dlfcn.h>

#include <optional>

namespace weft::io::remote {
namespace {

std::optional<Curl> load() {
  void* library = nullptr;
  for (const char* const name : {"libcurl.so.4", "libcurl-gnutls.so.4", "libcurl.so", "libcurl.4.dylib"}) {
    library = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library != nullptr) break;
  }
  if (library == nullptr) return {};
  Curl curl{};
  bool complete = true;
  const auto find = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(library, name));
    complete = complete && function != nullptr;
  };
  decltype(&::curl_global_init) global_init = nullptr;
  find(global_init, "curl_global_init");
  find(curl.easy_init, "curl_easy_init");
  find(curl.setopt, "curl_easy_setopt");
  find(curl.getinfo, "curl_easy_getinfo");
  find(curl.easy_reset, "curl_easy_reset");
  find(curl.easy_cleanup, "curl_easy_cleanup");
  find(curl.strerror, "curl_easy_strerror");
  find(curl.multi_init, "curl_multi_init");
  find(curl.multi_add, "curl_multi_add_handle");
  find(curl.multi_remove, "curl_multi_remove_handle");
  find(curl.multi_perform, "curl_multi_perform");
  find(curl.multi_poll, "curl_multi_poll");
  find(curl.multi_read, "curl_multi_info_read");
  find(curl.multi_cleanup, "curl_multi_cleanup");
  find(curl.slist_append, "curl_slist_append");
  find(curl.slist_free, "curl_slist_free_all");
  if (!complete || global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return {};
  return curl;
}

}  // namespace

const Curl* curl() {
  static const std::optional<Curl> loaded = load();
  return loaded ? &*loaded : nullptr;
}

}  // namespace weft::io::remote
