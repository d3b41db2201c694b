#pragma once

#include <weft/remote.hpp>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace weft::io::remote {

/// The address of an object, taken apart: `s3://bucket/key?endpoint=...&region=...&anonymous=true`, or an http one.
struct Address {
  bool s3 = false;
  std::string bucket;
  /// Without a slash in front.
  std::string key;
  /// Of s3 only: what stands behind the question mark.
  std::map<std::string, std::string> options;
};

/// Throws FileError for an s3 address without a bucket, or with an option that there is not.
Address address_of(const std::string& path);

/// Every byte that is no letter, digit or one of "-._~" as %XX; slashes stay where `keep_slashes`.
std::string percent_encoded(const std::string& text, bool keep_slashes);
std::string percent_decoded(const std::string& text);

}  // namespace weft::io::remote
