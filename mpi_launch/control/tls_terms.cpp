#include "mpi_launch/control/tls_terms.hpp"

#include <weft/codecs.hpp>
#include <weft/encode.hpp>
#include <weft/error.hpp>

namespace weft::launch {

namespace {

constexpr std::int64_t kDay_s = 86'400;

/// What travels. Credentials: those that the job has made, or the names of files alone.
struct Terms {
  bool between_nodes = false;
  comm::TlsCredentials credentials;
};

/// Files that are named, and a job that would not use them, are a mistake of which nobody else would tell.
void refuse_unused_files(const Settings& settings) {
  if (settings.origin("tls").source != Source::Default) return;
  for (const char* name : {"tls-ca", "tls-cert", "tls-key"}) {
    const Origin& origin = settings.origin(name);
    if (origin.source != Source::Default)
      throw ConfigError(origin.where +
                        " names a file for TLS, but nothing is encrypted: say --weft-tls as well, or "
                        "--weft-tls=off if that is meant");
  }
}

comm::TlsCredentials named_files(const Settings& settings) {
  comm::TlsCredentials files;
  files.authority_file = settings.tls_ca;
  files.certificate_file = settings.tls_cert;
  files.key_file = settings.tls_key;
  return files;
}

}  // namespace

std::string tls_terms(const Settings& settings) {
  if (settings.tls == "off") {
    refuse_unused_files(settings);
    return "";
  }
  if (settings.transport == "ucx")
    throw ConfigError(settings.origin("transport").where + " asks for UCX, which encrypts nothing, and " +
                      settings.origin("tls").where + " for encryption: leave one of them out");
  Terms terms;
  terms.between_nodes = settings.tls == "between-nodes";
  terms.credentials = named_files(settings);
  const int named = !settings.tls_ca.empty() + !settings.tls_cert.empty() + !settings.tls_key.empty();
  if (named != 0 && named != 3)
    throw ConfigError(
        "--weft-tls-ca, --weft-tls-cert and --weft-tls-key belong together: give all three, or none and "
        "the job makes its own certificates");
  // Hosts' clocks differ; no job runs for so long.
  if (named == 0) terms.credentials = comm::make_tls_credentials(-kDay_s, 1000 * kDay_s);
  Writer writer;
  encode(writer, terms);
  return {reinterpret_cast<const char*>(writer.data()), writer.size()};
}

JobTls open_terms(const std::string& text) {
  if (text.empty()) return {};
  Reader reader(text.data(), text.size());
  const Terms terms = decode<Terms>(reader);
  const comm::TlsCredentials& given = terms.credentials;
  return {comm::open_tls(given.authority_file.empty()
                             ? given
                             : comm::read_tls_files(given.authority_file, given.certificate_file, given.key_file)),
          terms.between_nodes};
}

}  // namespace weft::launch
