#include <weft/encode.hpp>

#include <weft/error.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <complex>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <mutex>
#include <span>
#include <thread>

namespace weft {
namespace {

enum class Colour : std::uint16_t { Red = 3, Green = 70 };

struct Point {
  double x = 0, y = 0;
  int a = 0, b = 0;
  friend bool operator==(const Point&, const Point&) = default;
};

/// Has padding after `c` and `flag`.
struct Padded {
  char c = 0;
  double x = 0;
  bool flag = false;
  friend bool operator==(const Padded&, const Padded&) = default;
};

struct Sample {
  std::string name;
  std::vector<Point> points;
  int grid[2][2] = {};
  Padded padded;
  std::optional<Colour> colour;
  friend bool operator==(const Sample&, const Sample&) = default;
};

struct Sixteen {
  std::int8_t a, b, c, d, e, f, g, h, i, j, k, l, m, n, o;
  std::string p;
  friend bool operator==(const Sixteen&, const Sixteen&) = default;
};
struct Seventeen {
  std::string a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q;
};

struct Tree {
  int value = 0;
  std::vector<Tree> children;
  std::unique_ptr<Tree> next;
  friend bool operator==(const Tree& a, const Tree& b) {
    return a.value == b.value && a.children == b.children && !a.next == !b.next && (!a.next || *a.next == *b.next);
  }
};

class Account {
 public:
  Account() = default;
  Account(std::string owner, double balance) : owner_(std::move(owner)), balance_(balance) {}
  friend bool operator==(const Account&, const Account&) = default;
  template <class Archive>
  friend void weft_fields(Archive& archive, Account& account) {
    archive(account.owner_, account.balance_);
  }

 private:
  std::string owner_;
  double balance_ = 0;
};

struct Nobody {
  friend bool operator==(Nobody, Nobody) { return true; }
  template <class Archive>
  friend void weft_fields(Archive&, Nobody&) {}
};

struct Handle {
  int number = 0;
};
struct HoldsHandle {
  std::string text;
  Handle handle;
};

struct Derived : Point {
  int more;
};
struct Polymorphic {
  virtual ~Polymorphic() = default;
};
struct HoldsReference {
  int& reference;
};
struct HoldsMutex {
  int value;
  std::mutex mutex;
};
struct Child : std::vector<int> {
  int hidden = 0;
};
struct ByFunction {
  bool (*compare)(int, int) = nullptr;
  bool operator()(int a, int b) const { return compare(a, b); }
};

}  // namespace

template <>
inline constexpr bool local_only<Handle> = true;

namespace {

template <class T>
std::string bytes_of(const T& value) {
  Writer writer;
  encode(writer, value);
  return {reinterpret_cast<const char*>(writer.data()), writer.size()};
}

/// Encodes and decodes; then every truncation must throw, and every flipped byte must throw or give some value.
template <class T>
void expect_round_trip(const T& value) {
  const std::string bytes = bytes_of(value);
  EXPECT_EQ(decode_all<T>(bytes.data(), bytes.size()), value) << type_name<T>();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::vector<char> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_THROW(decode_all<T>(cut.data(), cut.size()), Error) << type_name<T>() << " cut to " << size;
  }
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const int flip : {0x01, 0x02, 0x40, 0x80, 0xff}) {
      std::vector<char> changed(bytes.begin(), bytes.end());
      changed[at] = static_cast<char>(changed[at] ^ flip);
      try {
        const T other = decode_all<T>(changed.data(), changed.size());
        static_cast<void>(other);
      } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("damaged bytes at offset"), std::string::npos) << error.what();
      }
    }
  }
}

TEST(EncodeTest, NumbersComeBack) {
  expect_round_trip(true);
  expect_round_trip('x');
  expect_round_trip<std::int8_t>(-5);
  expect_round_trip<std::uint64_t>(0xffff'ffff'ffff'fffful);
  expect_round_trip(-1.5f);
  expect_round_trip(0x1.fffffffffffffp1023);
  expect_round_trip(1.0L / 3);
  expect_round_trip(Colour::Green);
  expect_round_trip(std::byte{200});
}

TEST(EncodeTest, SequencesComeBack) {
  expect_round_trip(std::string("hello \0 world", 13));
  expect_round_trip(std::string(300, 'y'));
  expect_round_trip(std::u32string(U"äö"));
  expect_round_trip(std::vector<double>{1, 2, 3});
  expect_round_trip(std::vector<int>{});
  expect_round_trip(std::vector<std::string>{"a", "", "ccc"});
  expect_round_trip(std::vector<std::vector<int>>{{1}, {}, {2, 3}});
  expect_round_trip(std::array<short, 3>{1, 2, 3});
  expect_round_trip(std::array<int, 0>{});
  expect_round_trip(std::array<std::string, 2>{"a", "b"});
  expect_round_trip(std::deque<std::string>{"a", "b"});
  expect_round_trip(std::list<int>{4, 5});
}

TEST(EncodeTest, VectorsOfBoolComeBackWithAnyTail) {
  for (std::size_t size = 0; size < 20; ++size) {
    std::vector<bool> flags(size);
    for (std::size_t i = 0; i < size; ++i) flags[i] = i % 3 == 0;
    expect_round_trip(flags);
  }
}

TEST(EncodeTest, KeyedContainersComeBack) {
  expect_round_trip(std::map<std::string, int>{{"a", 1}, {"b", 2}});
  expect_round_trip(std::multimap<int, int>{{1, 1}, {1, 2}});
  expect_round_trip(std::set<int>{3, 1, 2});
  expect_round_trip(std::multiset<int>{3, 3});
  expect_round_trip(std::unordered_map<std::string, std::vector<int>>{{"a", {1}}, {"b", {}}});
  expect_round_trip(std::unordered_set<int>{3, 1, 2});
}

TEST(EncodeTest, SumsAndProductsComeBack) {
  expect_round_trip(std::pair<int, std::string>{1, "x"});
  expect_round_trip(std::tuple<int, double, std::string>{1, 2.5, "x"});
  expect_round_trip(std::tuple<>{});
  expect_round_trip(std::optional<int>{});
  expect_round_trip(std::optional<std::string>{"x"});
  expect_round_trip(std::variant<int, std::string>{"x"});
  expect_round_trip(std::variant<std::monostate, int>{});
  expect_round_trip(std::monostate{});
}

TEST(EncodeTest, TypesOfSlowHeadersComeBack) {
  using namespace std::chrono_literals;
  expect_round_trip(std::complex<double>{1, -2});
  expect_round_trip(std::vector<std::complex<float>>{{1, 2}, {3, 4}});
  expect_round_trip(15ms);
  expect_round_trip(std::chrono::duration<double>{0.25});
  expect_round_trip(std::chrono::system_clock::time_point{15s});
  expect_round_trip(std::filesystem::path{"/a/b.txt"});
}

TEST(EncodeTest, StructsComeBack) {
  expect_round_trip(Point{1, 2, 3, 4});
  expect_round_trip(Padded{'c', 2.5, true});
  expect_round_trip(std::vector<Point>(3, Point{1, 2, 3, 4}));
  expect_round_trip(Sample{"n", {{1, 2, 3, 4}}, {{1, 2}, {3, 4}}, {'c', 1, true}, Colour::Red});
  expect_round_trip(Sixteen{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, "p"});
}

TEST(EncodeTest, RecursiveStructsComeBack) {
  Tree tree{1, {}, nullptr};
  tree.children.push_back(Tree{2, {}, std::make_unique<Tree>(Tree{3, {}, nullptr})});
  expect_round_trip(tree);
}

TEST(EncodeTest, UniquePointersCarryTheirValue) {
  const auto copy = through_encoding(std::make_unique<std::string>("x"));
  ASSERT_NE(copy, nullptr);
  EXPECT_EQ(*copy, "x");
  EXPECT_EQ(through_encoding(std::unique_ptr<int>{}), nullptr);
}

TEST(EncodeTest, TypesWithFieldsFunctionsComeBack) {
  expect_round_trip(Account{"me", 12.5});
  expect_round_trip(std::vector<Account>{{"me", 12.5}, {"you", 1}});
  expect_round_trip(Nobody{});
  expect_round_trip(std::vector<Nobody>(3));
}

TEST(EncodeTest, WhatPointsOrOwnsAProcessResourceDoesNotTravel) {
  EXPECT_FALSE(Travels<int*>);
  EXPECT_FALSE(Travels<const char*>);
  EXPECT_FALSE(Travels<std::nullptr_t>);
  EXPECT_FALSE(Travels<std::string_view>);
  EXPECT_FALSE(Travels<std::span<int>>);
  EXPECT_FALSE(Travels<std::function<void()>>);
  EXPECT_FALSE(Travels<std::reference_wrapper<int>>);
  EXPECT_FALSE(Travels<std::mutex>);
  EXPECT_FALSE(Travels<HoldsMutex>);
  EXPECT_FALSE(Travels<std::thread>);
  EXPECT_FALSE(Travels<FILE*>);
  EXPECT_FALSE(Travels<FILE>);
  EXPECT_FALSE(Travels<HoldsReference>);
  EXPECT_FALSE(Travels<int&>);
  EXPECT_FALSE(Travels<std::shared_ptr<int>>);
  EXPECT_FALSE(Travels<std::unique_ptr<int[]>>);
  EXPECT_FALSE((Travels<std::unique_ptr<FILE, int (*)(FILE*)>>));
  EXPECT_FALSE(Travels<std::vector<int*>>);
  EXPECT_FALSE((Travels<std::map<int, std::string_view>>));
  EXPECT_FALSE(Travels<std::chrono::steady_clock::time_point>);
}

TEST(EncodeTest, WhatWouldLoseAPartOfItselfDoesNotTravel) {
  EXPECT_FALSE(Travels<Derived>);
  EXPECT_FALSE(Travels<Child>);
  EXPECT_FALSE(Travels<Seventeen>);
  EXPECT_FALSE(Travels<Polymorphic>);
  EXPECT_FALSE(Travels<std::unique_ptr<Polymorphic>>);
  EXPECT_FALSE((Travels<std::map<int, int, ByFunction>>));
}

TEST(EncodeTest, LocalOnlyValuesAreRefusedWhenTheyLeave) {
  EXPECT_FALSE(Travels<Handle>);
  EXPECT_TRUE(TravelsOrStays<Handle>);
  EXPECT_FALSE(Travels<HoldsHandle>);
  EXPECT_TRUE(TravelsOrStays<std::vector<HoldsHandle>>);
  Writer writer;
  try {
    encode(writer, std::vector<HoldsHandle>(1));
    FAIL() << "a local_only value was encoded";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("Handle cannot leave its process"), std::string::npos) << error.what();
  }
  EXPECT_EQ(through_encoding(Handle{5}).number, 5);
}

TEST(EncodeTest, EqualUnorderedContainersHaveEqualBytes) {
  std::unordered_map<int, int> forwards, backwards(1'000);
  for (int i = 0; i < 100; ++i) forwards[i] = i;
  for (int i = 99; i >= 0; --i) backwards[i] = i;
  EXPECT_EQ(bytes_of(forwards), bytes_of(backwards));
}

TEST(EncodeTest, PaddingIsNotWritten) {
  static_assert(!detail::travels_as_block<Padded> && detail::travels_as_block<Point>);
  EXPECT_EQ(bytes_of(Padded{'c', 2.5, true}).size(), 10u);
  alignas(Padded) unsigned char dirty[sizeof(Padded)];
  std::memset(dirty, 0xee, sizeof dirty);
  EXPECT_EQ(bytes_of(*::new (dirty) Padded{'c', 2.5, true}), bytes_of(Padded{'c', 2.5, true}));
  long double number = 0;
  std::memset(&number, 0xee, sizeof number);
  number = 1;
  EXPECT_EQ(bytes_of(number), bytes_of(1.0L));
}

TEST(EncodeTest, TheFormatIsTheDocumentedOne) {
  EXPECT_EQ(bytes_of(std::string("ab")), (std::string{2, 'a', 'b'}));
  EXPECT_EQ(bytes_of(std::uint16_t{0x0102}), (std::string{2, 1}));
  EXPECT_EQ(bytes_of(std::optional<char>{'x'}), (std::string{1, 'x'}));
  EXPECT_EQ(bytes_of(std::variant<int, char>{'x'}), (std::string{1, 'x'}));
  EXPECT_EQ(bytes_of(std::map<char, bool>{{'k', true}}), (std::string{1, 'k', 1}));
  EXPECT_EQ(bytes_of(std::vector<bool>{true, false, true}), (std::string{3, 5}));
  EXPECT_EQ(bytes_of(std::vector<char>(200, 'z')).substr(0, 2), (std::string{'\xc8', 1}));
  EXPECT_EQ(bytes_of(std::monostate{}), std::string(1, '\0'));
}

TEST(EncodeTest, LeftOverBytesAreRefused) { EXPECT_THROW(decode_all<char>("ab", 2), Error); }

TEST(EncodeTest, TwoValuesFollowEachOther) {
  Writer writer;
  encode(writer, std::string("first"));
  encode(writer, 2);
  Reader reader(writer);
  EXPECT_EQ(decode<std::string>(reader), "first");
  EXPECT_EQ(decode<int>(reader), 2);
  EXPECT_EQ(reader.remaining(), 0u);
}

}  // namespace
}  // namespace weft
