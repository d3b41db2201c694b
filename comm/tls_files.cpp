#include <weft/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "comm/socket.hpp"
#include "comm/tls.hpp"

namespace weft::comm {
namespace {

/// No chain of certificates is longer.
constexpr std::size_t kMostBytes = std::size_t{1} << 20;

std::string read_file(const std::string& path, const char* option, bool secret) {
  const auto refuse = [&](const std::string& why) {
    throw ConfigError("the file '" + path + "' (" + option + ") " + why);
  };
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat state {};
  if (!file || ::fstat(file.get(), &state) != 0) refuse(std::string("cannot be read: ") + std::strerror(errno));
  if (!S_ISREG(state.st_mode)) refuse("is no regular file");
  // A group that keeps keys may read them; nobody else may, and nobody but the owner may change them.
  if (secret && (state.st_mode & 027) != 0) {
    refuse((state.st_mode & 07) != 0 ? "can be read or changed by every user of this host: chmod 600 it"
                                     : "can be changed by its group: chmod 600 it");
  }
  std::string text;
  char part[4096];
  for (;;) {
    const ssize_t got = ::read(file.get(), part, sizeof part);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) refuse(std::string("cannot be read: ") + std::strerror(errno));
    if (got == 0) return text;
    text.append(part, static_cast<std::size_t>(got));
    if (text.size() > kMostBytes) refuse("is too long to hold certificates or a key");
  }
}

}  // namespace

TlsCredentials read_tls_files(const std::string& authority, const std::string& certificate, const std::string& key) {
  TlsCredentials read;
  read.authority = read_file(authority, "--weft-tls-ca", false);
  read.certificate = read_file(certificate, "--weft-tls-cert", false);
  read.key = read_file(key, "--weft-tls-key", true);
  read.authority_file = authority;
  read.certificate_file = certificate;
  read.key_file = key;
  return read;
}

}  // namespace weft::comm
