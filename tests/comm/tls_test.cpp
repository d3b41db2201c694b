#include "comm/tls.hpp"

#include <weft/error.hpp>

#include <gtest/gtest.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "comm/network_transport.hpp"
#include "comm/socket.hpp"
#include "comm/stream.hpp"
#include "tests/comm/plain_socket.hpp"
#include "tests/contracts/transport_contract.hpp"

namespace weft::testing {
namespace {

using comm::TlsCredentials;

constexpr std::int64_t kDay = 86'400;

const TlsCredentials& credentials() {
  static const TlsCredentials made = comm::make_tls_credentials(-kDay, kDay);
  return made;
}

std::shared_ptr<const comm::TlsContext> context() {
  static const std::shared_ptr<const comm::TlsContext> opened = comm::open_tls(credentials());
  return opened;
}

comm::NetworkOptions options_with(std::shared_ptr<const comm::TlsContext> tls, bool shared_memory = false) {
  comm::NetworkOptions options;
  options.secret[3] = std::byte{42};
  options.shared_memory = shared_memory;
  options.tls = std::move(tls);
  return options;
}

struct TlsWiring {
  static std::unique_ptr<Transport> open() { return comm::open_network_transport(options_with(context())); }
  static void kill(std::unique_ptr<Transport>& endpoint) { endpoint.reset(); }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Tls, TransportContract, TlsWiring);

struct TlsBetweenNodesWiring {
  static std::unique_ptr<Transport> open() { return comm::open_network_transport(options_with(context(), true)); }
  static void kill(std::unique_ptr<Transport>& endpoint) { endpoint.reset(); }
};
INSTANTIATE_TYPED_TEST_SUITE_P(TlsBetweenNodes, TransportContract, TlsBetweenNodesWiring);

/// A transport under TLS that listens, and what it says of those whom it turned away.
struct Host {
  Host() {
    comm::NetworkOptions options = options_with(context());
    options.on_refused = [this](std::string_view sentence) { refused.emplace_back(sentence); };
    recorder = std::make_unique<Recorder>(comm::open_network_transport(options));
  }
  std::string address() const { return recorder->transport->address(); }
  bool until_refused(Recorder* other = nullptr) {
    return other != nullptr ? pump({recorder.get(), other}, [&] { return !refused.empty() && other->lost.size() == 1; })
                            : pump({recorder.get()}, [&] { return !refused.empty(); });
  }
  std::vector<std::string> refused;
  std::unique_ptr<Recorder> recorder;
};

/// What both sides say when somebody with these credentials comes.
struct Refusal {
  std::string here, there;
};
Refusal come_with(std::shared_ptr<const comm::TlsContext> tls) {
  Host host;
  Recorder guest(comm::open_network_transport(options_with(std::move(tls))));
  const PeerId peer = guest.transport->connect(host.address(), "let me in");
  EXPECT_TRUE(host.until_refused(&guest));
  EXPECT_TRUE(host.recorder->connected.empty());
  return {host.refused.empty() ? "" : host.refused[0], guest.lost[peer]};
}

TEST(TlsTest, ACertificateOfAnotherAuthorityIsRefusedOnBothSidesByName) {
  const Refusal refusal = come_with(comm::open_tls(comm::make_tls_credentials(-kDay, kDay)));
  EXPECT_TRUE(refusal.here.starts_with("a connection from 127.0.0.1:")) << refusal.here;
  EXPECT_NE((refusal.here + refusal.there).find("its certificate was not signed by this job's authority"),
            std::string::npos)
      << refusal.here << "\n"
      << refusal.there;
}

// The acceptor looks at the connector's certificate only if the connector has liked its own.
TEST(TlsTest, WhoBelievesThisAuthorityAndHasAnothersCertificateIsRefused) {
  TlsCredentials mixed = comm::make_tls_credentials(-kDay, kDay);
  mixed.authority += credentials().authority;
  const Refusal refusal = come_with(comm::open_tls(mixed));
  EXPECT_NE(refusal.here.find("its certificate was not signed by this job's authority"), std::string::npos)
      << refusal.here;
  EXPECT_NE(refusal.there.find("it does not accept this process's certificate"), std::string::npos) << refusal.there;
}

TEST(TlsTest, PlaintextIsRefusedWithASentenceThatNamesTheAddress) {
  const Refusal refusal = come_with(nullptr);
  EXPECT_TRUE(refusal.here.starts_with("a connection from 127.0.0.1:")) << refusal.here;
  EXPECT_NE(refusal.here.find("is not TLS, and this job's connections are encrypted"), std::string::npos)
      << refusal.here;
}

TEST(TlsTest, AProcessUnderTlsGivesAPlainOneNothing) {
  Recorder plain(comm::open_network_transport(options_with(nullptr)));
  Recorder guest(comm::open_network_transport(options_with(context())));
  const PeerId peer = guest.transport->connect(plain.transport->address(), "hello");
  guest.transport->send(peer, bytes_of("for friends only"));
  ASSERT_TRUE(pump({&plain, &guest}, [&] { return guest.lost.size() == 1; }));
  EXPECT_TRUE(plain.connected.empty());
}

TEST(TlsTest, RandomBytesToThePortAreRefusedAndHarmNobody) {
  Host host;
  Recorder guest(comm::open_network_transport(options_with(context())));
  const PeerId peer = guest.transport->connect(host.address(), "friend");
  ASSERT_TRUE(pump({host.recorder.get(), &guest}, [&] { return guest.connected.size() == 1; }));
  std::mt19937 random(5);
  for (std::size_t i = 0; i < 60; ++i) {
    const int fd = connect_plainly(host.address());
    std::vector<char> bytes(random() % 3000 + 6);
    for (char& byte : bytes) byte = static_cast<char>(random());
    // Some begin as a record of TLS does.
    if (i % 3 == 0) std::copy_n("\x16\x03\x01\x00\x40\x01", 6, bytes.begin());
    [[maybe_unused]] const ssize_t wrote = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    ::shutdown(fd, SHUT_WR);
    for (int turn = 0; turn < 200; ++turn) host.recorder->transport->progress();
    ::close(fd);
  }
  EXPECT_GE(host.refused.size(), 20u);
  guest.transport->send(peer, bytes_of("still there"));
  EXPECT_TRUE(pump({host.recorder.get(), &guest}, [&] { return !host.recorder->messages.empty(); }));
}

// --- Strangers that are no weft: OpenSSL's own client, as wished.

struct Wishes {
  bool certificate = true;
  int most_version = 0;
  const TlsCredentials* of = nullptr;
};

/// Comes as a client that believes everybody; the host's sentence on it.
std::string visit(Host& host, const Wishes& wishes) {
  const TlsCredentials& own = wishes.of != nullptr ? *wishes.of : credentials();
  std::atomic<bool> over{false};
  std::thread visitor([&] {
    const int fd = connect_plainly(host.address());
    SSL_CTX* const terms = ::SSL_CTX_new(::TLS_client_method());
    ::SSL_CTX_set_cipher_list(terms, "ALL:@SECLEVEL=0");
    if (wishes.most_version != 0) {
      ::SSL_CTX_set_min_proto_version(terms, TLS1_VERSION);
      ::SSL_CTX_set_max_proto_version(terms, wishes.most_version);
    }
    if (wishes.certificate) {
      BIO* const text = ::BIO_new_mem_buf(own.certificate.data(), static_cast<int>(own.certificate.size()));
      X509* const shown = ::PEM_read_bio_X509(text, nullptr, nullptr, nullptr);
      BIO* const key_text = ::BIO_new_mem_buf(own.key.data(), static_cast<int>(own.key.size()));
      EVP_PKEY* const key = ::PEM_read_bio_PrivateKey(key_text, nullptr, nullptr, nullptr);
      ::SSL_CTX_use_certificate(terms, shown);
      ::SSL_CTX_use_PrivateKey(terms, key);
      ::X509_free(shown);
      ::EVP_PKEY_free(key);
      ::BIO_free(text);
      ::BIO_free(key_text);
    }
    SSL* const session = ::SSL_new(terms);
    ::SSL_set_fd(session, fd);
    char byte = 0;
    if (::SSL_connect(session) == 1) ::SSL_read(session, &byte, 1);
    ::ERR_clear_error();
    ::SSL_free(session);
    ::SSL_CTX_free(terms);
    ::close(fd);
    over.store(true);
  });
  pump(
      {host.recorder.get()}, [&] { return !host.refused.empty() && over.load(); }, 10);
  // Who was not refused waits for us.
  if (!over.load()) host.recorder.reset();
  visitor.join();
  return host.refused.empty() ? "" : host.refused[0];
}

TEST(TlsTest, WhoHasNoCertificateIsRefused) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Host host;
    EXPECT_NE(visit(host, {false, version, nullptr}).find("it has no certificate"), std::string::npos)
        << host.refused.size();
  }
}

TEST(TlsTest, TlsOfBefore12IsRefused) {
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    Host host;
    EXPECT_NE(visit(host, {true, version, nullptr}).find("it speaks no TLS from 1.2 on"), std::string::npos);
  }
}

// A certificate that this job's authority has signed, and that has run out since.
TEST(TlsTest, AnExpiredCertificateIsRefusedWithItsDate) {
  const TlsCredentials old = comm::make_tls_credentials(-2 * kDay, -kDay);
  comm::NetworkOptions options = options_with(nullptr);
  TlsCredentials believing = credentials();
  believing.authority += old.authority;
  Host host;
  options.tls = comm::open_tls(believing);
  options.on_refused = [&](std::string_view sentence) { host.refused.emplace_back(sentence); };
  host.recorder = std::make_unique<Recorder>(comm::open_network_transport(options));
  const std::string sentence = visit(host, {true, 0, &old});
  EXPECT_NE(sentence.find("its certificate has expired ("), std::string::npos) << sentence;
  EXPECT_NE(sentence.find(" UTC)"), std::string::npos) << sentence;
}

TEST(TlsTest, WhoShowsACertificateAndDoesNotKnowTheSecretIsRefused) {
  Host host;
  comm::NetworkOptions options = options_with(context());
  options.secret[7] = std::byte{9};
  Recorder guest(comm::open_network_transport(options));
  const PeerId peer = guest.transport->connect(host.address(), "hello");
  ASSERT_TRUE(pump({host.recorder.get(), &guest}, [&] { return guest.lost.size() == 1; }));
  EXPECT_EQ(guest.lost[peer], "it does not know this job's secret: it belongs to another job");
}

// --- What passes on the way.

/// Sends what comes on to another place, both ways, and keeps it.
class Listener {
 public:
  explicit Listener(const std::string& towards) {
    comm::Place place;
    listening_ = comm::listen_on("lo", 0, place);
    comm::Place shown = comm::Place::parse(towards);
    shown.port = place.port;
    address_ = shown.text();
    thread_ = std::thread([this, towards] { carry(towards); });
  }
  ~Listener() {
    stop_.store(true);
    thread_.join();
  }
  const std::string& address() const { return address_; }
  /// Once nothing passes any more.
  std::string heard() {
    stop_.store(true);
    if (thread_.joinable()) thread_.join();
    thread_ = std::thread([] {});
    return heard_;
  }

 private:
  void carry(const std::string& towards) {
    int ends[2] = {-1, -1};
    while (!stop_.load() && ends[0] < 0) ends[0] = ::accept(listening_.get(), nullptr, nullptr);
    if (ends[0] < 0) return;
    ends[1] = connect_plainly(towards);
    char part[65536];
    for (bool open = true; open && !stop_.load();) {
      pollfd both[2] = {{ends[0], POLLIN, 0}, {ends[1], POLLIN, 0}};
      ::poll(both, 2, 20);
      for (const int from : {0, 1}) {
        if ((both[from].revents & (POLLIN | POLLHUP)) == 0) continue;
        const ssize_t got = ::recv(ends[from], part, sizeof part, 0);
        if (got <= 0) open = false;
        for (ssize_t at = 0; at < got;) {
          const ssize_t sent = ::send(ends[1 - from], part + at, static_cast<std::size_t>(got - at), MSG_NOSIGNAL);
          if (sent <= 0) break;
          at += sent;
        }
        if (got > 0) heard_.append(part, static_cast<std::size_t>(got));
      }
    }
    ::close(ends[0]);
    ::close(ends[1]);
  }

  comm::Fd listening_;
  std::string address_;
  std::atomic<bool> stop_{false};
  std::string heard_;
  std::thread thread_;
};

std::string heard_between(std::shared_ptr<const comm::TlsContext> tls) {
  Recorder host(comm::open_network_transport(options_with(tls)));
  Recorder guest(comm::open_network_transport(options_with(tls)));
  Listener between(host.transport->address());
  const PeerId peer = guest.transport->connect(between.address(), "MARKED HELLO");
  guest.transport->send(peer, bytes_of("MARKED MESSAGE"));
  std::string data;
  while (data.size() < 300'000) data += "MARKED BLOCK ";
  guest.transport->send_block(peer, bytes_of("MARKED HEADER"), data.data(), data.size(), MemoryKind::Host, 1);
  EXPECT_TRUE(pump({&host, &guest}, [&] { return host.arrived.size() == 1; }));
  EXPECT_TRUE(host.landed_text(0) == data);
  return between.heard();
}

TEST(TlsTest, NothingThatIsSentCanBeReadOnTheWay) {
  const std::string plain = heard_between(nullptr);
  const std::string encrypted = heard_between(context());
  for (const char* what : {"MARKED HELLO", "MARKED MESSAGE", "MARKED BLOCK", "MARKED HEADER"}) {
    EXPECT_NE(plain.find(what), std::string::npos) << what;
    EXPECT_EQ(encrypted.find(what), std::string::npos) << what;
  }
  EXPECT_GT(encrypted.size(), 300'000u);
  EXPECT_EQ(encrypted.find("MARKED"), std::string::npos);
}

TEST(TlsTest, ABlockLargerThanAllBuffersKeepsItsOrderBehindASlowReader) {
  Recorder host(comm::open_network_transport(options_with(context())));
  Recorder guest(comm::open_network_transport(options_with(context())));
  const PeerId peer = guest.transport->connect(host.transport->address(), "a");
  ASSERT_TRUE(pump({&host, &guest}, [&] { return guest.connected.size() == 1; }));
  const std::string data = pattern(60'000'000, 3);
  guest.transport->send_block(peer, {}, data.data(), data.size(), MemoryKind::Host, 1);
  guest.transport->send(peer, bytes_of("behind"));
  for (int i = 0; i < 1000; ++i) guest.transport->progress();  // the reader does not read
  EXPECT_TRUE(guest.sent.empty());
  ASSERT_TRUE(pump({&host, &guest}, [&] { return host.arrived.size() == 1; }));
  EXPECT_TRUE(host.landed_text(0) == data);
}

// --- Credentials that are not sound are told before anybody is asked.

struct Files : ::testing::Test {
  std::filesystem::path folder = std::filesystem::temp_directory_path() / ("weft-tls-" + std::to_string(::getpid()));
  std::string ca = (folder / "ca.pem").string(), cert = (folder / "cert.pem").string(),
              key = (folder / "key.pem").string();

  void SetUp() override {
    std::filesystem::create_directory(folder);
    put(ca, credentials().authority);
    put(cert, credentials().certificate);
    put(key, credentials().key);
    ::chmod(key.c_str(), 0600);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }
  static void put(const std::string& path, const std::string& text) { std::ofstream(path) << text; }
  std::string complaint() {
    try {
      comm::open_tls(comm::read_tls_files(ca, cert, key));
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }
};

using TlsFilesTest = Files;

TEST_F(TlsFilesTest, SoundOnesAreTaken) {
  EXPECT_EQ(complaint(), "");
  ::chmod(key.c_str(), 0640);
  EXPECT_EQ(complaint(), "");
}

TEST_F(TlsFilesTest, AFileThatIsNotThereIsNamedWithItsOption) {
  std::filesystem::remove(cert);
  EXPECT_EQ(complaint(), "the file '" + cert + "' (--weft-tls-cert) cannot be read: No such file or directory");
}

TEST_F(TlsFilesTest, AKeyThatOthersCanReadOrChangeIsRefused) {
  ::chmod(key.c_str(), 0644);
  EXPECT_EQ(complaint(),
            "the file '" + key + "' (--weft-tls-key) can be read or changed by every user of this host: chmod 600 it");
  ::chmod(key.c_str(), 0660);
  EXPECT_NE(complaint().find("can be changed by its group"), std::string::npos) << complaint();
}

TEST_F(TlsFilesTest, AKeyOfAnotherCertificateIsRefused) {
  put(key, comm::make_tls_credentials(-kDay, kDay).key);
  EXPECT_EQ(complaint(), "the key in '" + key + "' (--weft-tls-key) does not belong to the certificate in '" + cert +
                             "' (--weft-tls-cert)");
}

TEST_F(TlsFilesTest, ACertificateOfAnotherAuthorityIsRefused) {
  put(ca, comm::make_tls_credentials(-kDay, kDay).authority);
  EXPECT_NE(complaint().find("' (--weft-tls-cert) is not one of the authority in '" + ca), std::string::npos)
      << complaint();
}

TEST_F(TlsFilesTest, ACertificateOutOfItsTimeIsRefusedWithTheDate) {
  for (const auto& [from, until, text] :
       {std::tuple(-2 * kDay, -kDay, " has expired ("), {kDay, 2 * kDay, " is not valid before "}}) {
    const TlsCredentials made = comm::make_tls_credentials(from, until);
    put(ca, made.authority);
    put(cert, made.certificate);
    put(key, made.key);
    EXPECT_NE(complaint().find(text), std::string::npos) << complaint();
  }
}

/// One that has signed itself, and says what it is for.
TlsCredentials signed_by_itself(const char* uses) {
  EVP_PKEY* const key = ::EVP_EC_gen("P-256");
  X509* const made = ::X509_new();
  ::X509_set_version(made, X509_VERSION_3);
  ::X509_gmtime_adj(::X509_getm_notBefore(made), -kDay);
  ::X509_gmtime_adj(::X509_getm_notAfter(made), kDay);
  ::X509_NAME_add_entry_by_txt(::X509_get_subject_name(made), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("itself"), -1, -1, 0);
  ::X509_set_issuer_name(made, ::X509_get_subject_name(made));
  ::X509_set_pubkey(made, key);
  X509_EXTENSION* const extension = ::X509V3_EXT_conf_nid(nullptr, nullptr, NID_ext_key_usage, uses);
  ::X509_add_ext(made, extension, -1);
  ::X509_EXTENSION_free(extension);
  ::X509_sign(made, key, ::EVP_sha256());
  TlsCredentials credentials;
  BIO* const text = ::BIO_new(::BIO_s_mem());
  const auto written = [&] {
    char* bytes = nullptr;
    const long count = BIO_get_mem_data(text, &bytes);
    return std::string(bytes, static_cast<std::size_t>(count));
  };
  ::PEM_write_bio_X509(text, made);
  credentials.certificate = written();
  (void)BIO_reset(text);
  ::PEM_write_bio_PrivateKey(text, key, nullptr, nullptr, 0, nullptr, nullptr);
  credentials.key = written();
  ::BIO_free(text);
  ::X509_free(made);
  ::EVP_PKEY_free(key);
  credentials.authority = credentials.certificate;
  return credentials;
}

TEST(TlsTest, ACertificateForOneSideAloneIsRefused) {
  EXPECT_NE(comm::open_tls(signed_by_itself("serverAuth,clientAuth")), nullptr);
  for (const char* uses : {"serverAuth", "clientAuth"}) {
    try {
      comm::open_tls(signed_by_itself(uses));
      ADD_FAILURE() << uses;
    } catch (const ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find("is not good for both sides of a connection"), std::string::npos)
          << error.what();
    }
  }
}

TEST_F(TlsFilesTest, TextThatIsNoneIsRefused) {
  put(cert, "certificate\n");
  EXPECT_NE(complaint().find("' (--weft-tls-cert) is none that OpenSSL can read"), std::string::npos) << complaint();
  SetUp();
  put(key, credentials().certificate);
  EXPECT_NE(complaint().find("' (--weft-tls-key) is none that OpenSSL can read"), std::string::npos) << complaint();
  SetUp();
  put(ca, "");
  EXPECT_NE(complaint().find("' (--weft-tls-ca) is none that OpenSSL can read"), std::string::npos) << complaint();
}

TEST_F(TlsFilesTest, AKeyBehindAPassPhraseIsRefusedWithoutAQuestion) {
  BIO* const text = ::BIO_new_mem_buf(credentials().key.data(), static_cast<int>(credentials().key.size()));
  EVP_PKEY* const plain = ::PEM_read_bio_PrivateKey(text, nullptr, nullptr, nullptr);
  std::FILE* const file = std::fopen(key.c_str(), "w");
  ::PEM_write_PrivateKey(file, plain, ::EVP_aes_128_cbc(), reinterpret_cast<const unsigned char*>("word"), 4, nullptr,
                         nullptr);
  std::fclose(file);
  ::EVP_PKEY_free(plain);
  ::BIO_free(text);
  EXPECT_NE(complaint().find("is locked by a pass phrase"), std::string::npos) << complaint();
}

}  // namespace
}  // namespace weft::testing
