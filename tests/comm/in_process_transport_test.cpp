#include "comm/in_process_transport.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "tests/contracts/transport_contract.hpp"

namespace weft::testing {
namespace {

struct InProcessWiring {
  std::unique_ptr<Transport> open() { return network.open(); }
  static void kill(std::unique_ptr<Transport>& endpoint) { endpoint.reset(); }
  comm::InProcessNetwork network;
};
INSTANTIATE_TYPED_TEST_SUITE_P(InProcess, TransportContract, InProcessWiring);

struct FaultyWiring {
  std::unique_ptr<Transport> open() { return network.open(); }
  static void kill(std::unique_ptr<Transport>& endpoint) { endpoint.reset(); }
  comm::InProcessNetwork network{{.seed = 7, .most_delay = 200'000, .reorder_blocks = true}};
};
INSTANTIATE_TYPED_TEST_SUITE_P(InProcessDelayed, TransportContract, FaultyWiring);

struct Pair {
  explicit Pair(comm::InProcessNetwork& network) : a(network.open()), b(network.open()) {
    to_b = a.transport->connect(b.transport->address(), "a");
    EXPECT_TRUE(pump({&a, &b}, [&] { return b.connected.size() == 1 && a.connected.size() == 1; }));
    to_a = b.connected[0].first;
  }
  Recorder a, b;
  PeerId to_b = 0, to_a = 0;
};

TEST(InProcessNetworkTest, ReorderedBlocksArriveInAnotherOrder) {
  comm::InProcessNetwork network({.seed = 1, .reorder_blocks = true});
  Pair pair(network);
  std::vector<std::uint64_t> order;
  const std::string data = "x";
  for (std::uint64_t i = 0; i < 30; ++i)
    pair.a.transport->send_block(pair.to_b, {}, data.data(), 1, MemoryKind::Host, i);
  std::size_t seen = 0;
  ASSERT_TRUE(pump({&pair.a, &pair.b}, [&] {
    if (pair.b.arrived.size() > seen) {
      for (const auto& [token, ok] : pair.b.arrived)
        if (std::find(order.begin(), order.end(), token) == order.end()) order.push_back(token);
      seen = order.size();
    }
    return seen == 30;
  }));
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
}

TEST(InProcessNetworkTest, CutLinkLosesBothSidesAndMayBeConnectedAgain) {
  comm::InProcessNetwork network;
  Pair pair(network);
  const std::string data(1000, 'x');
  pair.a.transport->send_block(pair.to_b, {}, data.data(), data.size(), MemoryKind::Host, 1);
  network.cut(pair.a.transport->address(), pair.b.transport->address());
  ASSERT_TRUE(pump({&pair.a, &pair.b}, [&] { return pair.a.lost.size() == 1 && pair.b.lost.size() == 1; }));
  EXPECT_EQ(pair.a.lost[pair.to_b], "the link was cut");
  EXPECT_EQ(pair.a.sent.size(), 1u);
  pair.a.transport->connect(pair.b.transport->address(), "again");
  ASSERT_TRUE(pump({&pair.a, &pair.b}, [&] { return pair.b.connected.size() == 2; }));
}

TEST(InProcessNetworkTest, HeldLinkIsSilentUntilItIsReleased) {
  comm::InProcessNetwork network;
  Pair pair(network);
  network.hold(pair.a.transport->address(), pair.b.transport->address());
  pair.a.transport->send(pair.to_b, bytes_of("one"));
  pair.a.transport->send(pair.to_b, bytes_of("two"));
  EXPECT_FALSE(pair.b.transport->progress());
  network.release(pair.b.transport->address(), pair.a.transport->address());
  ASSERT_TRUE(pump({&pair.a, &pair.b}, [&] { return pair.b.messages[pair.to_a].size() == 2; }));
  EXPECT_EQ(pair.b.messages[pair.to_a][0], "one");
}

TEST(InProcessNetworkTest, EndpointsOfDifferentThreadsTalkAtOnce) {
  comm::InProcessNetwork network;
  constexpr int kThreads = 4;
  constexpr std::size_t kMessages = 2000;
  Recorder center(network.open());
  std::vector<std::thread> threads;
  const std::string address = center.transport->address();
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&network, address] {
      Recorder mine(network.open());
      const PeerId peer = mine.transport->connect(address, "x");
      const std::string block = pattern(10'000, 1);
      for (std::size_t j = 0; j < kMessages; ++j) mine.transport->send(peer, bytes_of("m"));
      mine.transport->send_block(peer, {}, block.data(), block.size(), MemoryKind::Host, 1);
      EXPECT_TRUE(pump({&mine}, [&] { return mine.sent.size() == 1; }));
    });
  }
  EXPECT_TRUE(pump({&center}, [&] { return center.lost.size() == kThreads; }));
  for (std::thread& thread : threads) thread.join();
  for (const auto& [peer, list] : center.messages) EXPECT_EQ(list.size(), kMessages);
  EXPECT_EQ(center.arrived.size(), static_cast<std::size_t>(kThreads));
}

}  // namespace
}  // namespace weft::testing
