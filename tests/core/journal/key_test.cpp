#include "core/journal/key.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace weft::journal {
namespace {

Key key_of_text(const std::string& text) { return KeyMaker().add(text.data(), text.size()).key(); }

TEST(JournalKeyTest, EqualBytesGiveEqualKeys) {
  EXPECT_EQ(key_of_text("a result"), key_of_text("a result"));
  EXPECT_FALSE(key_of_text("").none());
}

TEST(JournalKeyTest, EachBitOfTheBytesAndTheirLengthCount) {
  const std::string text = "forty-one bytes, which are two words and so";
  std::set<Key> keys{key_of_text(text)};
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    std::string other = text;
    other[bit / 8] = static_cast<char>(other[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_TRUE(keys.insert(key_of_text(other)).second) << "bit " << bit;
  }
  for (std::size_t length = 0; length < text.size(); ++length) {
    EXPECT_TRUE(keys.insert(key_of_text(text.substr(0, length))).second) << length << " bytes";
  }
  EXPECT_TRUE(keys.insert(key_of_text(text + '\0')).second);
}

TEST(JournalKeyTest, WhereOnePieceEndsAndTheNextBeginsCounts) {
  EXPECT_NE(KeyMaker().add("ab", 2).add("c", 1).key(), KeyMaker().add("a", 1).add("bc", 2).key());
  EXPECT_NE(KeyMaker().add("", 0).add("a", 1).key(), KeyMaker().add("a", 1).add("", 0).key());
}

TEST(JournalKeyTest, ManyNumbersGiveManyKeys) {
  std::set<Key> keys;
  std::set<std::uint64_t> lows;
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    const Key key = KeyMaker().add(i).key();
    keys.insert(key);
    lows.insert(key.low);
  }
  EXPECT_EQ(keys.size(), 100'000u);
  EXPECT_EQ(lows.size(), 100'000u);
}

}  // namespace
}  // namespace weft::journal
