#include "comm/tls.hpp"

#include <weft/error.hpp>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include "comm/tls_status.hpp"

namespace weft::comm {
namespace {

/// What one record carries at most.
constexpr std::size_t kRecord = 16384;
/// What one call takes at most, so that little waits here for a slow socket.
constexpr std::size_t kMostTaken = std::size_t{64} << 10;
/// What one read of the socket brings at most.
constexpr std::size_t kReadAhead = std::size_t{64} << 10;
/// Those that prove each record beside encrypting it, with keys that are forgotten.
constexpr const char* kSuites12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kSuites13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

template <class T, void (*Free)(T*)>
struct Freed {
  void operator()(T* object) const { Free(object); }
};
using OwnContext = std::unique_ptr<SSL_CTX, Freed<SSL_CTX, ::SSL_CTX_free>>;
using OwnSession = std::unique_ptr<SSL, Freed<SSL, ::SSL_free>>;
using OwnCertificate = std::unique_ptr<X509, Freed<X509, ::X509_free>>;
using OwnKey = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY, ::EVP_PKEY_free>>;
void free_bio(BIO* bio) { ::BIO_free_all(bio); }
using OwnBio = std::unique_ptr<BIO, Freed<BIO, free_bio>>;

/// OpenSSL's own end at the end of the process would come while threads of this one still use it.
void start_openssl() { ::OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT | OPENSSL_INIT_LOAD_SSL_STRINGS, nullptr); }

// --- The end of a session that writes: what OpenSSL puts out is collected, and sent in few calls.

int collect(BIO* bio, const char* bytes, int count) {
  auto& out = *static_cast<std::vector<std::byte>*>(::BIO_get_data(bio));
  const auto* const from = reinterpret_cast<const std::byte*>(bytes);
  out.insert(out.end(), from, from + count);
  return count;
}

long answer(BIO*, int question, long, void*) { return question == BIO_CTRL_FLUSH ? 1 : 0; }

const BIO_METHOD* collector() {
  static const BIO_METHOD* const kept = [] {
    BIO_METHOD* const method = ::BIO_meth_new(::BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "weft out");
    if (method == nullptr) return method;
    ::BIO_meth_set_write(method, &collect);
    ::BIO_meth_set_ctrl(method, &answer);
    return method;
  }();
  return kept;
}

class Session final : public TlsSession {
 public:
  Session(SSL_CTX* context, int fd, TlsSide side) : fd_(fd), ssl_(::SSL_new(context)) {
    BIO* const in = ::BIO_new_socket(fd, BIO_NOCLOSE);
    BIO* const out = collector() != nullptr ? ::BIO_new(collector()) : nullptr;
    if (ssl_ == nullptr || in == nullptr || out == nullptr) throw Error("no memory for a TLS connection");
    ::BIO_set_data(out, &out_);
    SSL_set_app_data(ssl_.get(), &certificate_problem_);
    ::BIO_set_init(out, 1);
    ::SSL_set_bio(ssl_.get(), in, out);
    if (side == TlsSide::Connector) {
      ::SSL_set_connect_state(ssl_.get());
    } else {
      ::SSL_set_accept_state(ssl_.get());
    }
  }

  Shake shake() override {
    ::ERR_clear_error();
    errno = 0;
    const int code = ::SSL_do_handshake(ssl_.get());
    const int system = errno;
    flush();
    if (code == 1) {
      holds_ = true;  // what came behind its last record
      return Shake::Done;
    }
    const int error = ::SSL_get_error(ssl_.get(), code);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return Shake::More;
    why_ = tls_failure(ssl_.get(), error, system);
    return Shake::Failed;
  }

  const std::string& why() const override { return why_; }
  ssize_t read(const iovec* parts, int count) override;
  ssize_t write(const iovec* parts, int count) override;
  void flush() override;
  bool unsent() const override { return out_begin_ < out_.size(); }
  bool may_hold() const override { return holds_; }
  void end() override {
    if (::SSL_is_init_finished(ssl_.get()) == 0 || !why_.empty()) return;
    ::ERR_clear_error();
    ::SSL_shutdown(ssl_.get());  // says goodbye; the answer is not waited for
    ::ERR_clear_error();
    flush();
  }

 private:
  bool encrypt(const std::byte* bytes, std::size_t count);
  ssize_t stopped(int code, int system);

  const int fd_;
  std::vector<std::byte> out_;  // before ssl_, which writes here to its end
  std::size_t out_begin_ = 0;
  std::vector<std::byte> gathered_;
  std::string certificate_problem_;  // before ssl_, as out_
  OwnSession ssl_;
  std::string why_;
  int write_error_ = 0;
  bool holds_ = false;
};

void Session::flush() {
  while (out_begin_ < out_.size()) {
    const ssize_t sent = ::send(fd_, out_.data() + out_begin_, out_.size() - out_begin_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (sent < 0) {
      // What the other side sent before it went may still be unread: the reading side tells the end.
      write_error_ = errno;
      break;
    }
    out_begin_ += static_cast<std::size_t>(sent);
  }
  out_.clear();
  out_begin_ = 0;
}

/// What a read that brought nothing returns.
ssize_t Session::stopped(int code, int system) {
  holds_ = false;
  const int error = ::SSL_get_error(ssl_.get(), code);
  flush();  // an alert, an answer to a new key
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
    errno = EAGAIN;
    return -1;
  }
  if (error == SSL_ERROR_ZERO_RETURN || (error == SSL_ERROR_SYSCALL && system == 0)) return 0;
  if (error == SSL_ERROR_SYSCALL) {
    errno = system;
    return -1;
  }
  if (why_.empty()) why_ = tls_failure(ssl_.get(), error, system);
  errno = EPROTO;
  return -1;
}

ssize_t Session::read(const iovec* parts, int count) {
  std::size_t total = 0;
  for (int i = 0; i < count; ++i) {
    auto* const to = static_cast<std::byte*>(parts[i].iov_base);
    for (std::size_t at = 0; at < parts[i].iov_len;) {
      std::size_t got = 0;
      ::ERR_clear_error();
      errno = 0;
      const int code = ::SSL_read_ex(ssl_.get(), to + at, parts[i].iov_len - at, &got);
      if (code == 1) {
        at += got;
        total += got;
        holds_ = true;
        continue;
      }
      const ssize_t end = stopped(code, errno);
      if (total == 0) return end;
      // An end is told by the next read, which comes to it again.
      if (end == 0 || errno != EAGAIN) holds_ = true;
      return static_cast<ssize_t>(total);
    }
  }
  return static_cast<ssize_t>(total);
}

bool Session::encrypt(const std::byte* bytes, std::size_t count) {
  std::size_t taken = 0;
  ::ERR_clear_error();
  if (::SSL_write_ex(ssl_.get(), bytes, count, &taken) == 1) return true;
  if (why_.empty()) why_ = tls_failure(ssl_.get(), SSL_ERROR_SSL, 0);
  write_error_ = EPROTO;
  return false;
}

ssize_t Session::write(const iovec* parts, int count) {
  flush();
  if (write_error_ != 0 || unsent()) {
    errno = write_error_ != 0 ? write_error_ : EAGAIN;
    return -1;
  }
  // Short parts go together into one record, long ones from where they are.
  std::size_t total = 0;
  gathered_.clear();
  for (int i = 0; i < count && total < kMostTaken; ++i) {
    const auto* const from = static_cast<const std::byte*>(parts[i].iov_base);
    const std::size_t most = std::min(parts[i].iov_len, kMostTaken - total);
    std::size_t at = 0;
    if (!gathered_.empty() || (most < kRecord && i + 1 < count)) {
      at = std::min(most, kRecord - gathered_.size());
      gathered_.insert(gathered_.end(), from, from + at);
    }
    if (!gathered_.empty() && (gathered_.size() == kRecord || i + 1 == count || at < most)) {
      if (!encrypt(gathered_.data(), gathered_.size())) break;
      gathered_.clear();
    }
    if (at < most && !encrypt(from + at, most - at)) break;
    total += most;
  }
  if (write_error_ == 0 && !gathered_.empty()) encrypt(gathered_.data(), gathered_.size());
  if (write_error_ != 0) {
    errno = write_error_;
    return -1;
  }
  flush();
  return static_cast<ssize_t>(total);
}

// --- The credentials of a process.

/// "the certificate in 'node.pem' (--weft-tls-cert)"
std::string named(const char* what, const std::string& file, const char* option) {
  return file.empty() ? std::string(what) + " of the job" : std::string(what) + " in '" + file + "' (" + option + ")";
}

OwnBio text_of(const std::string& pem) { return OwnBio(::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))); }

std::vector<OwnCertificate> certificates_in(const std::string& pem, const std::string& name) {
  const OwnBio text = text_of(pem);
  std::vector<OwnCertificate> all;
  while (X509* const one = ::PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr)) all.emplace_back(one);
  ::ERR_clear_error();
  if (all.empty()) throw ConfigError(name + " is none that OpenSSL can read: it must be PEM text");
  return all;
}

OwnKey key_in(const TlsCredentials& credentials) {
  const std::string name = named("the key", credentials.key_file, "--weft-tls-key");
  const OwnBio text = text_of(credentials.key);
  bool locked = false;
  const auto asked = [](char*, int, int, void* seen) {
    *static_cast<bool*>(seen) = true;
    return -1;
  };
  OwnKey key(::PEM_read_bio_PrivateKey(text.get(), nullptr, asked, &locked));
  if (locked) throw ConfigError(name + " is locked by a pass phrase, and weft asks for none: give one that is not");
  if (key == nullptr) throw ConfigError(name + " is none that OpenSSL can read: it must be PEM text");
  ::ERR_clear_error();
  return key;
}

void check_dates(X509* certificate, const std::string& name) {
  if (::X509_cmp_current_time(::X509_get0_notAfter(certificate)) < 0)
    throw ConfigError(name + " has expired (" + time_text(::X509_get0_notAfter(certificate)) + "): renew it");
  if (::X509_cmp_current_time(::X509_get0_notBefore(certificate)) > 0)
    throw ConfigError(name + " is not valid before " + time_text(::X509_get0_notBefore(certificate)));
}

/// What others would refuse is told before anybody is asked.
void check_signed(SSL_CTX* context, const TlsCredentials& credentials, X509* certificate) {
  STACK_OF(X509)* between = nullptr;
  ::SSL_CTX_get0_chain_certs(context, &between);
  const std::string name = named("the certificate", credentials.certificate_file, "--weft-tls-cert");
  for (const int side : {X509_PURPOSE_SSL_SERVER, X509_PURPOSE_SSL_CLIENT}) {
    const std::unique_ptr<X509_STORE_CTX, Freed<X509_STORE_CTX, ::X509_STORE_CTX_free>> check(::X509_STORE_CTX_new());
    if (check == nullptr ||
        ::X509_STORE_CTX_init(check.get(), ::SSL_CTX_get_cert_store(context), certificate, between) != 1 ||
        ::X509_STORE_CTX_set_purpose(check.get(), side) != 1)
      throw Error("OpenSSL cannot check certificates: " + take_tls_error());
    if (::X509_verify_cert(check.get()) == 1) continue;
    const int problem = ::X509_STORE_CTX_get_error(check.get());
    ::ERR_clear_error();
    if (problem == X509_V_ERR_INVALID_PURPOSE)
      throw ConfigError(name +
                        " is not good for both sides of a connection: if it says what it is for, it must say "
                        "serverAuth and clientAuth");
    throw ConfigError(name + " is not one of " + named("the authority", credentials.authority_file, "--weft-tls-ca") +
                      ": " + ::X509_verify_cert_error_string(problem));
  }
}

class Context final : public TlsContext {
 public:
  explicit Context(const TlsCredentials& credentials) {
    start_openssl();
    context_.reset(::SSL_CTX_new(::TLS_method()));
    if (context_ == nullptr) throw Error("OpenSSL gives no TLS: " + take_tls_error());
    allow_little();
    take(credentials);
  }

  std::unique_ptr<TlsSession> open(int fd, TlsSide side) const override {
    return std::make_unique<Session>(context_.get(), fd, side);
  }

 private:
  void allow_little() {
    SSL_CTX* const context = context_.get();
    const bool set = ::SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
                     ::SSL_CTX_set_cipher_list(context, kSuites12) == 1 &&
                     ::SSL_CTX_set_ciphersuites(context, kSuites13) == 1 && ::SSL_CTX_set_num_tickets(context, 0) == 1;
    if (!set) throw Error("OpenSSL does not take weft's terms for TLS: " + take_tls_error());
    // A cut connection counts as one whose process is gone: what frames it had are whole.
    ::SSL_CTX_set_options(
        context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_IGNORE_UNEXPECTED_EOF);
    ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    ::SSL_CTX_set_mode(context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, &note_certificate);
    ::SSL_CTX_set_read_ahead(context, 1);
    ::SSL_CTX_set_default_read_buffer_len(context, kReadAhead);
  }

  void take(const TlsCredentials& credentials) {
    const std::string authority = named("the authority", credentials.authority_file, "--weft-tls-ca");
    const std::string name = named("the certificate", credentials.certificate_file, "--weft-tls-cert");
    X509_STORE* const store = ::SSL_CTX_get_cert_store(context_.get());
    for (const OwnCertificate& one : certificates_in(credentials.authority, authority)) {
      ::X509_STORE_add_cert(store, one.get());
      ::SSL_CTX_add_client_CA(context_.get(), one.get());
    }
    const std::vector<OwnCertificate> chain = certificates_in(credentials.certificate, name);
    X509* const own = chain.front().get();
    check_dates(own, name);
    if (::SSL_CTX_use_certificate(context_.get(), own) != 1)
      throw ConfigError(name + " is not accepted by OpenSSL: " + take_tls_error());
    for (std::size_t i = 1; i < chain.size(); ++i) ::SSL_CTX_add1_chain_cert(context_.get(), chain[i].get());
    const OwnKey key = key_in(credentials);
    if (::X509_check_private_key(own, key.get()) != 1) {
      ::ERR_clear_error();
      throw ConfigError(named("the key", credentials.key_file, "--weft-tls-key") + " does not belong to " + name);
    }
    if (::SSL_CTX_use_PrivateKey(context_.get(), key.get()) != 1)
      throw ConfigError(named("the key", credentials.key_file, "--weft-tls-key") +
                        " is not accepted by OpenSSL: " + take_tls_error());
    check_signed(context_.get(), credentials, own);
  }

  OwnContext context_;
};

}  // namespace

std::shared_ptr<const TlsContext> open_tls(const TlsCredentials& credentials) {
  return std::make_shared<Context>(credentials);
}

std::string tls_version_text() { return ::OpenSSL_version(OPENSSL_VERSION); }

}  // namespace weft::comm
