#pragma once

#include "io/remote/address.hpp"
#include "io/remote/signature.hpp"

#include <string>

namespace weft::io::remote {

/// Where an s3 address leads, and who asks.
struct Access {
  /// "https://bucket.s3.eu-west-1.amazonaws.com", or with an endpoint of its own "http://localhost:9000".
  std::string server;
  /// Of the server, as the signature has it.
  std::string host;
  /// In front of the key: "/", or "/bucket/".
  std::string before_key;
  std::string region;
  /// None: the request is not signed.
  Keys keys;
  /// Where the keys come from, for errors.
  std::string keys_from;
};

/// Reads the address's options, the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN,
/// AWS_REGION, AWS_DEFAULT_REGION, AWS_PROFILE, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS_NO_SIGN_REQUEST), and the
/// files
/// ~/.aws/credentials and ~/.aws/config (AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE), in this order. `region`: where
/// the bucket was found to be, if it was.
Access access_to(const Address& address, const std::string& region);

}  // namespace weft::io::remote
