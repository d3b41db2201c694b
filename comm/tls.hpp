#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <string>

namespace weft::comm {

/// The three things by which a process proves under TLS who it is, and knows whom to believe: PEM texts.
struct TlsCredentials {
  std::string authority;
  /// The certificate, then those between it and the authority.
  std::string certificate;
  std::string key;
  /// For sentences on what is wrong: the files they come from; empty where the job has made them itself.
  std::string authority_file = {};
  std::string certificate_file = {};
  std::string key_file = {};
};

/// Reads the three files. Throws ConfigError where one cannot be read, or the key may be read by everybody.
TlsCredentials read_tls_files(const std::string& authority, const std::string& certificate, const std::string& key);

/// Makes an authority and one certificate that it has signed, good for both sides of a connection; the authority's key
/// is forgotten. Valid from and until so many seconds from now. Throws ConfigError where this weft has no TLS.
TlsCredentials make_tls_credentials(std::int64_t from_s, std::int64_t until_s);

/// For `weft --version`; empty where this weft was built without OpenSSL.
std::string tls_version_text();

/// Who opens the connection, and who was listening.
enum class TlsSide : std::uint8_t { Connector, Acceptor };

/// One connection under TLS: 1.2 or 1.3, both sides with certificates of one authority, only suites that also prove
/// each record (AEAD), no compression, no renegotiation, no resumption. For: Stream. Owns: its state and what waits to
/// go out, not the socket. Threading: one thread at a time.
class TlsSession {
 public:
  enum class Shake : std::uint8_t { More, Done, Failed };

  virtual ~TlsSession() = default;
  /// Goes on with the hand-shake; `More`: again when something has come.
  virtual Shake shake() = 0;
  /// A sentence's end: why the hand-shake or the connection failed.
  virtual const std::string& why() const = 0;
  /// As readv and sendmsg do: a count, 0 at the end of the stream, or -1 with errno. What was written has been copied.
  virtual ssize_t read(const iovec* parts, int count) = 0;
  virtual ssize_t write(const iovec* parts, int count) = 0;
  /// Sends more of what `write` has taken.
  virtual void flush() = 0;
  virtual bool unsent() const = 0;
  /// Bytes may have come that the socket does not tell of any more: read before waiting for it.
  virtual bool may_hold() const = 0;
  /// Says that nothing follows.
  virtual void end() = 0;
};

/// What all sessions of a process share: its credentials, checked.
/// Threading: any thread.
class TlsContext {
 public:
  virtual ~TlsContext() = default;
  virtual std::unique_ptr<TlsSession> open(int fd, TlsSide side) const = 0;
};

/// Throws ConfigError with a sentence where the credentials are not sound, do not belong together, are out of date, or
/// this weft was built without OpenSSL.
std::shared_ptr<const TlsContext> open_tls(const TlsCredentials& credentials);

}  // namespace weft::comm
