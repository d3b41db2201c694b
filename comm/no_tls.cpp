#include <weft/error.hpp>

#include "comm/tls.hpp"

namespace weft::comm {
namespace {

[[noreturn]] void refuse() {
  throw ConfigError(
      "this weft was built without OpenSSL and cannot encrypt: build it again with OpenSSL 3 (libssl-dev), or leave "
      "out "
      "--weft-tls");
}

}  // namespace

std::shared_ptr<const TlsContext> open_tls(const TlsCredentials&) { refuse(); }
TlsCredentials make_tls_credentials(std::int64_t, std::int64_t) { refuse(); }
std::string tls_version_text() { return ""; }

}  // namespace weft::comm
