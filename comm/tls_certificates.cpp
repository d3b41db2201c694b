#include "comm/tls.hpp"

#include <weft/error.hpp>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>

#include "comm/tls_status.hpp"

namespace weft::comm {
namespace {

template <class T, void (*Free)(T*)>
struct Freed {
  void operator()(T* object) const { Free(object); }
};
using OwnCertificate = std::unique_ptr<X509, Freed<X509, ::X509_free>>;
using OwnKey = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY, ::EVP_PKEY_free>>;

void check(bool done) {
  if (!done) throw Error("OpenSSL cannot make certificates: " + take_tls_error());
}

/// Returns what `write` puts down as text.
template <class Write>
std::string text_of(Write write) {
  const std::unique_ptr<BIO, int (*)(BIO*)> memory(::BIO_new(::BIO_s_mem()), &::BIO_free);
  check(memory != nullptr && write(memory.get()) == 1);
  char* bytes = nullptr;
  const long count = ::BIO_get_mem_data(memory.get(), &bytes);
  return {bytes, static_cast<std::size_t>(count)};
}

void add(X509* certificate, X509* issuer, int what, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  ::X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = ::X509V3_EXT_conf_nid(nullptr, &context, what, value);
  check(extension != nullptr);
  const int added = ::X509_add_ext(certificate, extension, -1);
  ::X509_EXTENSION_free(extension);
  check(added == 1);
}

/// A certificate of `key` that nobody has signed yet; its name has random letters, so that no two jobs share one.
OwnCertificate blank(EVP_PKEY* key, const char* role, std::int64_t from_s, std::int64_t until_s) {
  OwnCertificate certificate(::X509_new());
  std::uint64_t random = 0;
  check(certificate != nullptr && ::RAND_bytes(reinterpret_cast<unsigned char*>(&random), sizeof random) == 1);
  char name[64];
  std::snprintf(name, sizeof name, "weft %s %016llx", role, static_cast<unsigned long long>(random));
  X509_NAME* const subject = ::X509_get_subject_name(certificate.get());
  check(::X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
        ::ASN1_INTEGER_set_uint64(::X509_get_serialNumber(certificate.get()), random >> 1) == 1 &&
        ::X509_gmtime_adj(::X509_getm_notBefore(certificate.get()), from_s) != nullptr &&
        ::X509_gmtime_adj(::X509_getm_notAfter(certificate.get()), until_s) != nullptr &&
        ::X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name), -1, -1,
                                     0) == 1 &&
        ::X509_set_pubkey(certificate.get(), key) == 1);
  return certificate;
}

}  // namespace

TlsCredentials make_tls_credentials(std::int64_t from_s, std::int64_t until_s) {
  ::OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, nullptr);
  const OwnKey authority_key(::EVP_EC_gen("P-256"));
  const OwnKey key(::EVP_EC_gen("P-256"));
  check(authority_key != nullptr && key != nullptr);
  const OwnCertificate authority = blank(authority_key.get(), "job", from_s, until_s);
  check(::X509_set_issuer_name(authority.get(), ::X509_get_subject_name(authority.get())) == 1);
  add(authority.get(), authority.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add(authority.get(), authority.get(), NID_key_usage, "critical,keyCertSign");
  add(authority.get(), authority.get(), NID_subject_key_identifier, "hash");
  check(::X509_sign(authority.get(), authority_key.get(), ::EVP_sha256()) > 0);
  const OwnCertificate certificate = blank(key.get(), "process", from_s, until_s);
  check(::X509_set_issuer_name(certificate.get(), ::X509_get_subject_name(authority.get())) == 1);
  add(certificate.get(), authority.get(), NID_basic_constraints, "critical,CA:FALSE");
  add(certificate.get(), authority.get(), NID_key_usage, "critical,digitalSignature");
  add(certificate.get(), authority.get(), NID_ext_key_usage, "serverAuth,clientAuth");
  check(::X509_sign(certificate.get(), authority_key.get(), ::EVP_sha256()) > 0);
  TlsCredentials made;
  made.authority = text_of([&](BIO* to) { return ::PEM_write_bio_X509(to, authority.get()); });
  made.certificate = text_of([&](BIO* to) { return ::PEM_write_bio_X509(to, certificate.get()); });
  made.key = text_of(
      [&](BIO* to) { return ::PEM_write_bio_PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
  return made;
}

}  // namespace weft::comm
