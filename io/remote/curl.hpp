#pragma once

// The macros that look at the types of arguments know functions, not pointers to them.
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

namespace weft::io::remote {

/// libcurl's functions, loaded when the first address is used: a program that uses none does not wait for its forty
/// libraries.
struct Curl {
  decltype(&::curl_easy_init) easy_init;
  decltype(&::curl_easy_setopt) setopt;
  decltype(&::curl_easy_getinfo) getinfo;
  decltype(&::curl_easy_reset) easy_reset;
  decltype(&::curl_easy_cleanup) easy_cleanup;
  decltype(&::curl_easy_strerror) strerror;
  decltype(&::curl_multi_init) multi_init;
  decltype(&::curl_multi_add_handle) multi_add;
  decltype(&::curl_multi_remove_handle) multi_remove;
  decltype(&::curl_multi_perform) multi_perform;
  decltype(&::curl_multi_poll) multi_poll;
  decltype(&::curl_multi_info_read) multi_read;
  decltype(&::curl_multi_cleanup) multi_cleanup;
  decltype(&::curl_slist_append) slist_append;
  decltype(&::curl_slist_free_all) slist_free;
};

/// Returns them, or nullptr where this machine has no libcurl.
const Curl* curl();

}  // namespace weft::io::remote
