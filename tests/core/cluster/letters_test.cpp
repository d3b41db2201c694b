#include "core/cluster/letters.hpp"
#include "core/cluster/deal_letter.hpp"
#include "core/cluster/packet_reader.hpp"
#include "core/cluster/packet_writer.hpp"
#include "core/graph/sites.hpp"

#include <weft/bind.hpp>
#include <weft/error.hpp>

#include <gtest/gtest.h>

#include <random>

namespace weft::cluster {
namespace {

/// Damages good bytes in a way that the round decides.
std::string mutated(const std::string& good, std::mt19937& random) {
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
  return bytes;
}

/// Reads mutations of good bytes. Each is refused with weft::Error, which says why, or read; then what was read is
/// written to bytes that are read as the same. `again`: reads bytes and writes what it has read.
template <class Again>
void check_mutations(const char* letter, const std::string& good, const Again& again) {
  EXPECT_EQ(again(good), good) << letter;
  std::mt19937 random(11);
  unsigned refused = 0;
  unsigned accepted = 0;
  for (int round = 0; round < 4000; ++round) {
    const std::string bytes = mutated(good, random);
    std::string once;
    try {
      once = again(bytes);
    } catch (const Error& error) {
      EXPECT_STRNE(error.what(), "") << letter;
      ++refused;
      continue;
    }
    ++accepted;
    ASSERT_EQ(again(once), once) << letter << ": what was read is not what is written, round " << round;
  }
  EXPECT_GT(refused, 100u) << letter;
  EXPECT_GT(accepted, 100u) << letter;
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

TEST(LettersTest, ASiteThatWasReadFromAGraphFileGoesWithItsTexts) {
  const char* const file = kept_text("of a graph file.cpp");
  const char* const function = kept_text("int described()");
  const std::uint32_t of_file = site_of(detail::task_type<int (*)(int), int>, file, function, 7);
  const std::uint32_t of_program = site_of(detail::task_type<int (*)(int), int>, __FILE__, "here", 8);
  Writer out;
  write_site(out, of_file);
  write_site(out, of_program);
  Reader reader(out);
  EXPECT_EQ(read_site(reader), of_file);
  EXPECT_EQ(read_site(reader), of_program);
  EXPECT_EQ(reader.remaining(), 0u);
}

TEST(LettersTest, DealsComeBackAsTheyWent) {
  DealLetter deal;
  deal.packet = 70'000;
  deal.attempt = 3;
  deal.spec.task_count = 12;
  deal.spec.priority = -5;
  deal.spec.flags |= packet_flags::kAged;
  deal.spec.age = 69'000;
  deal.spec.turn = 12;
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
  EXPECT_EQ(read.spec.age, 69'000u);
  EXPECT_EQ(read.spec.turn, 12u);
  EXPECT_EQ(read.needs, deal.needs);
  EXPECT_EQ(read.inputs, deal.inputs);
}

TEST(LettersTest, MutatedLettersAreRefusedOrRead) {
  check_mutations("hello", write_hello(some_hello()),
                  [](const std::string& bytes) { return write_hello(read_hello(bytes)); });
  const auto through = [](auto read) {
    return [read](const std::string& bytes) {
      Reader reader(bytes.data(), bytes.size());
      return written(read(reader));
    };
  };
  check_mutations("welcome", written(Welcome{3, 4, {{1, 2}, {3, 4}}}), through(&read_welcome));
  check_mutations("neighbour", written(Neighbour{3, "somewhere"}), through(&read_neighbour));
  check_mutations("subscribe", written(Subscribe{900, 2, {1, 2, 300}}), through(&read_subscribe));
  check_mutations("not mine", written(NotMine{900, 2}), through(&read_not_mine));
  check_mutations("cancel", written(CancelTask{900, 2}), through(&read_cancel));
  check_mutations("stuck", written(StuckPacket{900, Reason::TooLarge, 7}), through(&read_stuck));
  DealLetter deal;
  deal.packet = 70'000;
  deal.spec.needs = 0;
  deal.needs.resources = {{1, 2}};
  deal.inputs = {{5, kKeeper, 1, 100}, {6, 3, 2, 200}};
  check_mutations("deal", written(deal), through(&read_deal));
}

}  // namespace
}  // namespace weft::cluster
