// What every Transport promises, as one typed suite. A new transport adds a Wiring and instantiates it:
//
//   struct MyWiring { std::unique_ptr<Transport> open(); static void kill(std::unique_ptr<Transport>&); };
//   INSTANTIATE_TYPED_TEST_SUITE_P(My, TransportContract, MyWiring);

#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/transport/transport.hpp"

namespace weft::testing {

/// A sleep that is not woken lasts longer than a test may: on a loaded machine, under a sanitizer, rounds are slow.
inline constexpr std::int64_t kUnlessWoken = 90'000'000'000;  // ns
inline constexpr std::chrono::seconds kLongest{60};

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// One endpoint with a listener that writes everything down.
/// Owns: its transport and the memory incoming blocks land in. Threading: one thread.
class Recorder : public Transport::Listener {
 public:
  explicit Recorder(std::unique_ptr<Transport> opened) : transport(std::move(opened)) { transport->set_listener(this); }

  void peer_connected(PeerId peer, std::string_view hello) override {
    EXPECT_EQ(lost.count(peer), 0u);
    connected.emplace_back(peer, hello);
    log.push_back("connected " + std::string(hello));
  }
  void message(PeerId peer, std::span<const std::byte> bytes) override {
    EXPECT_EQ(lost.count(peer), 0u) << "a message of a peer that is lost";
    messages[peer].push_back(text_of(bytes));
    log.push_back("message " + (bytes.size() < 50 ? text_of(bytes) : std::to_string(bytes.size())));
    if (on_message) on_message(peer, bytes);
  }
  BlockTarget block_offered(PeerId peer, std::span<const std::byte> header, std::size_t bytes) override {
    EXPECT_EQ(lost.count(peer), 0u) << "a block of a peer that is lost";
    log.push_back("offered " + text_of(header));
    if (on_offer) on_offer();
    if (refuse_blocks) return {};
    landed.push_back(std::make_unique<std::vector<char>>(bytes + 1, '?'));
    return {landed.back()->data(), MemoryKind::Host, landed.size() - 1};
  }
  void block_arrived(PeerId peer, std::uint64_t token, bool ok) override {
    EXPECT_EQ(lost.count(peer), 0u) << "a block that ends after its peer was lost";
    EXPECT_EQ(arrived.count(token), 0u) << "a block that ends twice";
    arrived[token] = ok;
    log.push_back(ok ? "arrived" : "broken");
  }
  void block_sent(PeerId, std::uint64_t token, bool ok) override {
    EXPECT_EQ(sent.count(token), 0u) << "a block that ends twice";
    sent[token] = ok;
  }
  void peer_lost(PeerId peer, std::string_view why) override {
    EXPECT_EQ(lost.count(peer), 0u) << "a peer that is lost twice";
    lost[peer] = why;
    log.push_back("lost");
  }

  /// The bytes of block `token` that have arrived, as text.
  std::string landed_text(std::uint64_t token) const { return {landed[token]->data(), landed[token]->size() - 1}; }

  std::unique_ptr<Transport> transport;
  bool refuse_blocks = false;
  std::function<void(PeerId, std::span<const std::byte>)> on_message;
  std::function<void()> on_offer;
  std::vector<std::pair<PeerId, std::string>> connected;
  std::map<PeerId, std::vector<std::string>> messages;
  std::vector<std::unique_ptr<std::vector<char>>> landed;
  std::map<std::uint64_t, bool> arrived, sent;
  std::map<PeerId, std::string> lost;
  std::vector<std::string> log;
};

/// Turns the cranks of all until `done`; false after `seconds` without.
template <class Done>
bool pump(std::initializer_list<Recorder*> all, Done done, double seconds = 20) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (!done()) {
    bool moved = false;
    for (Recorder* one : all) {
      if (one->transport == nullptr) continue;
      one->transport->flush();
      moved |= one->transport->progress();
    }
    if (!moved) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::yield();
    }
  }
  return true;
}

inline std::string pattern(std::size_t bytes, std::uint32_t seed) {
  std::string text(bytes, '\0');
  for (char& letter : text) {
    seed = seed * 1664525u + 1013904223u;
    letter = static_cast<char>(seed >> 24);
  }
  return text;
}

/// Two endpoints, `a` connected to `b`.
template <class Wiring>
class TransportContract : public ::testing::Test {
 protected:
  void SetUp() override {
    a = std::make_unique<Recorder>(wiring.open());
    b = std::make_unique<Recorder>(wiring.open());
    to_b = a->transport->connect(b->transport->address(), "I am a");
    ASSERT_TRUE(pump({a.get(), b.get()}, [&] { return b->connected.size() == 1 && a->connected.size() == 1; }));
    to_a = b->connected[0].first;
  }
  template <class Done>
  bool pump_both(Done done) {
    return pump({a.get(), b.get()}, done);
  }

  Wiring wiring;
  std::unique_ptr<Recorder> a, b;
  PeerId to_b = 0, to_a = 0;
};
TYPED_TEST_SUITE_P(TransportContract);

TYPED_TEST_P(TransportContract, HelloReachesTheOtherSide) {
  EXPECT_EQ(this->b->connected[0].second, "I am a");
  EXPECT_EQ(this->a->connected[0].first, this->to_b);
  EXPECT_EQ(this->a->connected[0].second, "");
}

TYPED_TEST_P(TransportContract, MessagesArriveOnceInOrderBothWays) {
  constexpr int kCount = 5000;
  for (int i = 0; i < kCount; ++i) {
    this->a->transport->send(this->to_b, bytes_of(std::to_string(i)));
    this->b->transport->send(this->to_a, bytes_of(std::to_string(-i)));
    if (i % 700 == 0) this->a->transport->flush();
  }
  ASSERT_TRUE(this->pump_both([&] {
    return this->b->messages[this->to_a].size() == kCount && this->a->messages[this->to_b].size() == kCount;
  }));
  for (int i = 0; i < kCount; ++i) {
    ASSERT_EQ(this->b->messages[this->to_a][i], std::to_string(i));
    ASSERT_EQ(this->a->messages[this->to_b][i], std::to_string(-i));
  }
}

TYPED_TEST_P(TransportContract, MessagesOfEverySizeArriveWhole) {
  const std::size_t most = this->a->transport->most_message_bytes();
  ASSERT_GE(most, std::size_t{64} << 10);
  std::vector<std::string> texts;
  for (std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{7}, std::size_t{8}, std::size_t{4095},
                            std::size_t{4096}, std::size_t{65'521}, most - 1, most}) {
    texts.push_back(pattern(bytes, static_cast<std::uint32_t>(bytes)));
  }
  for (int round = 0; round < 3; ++round)
    for (const std::string& text : texts) {
      std::string copy = text;
      this->a->transport->send(this->to_b, bytes_of(copy));
      std::fill(copy.begin(), copy.end(), 'x');  // the transport has its own copy by now
    }
  ASSERT_TRUE(this->pump_both([&] { return this->b->messages[this->to_a].size() == 3 * texts.size(); }));
  for (std::size_t i = 0; i < 3 * texts.size(); ++i)
    ASSERT_TRUE(this->b->messages[this->to_a][i] == texts[i % texts.size()]) << i;
}

TYPED_TEST_P(TransportContract, MessageThatIsTooLongIsRefused) {
  const std::string text(this->a->transport->most_message_bytes() + 1, 'x');
  EXPECT_ANY_THROW(this->a->transport->send(this->to_b, bytes_of(text)));
}

TYPED_TEST_P(TransportContract, MessagesSentBeforeTheConnectionIsThroughArrive) {
  Recorder c(this->wiring.open());
  const PeerId peer = c.transport->connect(this->b->transport->address(), "c");
  for (int i = 0; i < 100; ++i) c.transport->send(peer, bytes_of("early " + std::to_string(i)));
  const std::string data = pattern(100'000, 3);
  c.transport->send_block(peer, bytes_of("early block"), data.data(), data.size(), MemoryKind::Host, 1);
  ASSERT_TRUE(pump({&c, this->b.get()}, [&] { return this->b->arrived.size() == 1 && c.sent.size() == 1; }));
  const PeerId from = this->b->connected[1].first;
  ASSERT_EQ(this->b->messages[from].size(), 100u);
  EXPECT_EQ(this->b->messages[from][99], "early 99");
  EXPECT_TRUE(this->b->landed_text(0) == data);
}

TYPED_TEST_P(TransportContract, BlocksOfEverySizeArriveWhole) {
  std::vector<std::string> texts;
  for (std::size_t bytes : {0, 1, 100, 4096, 65'537, 1'000'003, 9'000'000}) {
    texts.push_back(pattern(bytes, static_cast<std::uint32_t>(bytes)));
  }
  for (std::size_t i = 0; i < texts.size(); ++i) {
    this->a->transport->send_block(this->to_b, bytes_of("block " + std::to_string(i)), texts[i].data(), texts[i].size(),
                                   MemoryKind::Host, i);
  }
  ASSERT_TRUE(
      this->pump_both([&] { return this->b->arrived.size() == texts.size() && this->a->sent.size() == texts.size(); }));
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_TRUE(this->a->sent[i]);
    EXPECT_TRUE(this->b->arrived[i]);
    EXPECT_TRUE(this->b->landed_text(i) == texts[i]) << "block " << i;
    EXPECT_EQ(this->b->landed[i]->back(), '?') << "a byte behind the block was written";
  }
}

TYPED_TEST_P(TransportContract, OffersKeepTheirPlaceAmongMessages) {
  const std::string data = pattern(300'000, 1);
  std::vector<std::string> expected = {"connected I am a"};
  for (int i = 0; i < 20; ++i) {
    const std::string name = std::to_string(i);
    this->a->transport->send(this->to_b, bytes_of(name));
    this->a->transport->send_block(this->to_b, bytes_of(name), data.data(), data.size(), MemoryKind::Host,
                                   static_cast<std::uint64_t>(i));
    expected.push_back("message " + name);
    expected.push_back("offered " + name);
  }
  ASSERT_TRUE(this->pump_both([&] { return this->b->arrived.size() == 20; }));
  std::erase(this->b->log, "arrived");
  EXPECT_EQ(this->b->log, expected);
}

TYPED_TEST_P(TransportContract, BlocksBothWaysAtOnceDoNotBlockEachOther) {
  const std::string data = pattern(5'000'000, 5);
  for (std::uint64_t i = 0; i < 4; ++i) {
    this->a->transport->send_block(this->to_b, {}, data.data(), data.size(), MemoryKind::Host, i);
    this->b->transport->send_block(this->to_a, {}, data.data(), data.size(), MemoryKind::Host, i);
  }
  ASSERT_TRUE(this->pump_both([&] { return this->b->arrived.size() == 4 && this->a->arrived.size() == 4; }));
  for (std::uint64_t i = 0; i < 4; ++i) {
    EXPECT_TRUE(this->a->landed_text(i) == data);
    EXPECT_TRUE(this->b->landed_text(i) == data);
  }
}

TYPED_TEST_P(TransportContract, UnwantedBlockIsDroppedAndItsSenderGoesOn) {
  this->b->refuse_blocks = true;
  const std::string data = pattern(3'000'000, 2);
  this->a->transport->send_block(this->to_b, bytes_of("x"), data.data(), data.size(), MemoryKind::Host, 1);
  this->a->transport->send(this->to_b, bytes_of("after"));
  ASSERT_TRUE(this->pump_both([&] { return this->a->sent.size() == 1 && !this->b->messages[this->to_a].empty(); }));
  EXPECT_TRUE(this->a->sent[1]);
  EXPECT_TRUE(this->b->arrived.empty());
}

TYPED_TEST_P(TransportContract, CloseIsToldToTheOtherSideAfterTheMessagesBeforeIt) {
  for (int i = 0; i < 1000; ++i) this->a->transport->send(this->to_b, bytes_of("last words"));
  this->a->transport->close(this->to_b);
  ASSERT_TRUE(this->pump_both([&] { return this->b->lost.size() == 1; }));
  EXPECT_EQ(this->b->messages[this->to_a].size(), 1000u);
  EXPECT_FALSE(this->b->lost[this->to_a].empty());
  EXPECT_TRUE(this->a->lost.empty());
}

TYPED_TEST_P(TransportContract, DeathEndsEveryBlockAndThenThePeer) {
  const std::string data = pattern(20'000'000, 7);
  for (std::uint64_t i = 0; i < 3; ++i) {
    this->a->transport->send_block(this->to_b, {}, data.data(), data.size(), MemoryKind::Host, i);
    this->b->transport->send_block(this->to_a, {}, data.data(), data.size(), MemoryKind::Host, i);
  }
  // A little of it moves, then b is gone.
  for (int i = 0; i < 2; ++i) {
    this->a->transport->progress();
    this->b->transport->progress();
  }
  this->wiring.kill(this->b->transport);
  ASSERT_TRUE(pump({this->a.get()}, [&] { return this->a->lost.size() == 1; }));
  EXPECT_EQ(this->a->sent.size(), 3u);
  EXPECT_EQ(this->a->arrived.size(), this->a->landed.size());
}

TYPED_TEST_P(TransportContract, CallsThatNameALostPeerDoNothing) {
  this->wiring.kill(this->b->transport);
  ASSERT_TRUE(pump({this->a.get()}, [&] { return this->a->lost.size() == 1; }));
  this->a->transport->send(this->to_b, bytes_of("hello?"));
  this->a->transport->send_block(this->to_b, {}, "x", 1, MemoryKind::Host, 9);
  this->a->transport->close(this->to_b);
  ASSERT_TRUE(pump({this->a.get()}, [&] { return this->a->sent.size() == 1; }));
  EXPECT_FALSE(this->a->sent[9]);
}

TYPED_TEST_P(TransportContract, ClosedPeerIsHeardOfNoMoreButForItsBlocks) {
  const std::string data = pattern(20'000'000, 8);
  this->a->transport->send_block(this->to_b, {}, data.data(), data.size(), MemoryKind::Host, 1);
  this->a->transport->close(this->to_b);
  this->b->transport->send(this->to_a, bytes_of("too late"));
  ASSERT_TRUE(this->pump_both([&] { return this->a->sent.size() == 1 && this->b->lost.size() == 1; }));
  EXPECT_TRUE(this->a->messages.empty());
  EXPECT_TRUE(this->a->lost.empty());
}

TYPED_TEST_P(TransportContract, BlockThatIsOfferedToAListenerThatClosesEnds) {
  const std::string data = pattern(3'000'000, 8);
  this->b->on_offer = [&] { this->b->transport->close(this->to_a); };
  this->a->transport->send_block(this->to_b, {}, data.data(), data.size(), MemoryKind::Host, 1);
  ASSERT_TRUE(this->pump_both([&] { return this->a->lost.size() == 1 && this->b->arrived.size() == 1; }));
  EXPECT_FALSE(this->b->arrived[0]);
  EXPECT_EQ(this->a->sent.size(), 1u);
}

TYPED_TEST_P(TransportContract, PeerThatIsNotThereIsLostAndNotConnected) {
  const std::string address = this->b->transport->address();
  this->wiring.kill(this->b->transport);
  Recorder c(this->wiring.open());
  const PeerId peer = c.transport->connect(address, "c");
  c.transport->send_block(peer, {}, "x", 1, MemoryKind::Host, 1);
  ASSERT_TRUE(pump({&c}, [&] { return c.lost.size() == 1; }));
  EXPECT_TRUE(c.connected.empty());
  EXPECT_FALSE(c.sent[1]);
}

TYPED_TEST_P(TransportContract, AddressThatMakesNoSenseIsRefused) {
  EXPECT_ANY_THROW(this->a->transport->connect("no such thing", ""));
  EXPECT_ANY_THROW(this->a->transport->connect("", ""));
}

TYPED_TEST_P(TransportContract, ListenerMayCallTheTransport) {
  // A message is answered from within the listener until the count is over.
  const auto answer = [](Recorder& from) {
    return [&from](PeerId peer, std::span<const std::byte> bytes) {
      const int left = std::stoi(text_of(bytes));
      if (left > 0) from.transport->send(peer, bytes_of(std::to_string(left - 1)));
      if (left == 50) from.transport->close(99);  // nobody's number
    };
  };
  this->a->on_message = answer(*this->a);
  this->b->on_message = answer(*this->b);
  this->a->transport->send(this->to_b, bytes_of("100"));
  ASSERT_TRUE(this->pump_both([&] {
    return !this->a->messages[this->to_b].empty() && this->b->messages[this->to_a].size() == 51 &&
           this->b->messages[this->to_a].back() == "0";
  }));
}

TYPED_TEST_P(TransportContract, SleepEndsWhenSomethingArrives) {
  std::thread other([&] {
    for (int i = 0; i < 200; ++i) {
      const std::size_t seen = this->b->messages[this->to_a].size();
      const auto until = std::chrono::steady_clock::now() + kLongest;
      while (this->b->messages[this->to_a].size() == seen && std::chrono::steady_clock::now() < until) {
        this->b->transport->sleep(kUnlessWoken);
        this->b->transport->progress();
      }
      this->b->transport->send(this->to_a, bytes_of("pong"));
      this->b->transport->flush();
    }
  });
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < 200; ++i) {
    this->a->transport->send(this->to_b, bytes_of("ping"));
    this->a->transport->flush();
    const auto until = std::chrono::steady_clock::now() + kLongest;
    while (this->a->messages[this->to_b].size() <= i && std::chrono::steady_clock::now() < until) {
      this->a->transport->sleep(kUnlessWoken);
      this->a->transport->progress();
    }
  }
  other.join();
  EXPECT_EQ(this->a->messages[this->to_b].size(), 200u);
  EXPECT_LT(std::chrono::steady_clock::now() - start, kLongest) << "a sleeper was not woken";
}

// A sleep that ends by its time alone takes up to a second of these two tests' rounds.

TYPED_TEST_P(TransportContract, SleepEndsWhenAnotherThreadTakesWhatArrives) {
  const auto start = std::chrono::steady_clock::now();
  for (int round = 0; round < 300; ++round) {
    std::atomic<bool> up{false};
    std::thread sleeper([&] {
      this->a->transport->sleep(kUnlessWoken);
      up.store(true);
    });
    while (!up.load()) {  // it may fall asleep after any of these messages
      this->b->transport->send(this->to_a, bytes_of("news"));
      this->b->transport->flush();
      for (int turn = 0; turn < 2000 && !up.load(); ++turn) this->a->transport->progress();
      this->b->transport->progress();
    }
    sleeper.join();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, kLongest) << "a sleeper was not woken";
}

TYPED_TEST_P(TransportContract, WakeEndsASleepThoughAnotherThreadMakesProgress) {
  const auto start = std::chrono::steady_clock::now();
  for (int round = 0; round < 50; ++round) {
    std::atomic<bool> up{false};
    std::thread sleeper([&] {
      this->a->transport->sleep(kUnlessWoken);
      up.store(true);
    });
    this->a->transport->wake();
    while (!up.load()) this->a->transport->progress();
    sleeper.join();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, kLongest) << "a sleeper was not woken";
}

TYPED_TEST_P(TransportContract, WakeEndsASleepFromAnyThreadAlsoBeforeIt) {
  const auto start = std::chrono::steady_clock::now();
  this->a->transport->wake();
  this->a->transport->sleep(kUnlessWoken);
  std::thread other([&] { this->a->transport->wake(); });
  this->a->transport->sleep(kUnlessWoken);
  other.join();
  EXPECT_LT(std::chrono::steady_clock::now() - start, kLongest);
}

TYPED_TEST_P(TransportContract, SleepEndsAfterItsTime) {
  this->a->transport->progress();
  const auto start = std::chrono::steady_clock::now();
  this->a->transport->sleep(2'000'000);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

TYPED_TEST_P(TransportContract, ManyPeersShareOneEndpoint) {
  std::vector<std::unique_ptr<Recorder>> others;
  std::vector<PeerId> peers;
  for (int i = 0; i < 12; ++i) {
    others.push_back(std::make_unique<Recorder>(this->wiring.open()));
    peers.push_back(others.back()->transport->connect(this->b->transport->address(), std::to_string(i)));
  }
  for (int round = 0; round < 50; ++round)
    for (std::size_t i = 0; i < others.size(); ++i)
      others[i]->transport->send(peers[i], bytes_of(std::to_string(round)));
  ASSERT_TRUE(pump({this->b.get()}, [&] {
    std::size_t count = 0;
    for (auto& other : others) {
      other->transport->flush();
      other->transport->progress();
    }
    for (const auto& [peer, list] : this->b->messages) count += list.size();
    return count == 50 * others.size();
  }));
  for (const auto& [peer, list] : this->b->messages)
    for (std::size_t round = 0; round < list.size(); ++round) ASSERT_EQ(list[round], std::to_string(round));
}

REGISTER_TYPED_TEST_SUITE_P(TransportContract, HelloReachesTheOtherSide, MessagesArriveOnceInOrderBothWays,
                            MessagesOfEverySizeArriveWhole, MessageThatIsTooLongIsRefused,
                            MessagesSentBeforeTheConnectionIsThroughArrive, BlocksOfEverySizeArriveWhole,
                            OffersKeepTheirPlaceAmongMessages, BlocksBothWaysAtOnceDoNotBlockEachOther,
                            UnwantedBlockIsDroppedAndItsSenderGoesOn, CloseIsToldToTheOtherSideAfterTheMessagesBeforeIt,
                            DeathEndsEveryBlockAndThenThePeer, CallsThatNameALostPeerDoNothing,
                            ClosedPeerIsHeardOfNoMoreButForItsBlocks, BlockThatIsOfferedToAListenerThatClosesEnds,
                            PeerThatIsNotThereIsLostAndNotConnected, AddressThatMakesNoSenseIsRefused,
                            ListenerMayCallTheTransport, SleepEndsWhenSomethingArrives,
                            SleepEndsWhenAnotherThreadTakesWhatArrives, WakeEndsASleepThoughAnotherThreadMakesProgress,
                            WakeEndsASleepFromAnyThreadAlsoBeforeIt, SleepEndsAfterItsTime, ManyPeersShareOneEndpoint);

}  // namespace weft::testing
