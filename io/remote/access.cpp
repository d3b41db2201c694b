// Who asks a store, and where it is: from the address, the environment, and the files that AWS's programs share.
#include "io/remote/access.hpp"

#include <cctype>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <map>

namespace weft::io::remote {
namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string first_of(std::initializer_list<std::string> values) {
  for (const std::string& one : values) {
    if (!one.empty()) return one;
  }
  return {};
}

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

using Section = std::map<std::string, std::string>;

/// The lines `name = value` below `[wanted]`.
Section section_of(const std::string& path, const std::string& wanted) {
  Section values;
  std::ifstream file(path);
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    line = trimmed(line);
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    if (line[0] == '[') {
      inside = trimmed(line.substr(1, line.find(']') - 1)) == wanted;
      continue;
    }
    const std::size_t equals = line.find('=');
    if (inside && equals != std::string::npos)
      values[trimmed(line.substr(0, equals))] = trimmed(line.substr(equals + 1));
  }
  return values;
}

bool is_yes(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text == "true" || text == "yes" || text == "1" || text == "on";
}

}  // namespace

Access access_to(const Address& address, const std::string& region) {
  const auto option = [&](const char* name) {
    const auto found = address.options.find(name);
    return found == address.options.end() ? std::string() : found->second;
  };
  const std::string home = variable("HOME");
  const std::string profile = first_of({option("profile"), variable("AWS_PROFILE"), "default"});
  const std::string keys_file = first_of({variable("AWS_SHARED_CREDENTIALS_FILE"), home + "/.aws/credentials"});
  const std::string config_file = first_of({variable("AWS_CONFIG_FILE"), home + "/.aws/config"});
  const Section config = section_of(config_file, profile == "default" ? profile : "profile " + profile);
  const auto configured = [](const Section& section, const char* name) {
    const auto found = section.find(name);
    return found == section.end() ? std::string() : found->second;
  };
  Access access;
  access.region = first_of({region, option("region"), variable("AWS_REGION"), variable("AWS_DEFAULT_REGION"),
                            configured(config, "region"), "us-east-1"});
  if (!is_yes(option("anonymous")) && !is_yes(variable("AWS_NO_SIGN_REQUEST"))) {
    access.keys = {variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"), variable("AWS_SESSION_TOKEN")};
    access.keys_from = "AWS_ACCESS_KEY_ID";
    const bool named = !option("profile").empty();
    if (named || !access.keys.any() || access.keys.secret.empty()) {
      Section keys = section_of(keys_file, profile);
      access.keys_from = "'" + keys_file + "', profile " + profile;
      if (configured(keys, "aws_access_key_id").empty()) {
        keys = config;
        access.keys_from = "'" + config_file + "', profile " + profile;
      }
      access.keys = {configured(keys, "aws_access_key_id"), configured(keys, "aws_secret_access_key"),
                     configured(keys, "aws_session_token")};
    }
  }
  std::string endpoint = first_of({option("endpoint"), variable("AWS_ENDPOINT_URL_S3"), variable("AWS_ENDPOINT_URL"),
                                   configured(config, "endpoint_url")});
  while (!endpoint.empty() && endpoint.back() == '/') endpoint.pop_back();
  if (!endpoint.empty() && endpoint.find("://") == std::string::npos) endpoint = "https://" + endpoint;
  const bool by_path = !endpoint.empty() || address.bucket.find('.') != std::string::npos;
  if (endpoint.empty()) {
    endpoint = "https://" + (by_path ? "" : address.bucket + ".") + "s3." + access.region + ".amazonaws.com";
  }
  access.server = endpoint;
  access.host = endpoint.substr(endpoint.find("://") + 3);
  access.before_key = by_path ? "/" + percent_encoded(address.bucket, false) + "/" : "/";
  const std::size_t folder = access.host.find('/');
  if (folder != std::string::npos) {
    access.before_key = access.host.substr(folder) + access.before_key;
    access.host.resize(folder);
    access.server.resize(endpoint.find("://") + 3 + folder);
  }
  return access;
}

}  // namespace weft::io::remote
