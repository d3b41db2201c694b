#include "core/cluster/letters.hpp"
#include "core/cluster/deal_letter.hpp"
#include "core/cluster/packet_reader.hpp"

#include <weft/error.hpp>

#include <gtest/gtest.h>

#include <random>

namespace weft::cluster {
namespace {

/// Reads mutations of good bytes: whatever they hold, reading ends with a value or with weft::Error.
template <class Read>
void read_mutations(const std::string& good, const Read& read) {
  std::mt19937 random(11);
  for (int round = 0; round < 4000; ++round) {
    std::string bytes = good;
    const int changes = 1 + static_cast<int>(random() % 4);
    for (int i = 0; i < changes && !bytes.empty(); ++i) {
      const std::size_t at = random() % bytes.size();
      switch (random() % 4) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes.resize(at);
          break;
        case 2:
          bytes.insert(at, 1, static_cast<char>(random()));
          break;
        default:
          bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
          break;
      }
    }
    try {
      read(bytes);
    } catch (const Error&) {
    }
  }
}

template <class Body>
std::string written(const Body& body) {
  Writer writer;
  write(writer, body);
  return {reinterpret_cast<const char*>(writer.data()), writer.size()};
}

Hello some_hello() {
  Hello hello;
  hello.image = 1;
  hello.registry = 2;
  hello.identity = {"node:1", "key", 3, {{"GPU", 2}}};
  hello.slots = 4;
  hello.address = "there";
  return hello;
}

TEST(LettersTest, HelloComesBackAsItWent) {
  const Hello hello = read_hello(write_hello(some_hello()));
  EXPECT_EQ(hello.identity.name, "node:1");
  EXPECT_EQ(hello.identity.resources.at("GPU"), 2u);
  EXPECT_EQ(hello.slots, 4u);
  EXPECT_EQ(hello.address, "there");
}

TEST(LettersTest, AnotherProgramIsNamedWithBothSides) {
  Hello ours = some_hello();
  Hello theirs = some_hello();
  EXPECT_TRUE(mismatch(theirs, ours).empty());
  theirs.image = 0xabc;
  const std::string why = mismatch(theirs, ours);
  EXPECT_NE(why.find("0000000000000abc"), std::string::npos) << why;
  EXPECT_NE(why.find("0000000000000001"), std::string::npos) << why;
}

TEST(LettersTest, AnotherVersionIsRefused) {
  Hello hello = some_hello();
  hello.protocol = kProtocol + 1;
  EXPECT_THROW(read_hello(write_hello(hello)), Error);
}

TEST(LettersTest, DealsComeBackAsTheyWent) {
  DealLetter deal;
  deal.packet = 70'000;
  deal.attempt = 3;
  deal.spec.task_count = 12;
  deal.spec.priority = -5;
  deal.spec.peak_bytes = 1 << 20;
  deal.spec.needs = 0;
  deal.needs.slots = 2;
  deal.needs.resources = {{1, 2}};
  deal.inputs = {{5, kKeeper, 1, 100}, {6, 3, 2, 200}, {7, kNone, 0, 0}};
  const std::string bytes = written(deal);
  Reader reader(bytes.data(), bytes.size());
  const DealLetter read = read_deal(reader);
  EXPECT_EQ(read.packet, deal.packet);
  EXPECT_EQ(read.attempt, deal.attempt);
  EXPECT_EQ(read.spec.priority, -5);
  EXPECT_EQ(read.needs, deal.needs);
  EXPECT_EQ(read.inputs, deal.inputs);
}

TEST(LettersTest, MutatedLettersAreRefusedOrRead) {
  read_mutations(write_hello(some_hello()), [](const std::string& bytes) { read_hello(bytes); });
  const auto through = [](auto read) {
    return [read](const std::string& bytes) {
      Reader reader(bytes.data(), bytes.size());
      read(reader);
    };
  };
  read_mutations(written(Welcome{3, 4, {{1, 2}, {3, 4}}}), through([](Reader& reader) { read_welcome(reader); }));
  read_mutations(written(Neighbour{3, "somewhere"}), through([](Reader& reader) { read_neighbour(reader); }));
  read_mutations(written(Subscribe{900, 2, {1, 2, 300}}), through([](Reader& reader) { read_subscribe(reader); }));
  read_mutations(written(NotMine{900, 2}), through([](Reader& reader) { read_not_mine(reader); }));
  read_mutations(written(CancelTask{900, 2}), through([](Reader& reader) { read_cancel(reader); }));
  read_mutations(written(StuckPacket{900, Reason::TooLarge, 7}), through([](Reader& reader) { read_stuck(reader); }));
  DealLetter deal;
  deal.packet = 70'000;
  deal.spec.needs = 0;
  deal.needs.resources = {{1, 2}};
  deal.inputs = {{5, kKeeper, 1, 100}, {6, 3, 2, 200}};
  read_mutations(written(deal), through([](Reader& reader) { read_deal(reader); }));
}

}  // namespace
}  // namespace weft::cluster
