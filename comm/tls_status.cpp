#include "comm/tls_status.hpp"

#include <openssl/err.h>
#include <openssl/x509.h>

#include <cstdio>
#include <cstring>
#include <ctime>

namespace weft::comm {
namespace {

/// Returns what is wrong with a certificate that the other side has shown.
std::string certificate_problem(int code, const X509* shown) {
  switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "its certificate has expired (" + time_text(::X509_get0_notAfter(shown)) + ")";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "its certificate is not valid before " + time_text(::X509_get0_notBefore(shown));
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_CERT_UNTRUSTED:
      return "its certificate was not signed by this job's authority: it belongs to another job";
    default:
      return std::string("its certificate was not accepted: ") + ::X509_verify_cert_error_string(code);
  }
}

/// An alert is the other side's word on what it did not like.
bool is_alert(int reason) { return reason > SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256; }

std::string alert_text(int reason) {
  switch (reason) {
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
      return "it speaks no TLS that this side does (1.2 and 1.3)";
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return "it asks for a certificate, and this process has none";
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
      return "it does not accept this process's certificate: expired";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
      return "it does not accept this process's certificate: another authority has signed it";
    default:
      return std::string("it ended the hand-shake: ") +
             ::SSL_alert_desc_string_long(reason - static_cast<int>(SSL_AD_REASON_OFFSET));
  }
}

}  // namespace

int note_certificate(int good, X509_STORE_CTX* check) {
  if (good == 1) return 1;
  const auto* const session =
      static_cast<SSL*>(::X509_STORE_CTX_get_ex_data(check, ::SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* const problem = static_cast<std::string*>(SSL_get_app_data(session));
  if (problem != nullptr && problem->empty())
    *problem = certificate_problem(::X509_STORE_CTX_get_error(check), ::X509_STORE_CTX_get_current_cert(check));
  return 0;
}

std::string take_tls_error() {
  const unsigned long code = ::ERR_get_error();
  ::ERR_clear_error();
  if (code == 0) return "";
  const char* const text = ::ERR_reason_error_string(code);
  return text != nullptr ? text : "error " + std::to_string(code);
}

std::string tls_failure(SSL* session, int error, int system) {
  const unsigned long code = ::ERR_peek_error();
  const int reason = ERR_GET_REASON(code);
  const bool of_tls = ERR_GET_LIB(code) == ERR_LIB_SSL;
  if (error == SSL_ERROR_SYSCALL || code == 0) {
    ::ERR_clear_error();
    return system != 0 ? std::string("the connection broke: ") + std::strerror(system) : "the process is gone";
  }
  std::string text;
  if (of_tls) {
    switch (reason) {
      case SSL_R_UNEXPECTED_EOF_WHILE_READING:
        text = "the process is gone";
        break;
      case SSL_R_CERTIFICATE_VERIFY_FAILED:
        if (const auto* const noted = static_cast<std::string*>(SSL_get_app_data(session)); noted != nullptr)
          text = *noted;
        break;
      case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        text = "it has no certificate";
        break;
      case SSL_R_UNSUPPORTED_PROTOCOL:
      case SSL_R_VERSION_TOO_LOW:
        text = "it speaks no TLS from 1.2 on";
        break;
      case SSL_R_NO_SHARED_CIPHER:
        text = "it offers no cipher that this side accepts";
        break;
      case SSL_R_WRONG_VERSION_NUMBER:
      case SSL_R_HTTP_REQUEST:
      case SSL_R_HTTPS_PROXY_REQUEST:
      case SSL_R_UNKNOWN_PROTOCOL:
      case SSL_R_WRONG_SSL_VERSION:
      case SSL_R_UNEXPECTED_MESSAGE:
      case SSL_R_PACKET_LENGTH_TOO_LONG:
      case SSL_R_ENCRYPTED_LENGTH_TOO_LONG:
      case SSL_R_RECORD_TOO_SMALL:
      case SSL_R_BAD_RECORD_TYPE:
      case SSL_R_LENGTH_MISMATCH:
        text = "what it said is not TLS, and this job's connections are encrypted";
        break;
      default:
        if (is_alert(reason)) text = alert_text(reason);
        break;
    }
  }
  const std::string said = take_tls_error();
  return text.empty() ? "TLS failed: " + said : text;
}

std::string time_text(const ASN1_TIME* time) {
  std::tm parts{};
  if (::ASN1_TIME_to_tm(time, &parts) != 1) return "a date that cannot be read";
  char text[64];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text;
}

}  // namespace weft::comm
