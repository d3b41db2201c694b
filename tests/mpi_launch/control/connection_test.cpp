#include "mpi_launch/control/connection.hpp"

#include "mpi_launch/control/messages.hpp"
#include "mpi_launch/control/secret.hpp"

#include <weft/error.hpp>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <thread>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace weft::launch {
namespace {

/// Accepts one connection and greets it with `secret`; says how that ended.
std::string greet_one(int listening, const std::string& secret) {
  pollfd poll{listening, POLLIN, 0};
  if (::poll(&poll, 1, 10'000) != 1) return "nobody came";
  Connection connection(::accept(listening, nullptr, nullptr));
  Greeting greeting(connection, secret);
  for (;;) {
    pollfd readable{connection.descriptor(), POLLIN, 0};
    if (::poll(&readable, 1, 10'000) != 1) return "silence";
    std::vector<std::string> frames;
    const bool open = connection.receive(frames);
    for (const std::string& frame : frames) {
      std::string why;
      const Greeting::Step step = greeting.take(connection, frame, why);
      if (step == Greeting::Step::Known) return "known";
      if (step == Greeting::Step::Refused) return why;
    }
    if (!open) return "gone";
  }
}

struct Listening {
  std::string endpoint;
  int socket = listen_on("127.0.0.1", endpoint);
  ~Listening() { ::close(socket); }
};

TEST(ConnectionTest, KnowsWhoKnowsTheSecret) {
  Listening listening;
  const std::string secret = random_bytes(kSecretBytes);
  std::string seen;
  std::thread server([&] { seen = greet_one(listening.socket, secret); });
  EXPECT_NO_THROW(connect_to(listening.endpoint, secret, 10));
  server.join();
  EXPECT_EQ(seen, "known");
}

TEST(ConnectionTest, RefusesAWrongSecretWithASentence) {
  Listening listening;
  std::string seen;
  std::thread server([&] { seen = greet_one(listening.socket, random_bytes(kSecretBytes)); });
  EXPECT_THROW(connect_to(listening.endpoint, random_bytes(kSecretBytes), 10), Error);
  server.join();
  EXPECT_EQ(seen, "it does not know the secret of this job");
}

TEST(ConnectionTest, AClientNoticesAServerThatDoesNotKnowTheSecret) {
  Listening listening;
  std::thread server([&] {
    pollfd poll{listening.socket, POLLIN, 0};
    ASSERT_EQ(::poll(&poll, 1, 10'000), 1);
    Connection connection(::accept(listening.socket, nullptr, nullptr));
    connection.send(std::string("weft launch\x03") + std::string(32, 'x'));
    connection.send(std::string(32, 'y'));
    pollfd readable{connection.descriptor(), POLLIN, 0};
    ::poll(&readable, 1, 10'000);
  });
  try {
    connect_to(listening.endpoint, random_bytes(kSecretBytes), 10);
    ADD_FAILURE() << "it must throw";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("does not know the secret"), std::string::npos) << error.what();
  }
  server.join();
}

TEST(ConnectionTest, AnotherVersionIsNamedWithBothSides) {
  Listening listening;
  std::thread server([&] {
    pollfd poll{listening.socket, POLLIN, 0};
    ASSERT_EQ(::poll(&poll, 1, 10'000), 1);
    Connection connection(::accept(listening.socket, nullptr, nullptr));
    connection.send(std::string("weft launch\x09") + std::string(32, 'x'));
  });
  try {
    connect_to(listening.endpoint, random_bytes(kSecretBytes), 10);
    ADD_FAILURE() << "it must throw";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("version 9"), std::string::npos) << error.what();
  }
  server.join();
}

TEST(ConnectionTest, RandomBytesAreRefusedWithoutHarm) {
  std::mt19937 random(7);
  for (int turn = 0; turn < 50; ++turn) {
    Listening listening;
    std::string seen;
    std::thread server([&] { seen = greet_one(listening.socket, random_bytes(kSecretBytes)); });
    const Endpoint place = parse_endpoint(listening.endpoint);
    EXPECT_EQ(place.host, "127.0.0.1");
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    Connection stray(ends[0]);
    Connection victim(ends[1]);
    std::string bytes;
    for (int i = 0; i < 300; ++i) bytes += static_cast<char>(random());
    ASSERT_EQ(::send(stray.descriptor(), bytes.data(), bytes.size(), 0), 300);
    std::vector<std::string> frames;
    std::string why;
    const std::string secret = random_bytes(kSecretBytes);
    Greeting greeting(victim, secret);
    victim.receive(frames);
    for (const std::string& frame : frames) EXPECT_NE(greeting.take(victim, frame, why), Greeting::Step::Known);
    EXPECT_THROW(connect_to(listening.endpoint, random_bytes(kSecretBytes), 10), Error);
    server.join();
    EXPECT_NE(seen, "known");
  }
}

TEST(ConnectionTest, ALongFrameIsRefusedBeforeTheSecretIsKnown) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  Connection sender(ends[0]);
  Connection receiver(ends[1]);
  sender.send(std::string(Connection::kMostGreeting + 1, 'x'));
  std::vector<std::string> frames;
  EXPECT_FALSE(receiver.receive(frames));
  EXPECT_TRUE(frames.empty());
}

TEST(ConnectionTest, FramesArriveWholeAndInOrder) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  Connection sender(ends[0]);
  Connection receiver(ends[1]);
  receiver.trust();
  std::vector<std::string> frames;
  for (std::size_t i = 0; i < 200; ++i) sender.send(std::string(i * 50, static_cast<char>('a' + i % 26)));
  while (frames.size() < 200) {
    sender.flush();
    ASSERT_TRUE(receiver.receive(frames));
  }
  for (std::size_t i = 0; i < 200; ++i) EXPECT_EQ(frames[i], std::string(i * 50, static_cast<char>('a' + i % 26)));
}

TEST(LaunchMessagesTest, DamagedMessagesThrowAndNeverCrash) {
  WorkerEnded ended;
  ended.death.last_words = "words";
  ended.death.tasks.push_back({1, 2.5, "task #7 of main.cpp:3"});
  const std::string good = encode_message(ToHub(ended));
  EXPECT_EQ(std::get<WorkerEnded>(decode_to_hub(good)).death.tasks.at(0).text, "task #7 of main.cpp:3");
  std::mt19937 random(11);
  for (int turn = 0; turn < 2000; ++turn) {
    std::string bad = good.substr(0, random() % (good.size() + 1));
    if (!bad.empty()) bad[random() % bad.size()] = static_cast<char>(random());
    try {
      decode_to_hub(bad);
    } catch (const Error&) {
    }
  }
}

TEST(LaunchMessagesTest, EveryInputThatTheFuzzerKeptIsReadWithoutHarm) {
  int inputs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(WEFT_SOURCE_DIR "/tests/mpi_launch/control/corpus")) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()), 0);
    ++inputs;
  }
  EXPECT_GT(inputs, 50) << "tools/fuzz writes them";
}

TEST(EndpointTest, ReadsHostsAndPorts) {
  EXPECT_EQ(parse_endpoint("10.0.0.3:4711").port, "4711");
  EXPECT_EQ(parse_endpoint("[fe80::1]:80").host, "fe80::1");
  for (const char* wrong : {"", "host", "host:", ":80"}) EXPECT_THROW(parse_endpoint(wrong), Error);
}

}  // namespace
}  // namespace weft::launch
