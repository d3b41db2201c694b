#include "comm/network_transport.hpp"

#include <gtest/gtest.h>

#include <dirent.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <random>

#include "comm/socket.hpp"
#include "tests/comm/plain_socket.hpp"
#include "tests/contracts/transport_contract.hpp"

namespace weft::testing {
namespace {

comm::NetworkOptions options_of(bool shared_memory) {
  comm::NetworkOptions options;
  options.secret[3] = std::byte{42};
  options.shared_memory = shared_memory;
  return options;
}

struct TcpWiring {
  static std::unique_ptr<Transport> open() { return comm::open_network_transport(options_of(false)); }
  static void kill(std::unique_ptr<Transport>& endpoint) { endpoint.reset(); }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Tcp, TransportContract, TcpWiring);

struct SharedMemoryWiring {
  static std::unique_ptr<Transport> open() { return comm::open_network_transport(options_of(true)); }
  static void kill(std::unique_ptr<Transport>& endpoint) { endpoint.reset(); }
};
INSTANTIATE_TYPED_TEST_SUITE_P(SharedMemory, TransportContract, SharedMemoryWiring);

#ifdef WEFT_HAS_UCX
struct UcxWiring {
  static std::unique_ptr<Transport> open() {
    comm::NetworkOptions options = options_of(false);
    options.ucx = comm::UseUcx::Always;
    return comm::open_network_transport(options);
  }
  static void kill(std::unique_ptr<Transport>& endpoint) { endpoint.reset(); }
};
INSTANTIATE_TYPED_TEST_SUITE_P(Ucx, TransportContract, UcxWiring);
#endif

/// Two endpoints whose options differ.
struct Two {
  Two(comm::NetworkOptions of_a, comm::NetworkOptions of_b) {
    of_a.on_refused = [this](std::string_view sentence) { refused_by_a.emplace_back(sentence); };
    of_b.on_refused = [this](std::string_view sentence) { refused_by_b.emplace_back(sentence); };
    a = std::make_unique<Recorder>(comm::open_network_transport(of_a));
    b = std::make_unique<Recorder>(comm::open_network_transport(of_b));
  }
  std::vector<std::string> refused_by_a, refused_by_b;
  std::unique_ptr<Recorder> a, b;
};

TEST(NetworkTransportTest, WrongSecretIsOneSentenceOnTheConnectingSide) {
  comm::NetworkOptions other = options_of(true);
  other.secret[5] = std::byte{1};
  Two two(options_of(true), other);
  const PeerId peer = two.a->transport->connect(two.b->transport->address(), "hello");
  ASSERT_TRUE(pump({two.a.get(), two.b.get()}, [&] { return two.a->lost.size() == 1; }));
  EXPECT_EQ(two.a->lost[peer], "it does not know this job's secret: it belongs to another job");
  EXPECT_TRUE(two.b->connected.empty());
}

TEST(NetworkTransportTest, OtherProtocolIsNamedOnBothSides) {
  comm::NetworkOptions other = options_of(true);
  other.protocol = 77;
  Two two(options_of(true), other);
  const PeerId peer = two.a->transport->connect(two.b->transport->address(), "hello");
  ASSERT_TRUE(
      pump({two.a.get(), two.b.get()}, [&] { return two.a->lost.size() == 1 && two.refused_by_b.size() == 1; }));
  EXPECT_NE(two.a->lost[peer].find("protocol 77"), std::string::npos) << two.a->lost[peer];
  EXPECT_NE(two.refused_by_b[0].find("77: run the same weft"), std::string::npos) << two.refused_by_b[0];
}

TEST(NetworkTransportTest, RandomBytesToThePortAreRefusedAndHarmNobody) {
  Two two(options_of(true), options_of(true));
  std::mt19937 random(5);
  const PeerId peer = two.a->transport->connect(two.b->transport->address(), "friend");
  ASSERT_TRUE(pump({two.a.get(), two.b.get()}, [&] { return two.a->connected.size() == 1; }));
  for (int i = 0; i < 50; ++i) {
    const int fd = connect_plainly(two.b->transport->address());
    std::vector<char> bytes(random() % 3000 + 1);
    for (char& byte : bytes) byte = static_cast<char>(random());
    [[maybe_unused]] const ssize_t wrote = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    const std::size_t count = static_cast<std::size_t>(i) + 1;
    ASSERT_TRUE(pump({two.b.get()}, [&] { return two.refused_by_b.size() == count; })) << i;
    ::close(fd);
  }
  EXPECT_NE(two.refused_by_b[0].find("not weft's protocol"), std::string::npos) << two.refused_by_b[0];
  two.a->transport->send(peer, bytes_of("still here"));
  ASSERT_TRUE(pump({two.a.get(), two.b.get()}, [&] { return !two.b->messages.empty(); }));
}

TEST(NetworkTransportTest, StrangerWhoSaysNothingRunsOutOfTime) {
  comm::NetworkOptions hasty = options_of(true);
  hasty.connect_timeout = 200'000'000;
  Two two(options_of(true), hasty);
  const int fd = connect_plainly(two.b->transport->address());
  ASSERT_TRUE(pump({two.b.get()}, [&] { return two.refused_by_b.size() == 1; }));
  EXPECT_NE(two.refused_by_b[0].find("0.2 s"), std::string::npos) << two.refused_by_b[0];
  ::close(fd);
}

TEST(NetworkTransportTest, ManySilentStrangersDoNotKeepAFriendOut) {
  comm::NetworkOptions hasty = options_of(true);
  hasty.connect_timeout = 500'000'000;
  Two two(options_of(true), hasty);
  std::vector<int> strangers;
  for (int i = 0; i < 600; ++i) {
    strangers.push_back(connect_plainly(two.b->transport->address()));
    two.b->transport->progress();
  }
  two.a->transport->connect(two.b->transport->address(), "friend");
  EXPECT_TRUE(pump({two.a.get(), two.b.get()}, [&] { return two.a->connected.size() == 1; }));
  for (const int fd : strangers) ::close(fd);
}

TEST(NetworkTransportTest, InterfaceThatIsNotThereIsRefusedWithThoseThatAre) {
  comm::NetworkOptions options = options_of(true);
  options.listen_on = "no-such-interface";
  try {
    comm::open_network_transport(options);
    FAIL() << "listened";
  } catch (const std::exception& error) {
    EXPECT_NE(std::string(error.what()).find("lo (127.0.0.1)"), std::string::npos) << error.what();
  }
}

TEST(NetworkTransportTest, ListensOnItsInterfaceOnly) {
  const auto transport = comm::open_network_transport(options_of(true));
  EXPECT_EQ(comm::Place::parse(transport->address()).ip, "127.0.0.1");
}

struct StallCase {
  bool shared_memory;
  bool ucx;
  const char* name;
};
class Stall : public ::testing::TestWithParam<StallCase> {};

TEST_P(Stall, StalledBlockLosesThePeerWithPlaceAndTransport) {
  comm::NetworkOptions patient = options_of(GetParam().shared_memory);
  patient.ucx = GetParam().ucx ? comm::UseUcx::Always : comm::UseUcx::Never;
  comm::NetworkOptions hasty = patient;
  hasty.stall_timeout = 300'000'000;
  Two two(hasty, patient);
  const PeerId peer = two.a->transport->connect(two.b->transport->address(), "a");
  ASSERT_TRUE(
      pump({two.a.get(), two.b.get()}, [&] { return two.b->connected.size() == 1 && two.a->connected.size() == 1; }));
  const std::string data(30'000'000, 'x');
  two.a->transport->send_block(peer, {}, data.data(), data.size(), MemoryKind::Host, 1);
  // b does not move any more.
  ASSERT_TRUE(pump({two.a.get()}, [&] { return two.a->lost.size() == 1; }));
  EXPECT_FALSE(two.a->sent[1]);
  const std::string& why = two.a->lost[peer];
  EXPECT_TRUE(why.starts_with(std::string("nothing moved for 0.3 s on ") + GetParam().name)) << why;
  EXPECT_NE(why.find(" to 127.0.0.1:"), std::string::npos) << why;
  // It comes back, and finds itself alone.
  ASSERT_TRUE(pump({two.b.get()}, [&] { return two.b->lost.size() == 1; }));
  EXPECT_EQ(two.b->arrived.size(), two.b->landed.size());
  for (const auto& [token, ok] : two.b->arrived) EXPECT_FALSE(ok);
}
INSTANTIATE_TEST_SUITE_P(NetworkTransportTest, Stall,
                         ::testing::Values(StallCase{true, false, "shared memory"}, StallCase{false, false, "tcp"}
#ifdef WEFT_HAS_UCX
                                           ,
                                           StallCase{false, true, "ucx"}
#endif
                                           ));

// What stalled on a fast lane is tried again on the socket alone.
TEST(NetworkTransportTest, AfterAStallTheNextConnectionThereFallsBackToItsSocket) {
  comm::NetworkOptions hasty = options_of(true);
  hasty.stall_timeout = 300'000'000;
  Two two(hasty, options_of(true));
  PeerId peer = two.a->transport->connect(two.b->transport->address(), "a");
  ASSERT_TRUE(
      pump({two.a.get(), two.b.get()}, [&] { return two.b->connected.size() == 1 && two.a->connected.size() == 1; }));
  const std::string data(30'000'000, 'x');
  std::uint64_t token = 10;
  for (const char* way : {"shared memory", "tcp"}) {
    two.a->transport->send_block(peer, {}, data.data(), data.size(), MemoryKind::Host, ++token);
    ASSERT_TRUE(pump({two.a.get()}, [&] { return two.a->lost.count(peer) == 1; }));  // b does not move
    EXPECT_NE(two.a->lost[peer].find(std::string(" on ") + way), std::string::npos) << two.a->lost[peer];
    const std::size_t known = two.a->connected.size();
    peer = two.a->transport->connect(two.b->transport->address(), "again");
    ASSERT_TRUE(pump({two.a.get(), two.b.get()}, [&] { return two.a->connected.size() == known + 1; }));
  }
  two.a->transport->send_block(peer, {}, data.data(), data.size(), MemoryKind::Host, 2);
  ASSERT_TRUE(pump({two.a.get(), two.b.get()}, [&] { return two.a->sent.count(2) == 1; }));
  EXPECT_TRUE(two.a->sent[2]);
}

// A process that is being forked holds all descriptors for a moment: what it holds must not bring back who is gone.
TEST(NetworkTransportTest, ALostPeerIsForgottenWhileAForkedProcessHoldsItsSocket) {
  for (const bool shared_memory : {false, true}) {
    Two two(options_of(shared_memory), options_of(shared_memory));
    two.a->transport->connect(two.b->transport->address(), "a");
    ASSERT_TRUE(
        pump({two.a.get(), two.b.get()}, [&] { return two.b->connected.size() == 1 && two.a->connected.size() == 1; }));
    const pid_t holder = ::fork();
    ASSERT_GE(holder, 0);
    if (holder == 0) {
      ::pause();
      ::_exit(0);
    }
    two.b->transport->close(two.b->connected.begin()->first);  // it says goodbye on the socket
    ASSERT_TRUE(pump({two.a.get(), two.b.get()}, [&] { return two.a->lost.size() == 1; }));
    for (int i = 0; i < 2000; ++i) two.a->transport->progress();
    // Nothing is left that could wake it.
    const auto begin = std::chrono::steady_clock::now();
    two.a->transport->sleep(200'000'000);
    EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(100));
    ::kill(holder, SIGKILL);
    ::waitpid(holder, nullptr, 0);
  }
}

TEST(NetworkTransportTest, CompressedBlocksArriveAsTheyWere) {
  for (const auto wish : {comm::Compression::Lz4, comm::Compression::Zstd}) {
    comm::NetworkOptions packing = options_of(false), never = options_of(false);
    packing.compression = wish;
    never.compression = comm::Compression::Off;
    for (const comm::NetworkOptions& other : {packing, never}) {
      Two two(packing, other);
      const PeerId peer = two.a->transport->connect(two.b->transport->address(), "a");
      const std::string data(3'000'001, 'y');
      two.a->transport->send_block(peer, bytes_of("h"), data.data(), data.size(), MemoryKind::Host, 1);
      ASSERT_TRUE(pump({two.a.get(), two.b.get()}, [&] { return two.b->arrived.size() == 1; }));
      EXPECT_TRUE(two.b->landed_text(0) == data);
    }
  }
}

TEST(NetworkTransportTest, SharedMemoryNeedsBothSides) {
  Two two(options_of(true), options_of(false));
  const PeerId peer = two.a->transport->connect(two.b->transport->address(), "a");
  const std::string data = pattern(2'000'000, 3);
  two.a->transport->send_block(peer, bytes_of("h"), data.data(), data.size(), MemoryKind::Host, 1);
  ASSERT_TRUE(pump({two.a.get(), two.b.get()}, [&] { return two.b->arrived.size() == 1; }));
  EXPECT_TRUE(two.b->landed_text(0) == data);
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  DIR* folder = ::opendir("/proc/self/fd");
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count;
}

TEST(NetworkTransportTest, ConnectionsComeAndGoWithoutLeavingDescriptorsOrFiles) {
  Two two(options_of(true), options_of(true));
  std::size_t before = 0;
  for (std::size_t i = 0; i < 200; ++i) {
    const PeerId peer = two.a->transport->connect(two.b->transport->address(), "a");
    ASSERT_TRUE(pump({two.a.get(), two.b.get()}, [&] { return two.b->connected.size() == i + 1; }));
    two.a->transport->send(peer, bytes_of("m"));
    two.a->transport->close(peer);
    ASSERT_TRUE(pump({two.a.get(), two.b.get()}, [&] { return two.b->lost.size() == i + 1; }));
    if (i == 20) before = open_descriptors();
  }
  for (int i = 0; i < 1000; ++i) two.a->transport->progress();
  EXPECT_LE(open_descriptors(), before + 4);
}

}  // namespace
}  // namespace weft::testing
