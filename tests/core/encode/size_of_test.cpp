#include <weft/size_of.hpp>

#include <gtest/gtest.h>

#include <complex>

namespace weft {
namespace {

struct Plain {
  double x;
  int y;
};
struct Row {
  std::string name;
  std::vector<double> values;
};

class Image {
 public:
  explicit Image(std::size_t bytes) : bytes_(bytes) {}
  Image(const Image&) = default;
  Image& operator=(const Image&) = default;
  ~Image() {}
  friend std::size_t weft_size_of(const Image& image) { return sizeof(Image) + image.bytes_; }

 private:
  std::size_t bytes_;
};

class Named {
 public:
  explicit Named(std::string name) : name_(std::move(name)) {}
  template <class Archive>
  friend void weft_fields(Archive& archive, Named& named) {
    archive(named.name_);
  }

 private:
  std::string name_;
};

class Opaque {
 public:
  ~Opaque() {}
  int value = 0;
};

const std::string kLong(100, 'x');
constexpr std::size_t kLongHeap = 100;

TEST(SizeOfTest, TriviallyCopyableTypesAreTheirOwnSizeAtCompileTime) {
  constexpr auto number = size_of(5);
  constexpr auto plain = size_of(Plain{});
  constexpr auto complex = size_of(std::complex<double>{});
  EXPECT_EQ(number, sizeof(int));
  EXPECT_EQ(plain, sizeof(Plain));
  EXPECT_EQ(complex, 16u);
}

TEST(SizeOfTest, ContiguousContainersCountTheirCapacity) {
  std::vector<double> values(10);
  values.reserve(100);
  EXPECT_EQ(size_of(values), sizeof values + 100 * sizeof(double));
  EXPECT_EQ(size_of(std::vector<bool>(640)), sizeof(std::vector<bool>) + 80);
}

TEST(SizeOfTest, ShortStringsHoldNothingOutside) {
  EXPECT_EQ(size_of(std::string("short")), sizeof(std::string));
  EXPECT_EQ(size_of(kLong), sizeof(std::string) + kLongHeap);
}

TEST(SizeOfTest, ElementsCountWithTheirHeap) {
  EXPECT_EQ(size_of(std::vector<std::string>{kLong, "a"}),
            sizeof(std::vector<int>) + 2 * sizeof(std::string) + kLongHeap);
  EXPECT_EQ(size_of(std::array<std::string, 2>{kLong, kLong}), 2 * (sizeof(std::string) + kLongHeap));
  EXPECT_EQ(size_of(std::optional<std::string>{kLong}), sizeof(std::optional<std::string>) + kLongHeap);
  EXPECT_EQ(size_of(std::variant<int, std::string>{kLong}), sizeof(std::variant<int, std::string>) + kLongHeap);
  EXPECT_EQ(size_of(std::tuple{1, kLong}), sizeof(std::tuple<int, std::string>) + kLongHeap);
  EXPECT_EQ(size_of(std::pair{kLong, kLong}), 2 * (sizeof(std::string) + kLongHeap));
}

TEST(SizeOfTest, NodesCountWithTheirLinks) {
  const std::map<int, std::string> map{{1, kLong}};
  EXPECT_EQ(size_of(map), sizeof map + 32 + sizeof(std::pair<const int, std::string>) + kLongHeap);
  const std::list<std::uint64_t> list{1, 2};
  EXPECT_EQ(size_of(list), sizeof list + 2 * (16 + 8));
  const std::unordered_map<int, int> hashed{{1, 1}, {2, 2}};
  EXPECT_GE(size_of(hashed), sizeof hashed + 2 * (sizeof(std::pair<const int, int>) + 8));
}

TEST(SizeOfTest, OwnedObjectsCount) {
  EXPECT_EQ(size_of(std::make_unique<std::string>(kLong)), sizeof(void*) + sizeof(std::string) + kLongHeap);
  EXPECT_EQ(size_of(std::unique_ptr<int>{}), sizeof(void*));
  EXPECT_EQ(size_of(std::make_shared<Row>()), sizeof(std::shared_ptr<Row>) + sizeof(Row));
}

TEST(SizeOfTest, StructsCountTheHeapOfTheirFields) {
  EXPECT_EQ(size_of(Row{kLong, std::vector<double>(4)}), sizeof(Row) + kLongHeap + 32);
  EXPECT_EQ(size_of(Named(kLong)), sizeof(Named) + kLongHeap);
}

TEST(SizeOfTest, UsersFunctionsAreAsked) {
  EXPECT_EQ(size_of(Image(1'000)), sizeof(Image) + 1'000);
  EXPECT_EQ(size_of(std::vector<Image>(2, Image(1'000))), sizeof(std::vector<Image>) + 2 * (sizeof(Image) + 1'000));
}

TEST(SizeOfTest, UnknownTypesAreTheirOwnSize) { EXPECT_EQ(size_of(Opaque{}), sizeof(Opaque)); }

}  // namespace
}  // namespace weft
