#include "mpi_launch/control/tls_terms.hpp"

#include "mpi_launch/control/connection.hpp"
#include "mpi_launch/control/secret.hpp"
#include "mpi_launch/start/exchange.hpp"

#include <weft/error.hpp>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

namespace weft::launch {
namespace {

Settings settings_of(std::vector<std::string> words) {
  words.insert(words.begin(), "program");
  words.push_back("--weft-config=none");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  int argc = static_cast<int>(argv.size());
  argv.push_back(nullptr);
  return resolve(argc, argv.data());
}

std::string refusal(const std::vector<std::string>& words) {
  try {
    tls_terms(settings_of(words));
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(TlsTermsTest, NothingIsEncryptedUnlessItIsAskedFor) {
  EXPECT_EQ(tls_terms(settings_of({})), "");
  EXPECT_EQ(open_terms("").context, nullptr);
}

TEST(TlsTermsTest, CertificatesOfTheJobsOwnSuitOneJobAlone) {
  const std::string one = tls_terms(settings_of({"--weft-tls"}));
  EXPECT_NE(one, tls_terms(settings_of({"--weft-tls"})));
  EXPECT_NE(open_terms(one).context, nullptr);
  EXPECT_FALSE(open_terms(one).between_nodes);
  EXPECT_TRUE(open_terms(tls_terms(settings_of({"--weft-tls=between-nodes"}))).between_nodes);
}

TEST(TlsTermsTest, NamesOfFilesTravelAndNotWhatIsInThem) {
  const std::string terms = tls_terms(
      settings_of({"--weft-tls", "--weft-tls-ca=/none/a", "--weft-tls-cert=/none/c", "--weft-tls-key=/none/k"}));
  EXPECT_NE(terms.find("/none/k"), std::string::npos);
  EXPECT_EQ(terms.find("PRIVATE"), std::string::npos);
  try {
    open_terms(terms);
    ADD_FAILURE() << "it must throw";
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(), "the file '/none/a' (--weft-tls-ca) cannot be read: No such file or directory");
  }
}

TEST(TlsTermsTest, SettingsThatContradictEachOtherAreRefused) {
  EXPECT_NE(refusal({"--weft-tls", "--weft-transport=ucx"}).find("UCX, which encrypts nothing"), std::string::npos);
  EXPECT_NE(refusal({"--weft-tls", "--weft-tls-cert=c"}).find("belong together"), std::string::npos);
  EXPECT_NE(refusal({"--weft-tls-key=k"}).find("--weft-tls-key names a file for TLS, but nothing is encrypted"),
            std::string::npos);
  EXPECT_EQ(refusal({"--weft-tls=off", "--weft-tls-key=k"}), "");
}

TEST(TlsTermsTest, AnAddressFileHoldsThem) {
  const std::string terms = tls_terms(settings_of({"--weft-tls"}));
  const Meeting whole = parse_meeting(meeting_text({"127.0.0.1:1", "secret", terms, "/bin/program", "address"}), "x");
  EXPECT_EQ(whole.tls, terms);
  EXPECT_EQ(whole.secret, "secret");
  EXPECT_EQ(whole.executable, "/bin/program");
  EXPECT_EQ(whole.scheduler_address, "address");
  EXPECT_TRUE(whole.running());
  EXPECT_FALSE(parse_meeting(meeting_text({"127.0.0.1:1", "secret", terms}), "x").running());
  EXPECT_EQ(parse_meeting(meeting_text({"127.0.0.1:1", "secret"}), "x").tls, "");
}

/// What rank 0 says of one who comes with these terms, and what that one hears.
struct Meet {
  std::string here, there;
};
Meet meet(const JobTls& ours, const JobTls& theirs, const std::string& their_secret, const std::string& secret) {
  std::string endpoint;
  const int listening = listen_on("127.0.0.1", endpoint);
  Meet met;
  std::thread server([&] {
    pollfd poll{listening, POLLIN, 0};
    if (::poll(&poll, 1, 10'000) != 1) return;
    Connection connection(::accept(listening, nullptr, nullptr), ours.context.get());
    Greeting greeting(connection, secret);
    for (;;) {
      pollfd ready{connection.descriptor(), static_cast<short>(connection.has_unsent() ? POLLIN | POLLOUT : POLLIN), 0};
      ::poll(&ready, 1, 5'000);
      connection.flush();
      std::vector<std::string> frames;
      const bool open = connection.receive(frames);
      for (const std::string& frame : frames) {
        const Greeting::Step step = greeting.take(connection, frame, met.here);
        if (step == Greeting::Step::Known) met.here = "known";
        if (step != Greeting::Step::More) return;
      }
      if (!open) {
        met.here = connection.problem().empty() ? "gone" : connection.problem();
        return;
      }
    }
  });
  try {
    Connection connection = connect_to(endpoint, their_secret, 2, theirs.context.get());
    met.there = "known";
  } catch (const Error& error) {
    met.there = error.what();
  }
  server.join();
  ::close(listening);
  return met;
}

TEST(TlsTermsTest, RankZeroKnowsWhoHasItsCertificateAndItsSecret) {
  const JobTls tls = open_terms(tls_terms(settings_of({"--weft-tls"})));
  const std::string secret = random_bytes(kSecretBytes);
  const Meet met = meet(tls, tls, secret, secret);
  EXPECT_EQ(met.here, "known");
  EXPECT_EQ(met.there, "known");
  EXPECT_EQ(meet(tls, tls, random_bytes(kSecretBytes), secret).here, "it does not know the secret of this job");
}

TEST(TlsTermsTest, RankZeroRefusesAnothersCertificateAndWhoHasNone) {
  const JobTls tls = open_terms(tls_terms(settings_of({"--weft-tls"})));
  const JobTls other = open_terms(tls_terms(settings_of({"--weft-tls"})));
  const std::string secret = random_bytes(kSecretBytes);
  const Meet strange = meet(tls, other, secret, secret);
  EXPECT_NE(strange.here, "known");
  EXPECT_NE(strange.there.find("its certificate was not signed by this job's authority"), std::string::npos)
      << strange.there;
  // One that waits for the first word hears nothing, and goes.
  const Meet plain = meet(tls, {}, secret, secret);
  EXPECT_EQ(plain.here, "the process is gone");
  EXPECT_NE(plain.there.find("does not answer"), std::string::npos) << plain.there;
  const Meet encrypted = meet({}, tls, secret, secret);
  EXPECT_NE(encrypted.there.find("what it said is not TLS"), std::string::npos) << encrypted.there;
}

}  // namespace
}  // namespace weft::launch
