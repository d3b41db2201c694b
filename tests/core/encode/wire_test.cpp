#include <weft/wire.hpp>

#include "tests/core/encode/everything.hpp"

#include <weft/error.hpp>

#include <gtest/gtest.h>

#include <random>

namespace weft {
namespace {

using everything::Everything;
using everything::Link;

Everything make_everything() {
  Everything all;
  all.maps = {{{"one", 1}, {"two", std::vector<double>{1, 2, 3}}}, {}};
  all.parts = {"text", {true, false, true}, {'c', 1.5L}};
  all.lists = {{7, {"a", "bb"}}, {8, {}}};
  all.sets = {{1, 2}, {}, {3}};
  all.flags = std::vector<bool>(13, true);
  all.link = std::make_unique<Link>(Link{1, std::make_unique<Link>(Link{2, nullptr})});
  return all;
}

std::string message_of(const auto& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(WireTest, CountsComeBackInTheFewestBytes) {
  for (const auto& [value, size] : {std::pair<std::uint64_t, std::size_t>{0, 1},
                                    {127, 1},
                                    {128, 2},
                                    {1u << 14, 3},
                                    {std::uint64_t{1} << 62, 9},
                                    {UINT64_MAX, 10}}) {
    Writer writer;
    writer.count(value);
    EXPECT_EQ(writer.size(), size);
    Reader reader(writer);
    EXPECT_EQ(reader.count("count"), value);
  }
}

TEST(WireTest, AnEndlessCountIsRefused) {
  const std::string ones(20, '\xff');
  Reader reader(ones.data(), ones.size());
  EXPECT_THROW(reader.count("count"), Error);
}

TEST(WireTest, DamageIsNamedWithTypeAndOffset) {
  const std::string bytes{9, 'a', 'b'};
  const std::string text = message_of([&] { decode_all<std::vector<char>>(bytes.data(), bytes.size()); });
  EXPECT_NE(text.find("damaged bytes at offset 1 of 3 while reading std::vector<char>"), std::string::npos) << text;
  EXPECT_NE(text.find("9 elements do not fit in the 2 bytes that are left"), std::string::npos) << text;
}

TEST(WireTest, ADamagedCountDoesNotAllocate) {
  // 2^60 elements are promised and nine bytes follow; std::bad_alloc or std::length_error would fail the test.
  Writer writer;
  writer.count(std::uint64_t{1} << 60);
  writer.number<std::uint64_t>(0);
  writer.number<std::uint8_t>(0);
  const auto refuses = [&]<class T>(Types<T>) { EXPECT_THROW(decode_all<T>(writer.data(), writer.size()), Error); };
  refuses(Types<std::vector<double>>{});
  refuses(Types<std::vector<std::string>>{});
  refuses(Types<std::vector<std::monostate>>{});
  refuses(Types<std::vector<bool>>{});
  refuses(Types<std::string>{});
  refuses(Types<std::list<int>>{});
  refuses(Types<std::map<int, int>>{});
  refuses(Types<std::unordered_set<int>>{});
}

TEST(WireTest, EveryTruncationThrows) {
  Writer writer;
  encode(writer, make_everything());
  for (std::size_t size = 0; size < writer.size(); ++size) {
    const std::vector<std::byte> cut(writer.data(), writer.data() + size);
    EXPECT_THROW(decode_all<Everything>(cut.data(), cut.size()), Error) << "cut to " << size;
  }
}

TEST(WireTest, RandomDamageThrowsOrDecodes) {
  Writer writer;
  encode(writer, make_everything());
  std::mt19937 random(20'240'607);
  int refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::byte> bytes(writer.data(), writer.data() + writer.size());
    for (unsigned k = 0; k <= random() % 4; ++k) bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    try {
      const Everything other = decode_all<Everything>(bytes.data(), bytes.size());
      static_cast<void>(other);
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 1'000);
}

TEST(WireTest, TooDeepValuesAreRefusedOnBothSides) {
  Link chain;
  for (int i = 0; i < 3'000; ++i) {
    auto front = std::make_unique<Link>();
    front->next = std::move(chain.next);
    chain.next = std::move(front);
  }
  Writer writer;
  EXPECT_NE(message_of([&] { encode(writer, chain); }).find("levels deep"), std::string::npos);
  Writer again;
  encode(again, Link{1, nullptr});  // a refusal leaves nothing behind in another writer
  std::string bytes;
  for (int i = 0; i < 100'000; ++i) bytes += std::string{0, 0, 0, 0, 1};
  EXPECT_NE(message_of([&] { decode_all<Link>(bytes.data(), bytes.size()); }).find("levels deep"), std::string::npos);
}

TEST(WireTest, WritersMoveAndGrow) {
  Writer writer;
  for (std::uint32_t i = 0; i < 100'000; ++i) writer.number(i);
  Writer moved(std::move(writer));
  EXPECT_EQ(writer.size(), 0u);
  writer.number('x');
  EXPECT_EQ(writer.size(), 1u);
  ASSERT_EQ(moved.size(), 400'000u);
  Reader reader(moved);
  for (std::uint32_t i = 0; i < 100'000; ++i) ASSERT_EQ(reader.number<std::uint32_t>("number"), i);
  moved.clear();
  EXPECT_EQ(moved.size(), 0u);
}

}  // namespace
}  // namespace weft
