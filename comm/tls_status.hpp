#pragma once

#include <openssl/ssl.h>

#include <string>

namespace weft::comm {

/// Returns what OpenSSL says of its first error since the last, "" if nothing; forgets all of them.
std::string take_tls_error();

/// For SSL_CTX_set_verify: writes what is wrong with the other side's certificate into the text that is the session's
/// SSL_set_app_data, for `tls_failure`.
int note_certificate(int good, X509_STORE_CTX* check);

/// Returns why a hand-shake or a session failed, as a sentence's end about the other side; forgets OpenSSL's errors.
/// `error` is SSL_get_error's, `system` the errno of the call.
std::string tls_failure(SSL* session, int error, int system);

/// "2026-11-23 00:15:42 UTC"
std::string time_text(const ASN1_TIME* time);

}  // namespace weft::comm
