#include "io/remote/address.hpp"

#include "io/files/open_file.hpp"

#include <cctype>
#include <cstddef>

namespace weft::io {
namespace {

bool begins(const std::string& text, const char* with) { return text.rfind(with, 0) == 0; }

}  // namespace

bool is_remote(const std::string& path) {
  return begins(path, "s3://") || begins(path, "https://") || begins(path, "http://");
}

std::string shown_path(const std::string& path) {
  if (!is_remote(path)) return path;
  std::string shown = path.substr(0, path.find_first_of("?#"));
  const std::size_t host = shown.find("://") + 3;
  const std::size_t end = std::min(shown.find('/', host), shown.size());
  const std::size_t at = shown.rfind('@', end);
  if (!begins(path, "s3://") && at != std::string::npos && at >= host) shown.erase(host, at + 1 - host);
  return shown;
}

std::string path_below(const std::string& path, const std::string& name) {
  if (!is_remote(path)) return path + "/" + name;
  const std::size_t question = std::min(path.find('?'), path.size());
  std::size_t end = question;
  while (end > 0 && path[end - 1] == '/') --end;
  const std::string shown = begins(path, "s3://") ? name : remote::percent_encoded(name, true);
  return path.substr(0, end) + "/" + shown + path.substr(question);
}

namespace remote {

std::string percent_encoded(const std::string& text, bool keep_slashes) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 128 && std::isalnum(byte) != 0) || c == '-' || c == '.' || c == '_' || c == '~' ||
        (c == '/' && keep_slashes)) {
      out += c;
    } else {
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

std::string percent_decoded(const std::string& text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 32) - 'a' + 10; };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool coded = text[i] == '%' && i + 2 < text.size() &&
                       std::isxdigit(static_cast<unsigned char>(text[i + 1])) &&
                       std::isxdigit(static_cast<unsigned char>(text[i + 2]));
    if (!coded) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
    i += 2;
  }
  return out;
}

Address address_of(const std::string& path) {
  Address address;
  address.s3 = begins(path, "s3://");
  if (!address.s3) return address;
  const std::size_t question = std::min(path.find('?'), path.size());
  const std::string place = path.substr(5, question - 5);
  const std::size_t slash = std::min(place.find('/'), place.size());
  address.bucket = place.substr(0, slash);
  if (slash < place.size()) address.key = place.substr(slash + 1);
  if (address.bucket.empty()) fail(path, "names no bucket: s3://bucket/key is meant");
  for (std::size_t begin = question + 1; begin < path.size();) {
    const std::size_t end = std::min(path.find('&', begin), path.size());
    const std::string pair = path.substr(begin, end - begin);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string name = pair.substr(0, equals);
    if (name != "endpoint" && name != "region" && name != "anonymous" && name != "profile") {
      fail(path, "has the option '" + name + "'; there are endpoint, region, profile and anonymous");
    }
    address.options[name] = equals < pair.size() ? percent_decoded(pair.substr(equals + 1)) : "true";
    begin = end + 1;
  }
  return address;
}

}  // namespace remote
}  // namespace weft::io
