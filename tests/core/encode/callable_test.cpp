#include <weft/callable.hpp>

#include <weft/error.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <limits>

namespace weft {
namespace {

int twice(int x) { return 2 * x; }

/// Travels by its fields, which a lambda's captures could not.
struct Polynomial {
  std::vector<double> coefficients;
  double operator()(double x) const {
    double sum = 0;
    for (std::size_t i = coefficients.size(); i-- > 0;) sum = sum * x + coefficients[i];
    return sum;
  }
};

template <class F>
F there_and_back(const F& callable) {
  Writer writer;
  encode_callable(writer, callable, std::source_location::current());
  Reader reader(writer);
  F copy = decode_callable<F>(reader);
  EXPECT_EQ(reader.remaining(), 0u);
  return copy;
}

/// Returns what encode_callable says to a lambda that must be refused.
template <class F>
std::string refusal_of(const F& callable) {
  Writer writer;
  try {
    encode_callable(writer, callable, std::source_location::current());
  } catch (const Error& error) {
    return error.what();
  }
  return "it was not refused";
}

auto make_adder(int offset, double factor) {
  const bool negate = offset > 100;
  return [negate, factor, offset](double x) { return negate ? -x : x * factor + offset; };
}

TEST(CallableTest, KindsFollowWhatIsCaptured) {
  const std::string owned = "text";
  const int number = 1;
  const auto nothing = [](int x) { return x; };
  const auto trivial = [number] { return number; };
  const auto owner = [owned] { return owned; };
  EXPECT_EQ(CallableTraits<decltype(twice)*>::kind, CallableKind::Function);
  EXPECT_EQ(CallableTraits<std::remove_const_t<decltype(nothing)>>::kind, CallableKind::Captureless);
  EXPECT_EQ(CallableTraits<std::remove_const_t<decltype(trivial)>>::kind, CallableKind::Bytes);
  EXPECT_EQ(CallableTraits<std::remove_const_t<decltype(owner)>>::kind, CallableKind::Stays);
  EXPECT_EQ(CallableTraits<Polynomial>::kind, CallableKind::Fields);
  EXPECT_EQ(CallableTraits<std::plus<>>::kind, CallableKind::Captureless);
  EXPECT_FALSE(CallableTravels<std::function<int(int)>>);
}

TEST(CallableTest, CallablesComeBack) {
  EXPECT_EQ(there_and_back(&twice)(4), 8);
  EXPECT_DOUBLE_EQ(there_and_back(static_cast<double (*)(double)>(&std::cbrt))(27.0), 3.0);  // of another library
  EXPECT_EQ(there_and_back([](int x) { return x + 1; })(2), 3);
  EXPECT_EQ(there_and_back(std::plus<>{})(2, 3), 5);
  EXPECT_EQ(there_and_back(make_adder(3, 2.0))(1.0), 5.0);
  EXPECT_EQ(there_and_back(Polynomial{{1, 2, 3}})(2.0), 17.0);
}

TEST(CallableTest, ACapturedReferenceIsRefusedWithLineAndWord) {
  int local = 1;
  double other = 2;
  const std::string text = refusal_of([other, &local] { return other + local; });
  EXPECT_NE(text.find("callable_test.cpp:"), std::string::npos) << text;
  EXPECT_NE(text.find("captures a pointer or reference into this process (word 2 of 2"), std::string::npos) << text;
  EXPECT_NE(text.find("pass it as an argument"), std::string::npos) << text;
}

TEST(CallableTest, PointersToEveryKindOfMemoryAreRefused) {
  static int global = 0;
  const auto small = std::make_unique<char[]>(16);
  const auto large = std::make_unique<char[]>(64 << 20);  // mapped after the process started
  const auto refused = [](auto* pointer) {
    return refusal_of([pointer] { return pointer; }).find("captures a pointer") != std::string::npos;
  };
  EXPECT_TRUE(refused(&global));
  EXPECT_TRUE(refused(&twice));
  EXPECT_TRUE(refused("a literal"));
  EXPECT_TRUE(refused(small.get()));
  EXPECT_TRUE(refused(large.get() + (32 << 20)));
}

TEST(CallableTest, NumbersAreNotTakenForPointers) {
  const auto fits = [](auto number) { return there_and_back([number] { return number; })() == number; };
  EXPECT_TRUE(fits(0L));
  EXPECT_TRUE(fits(-1L));
  EXPECT_TRUE(fits(65'535L));
  EXPECT_TRUE(fits(3.14159));
  EXPECT_TRUE(fits(-1e-300));
  EXPECT_TRUE(fits(std::numeric_limits<double>::infinity()));
  EXPECT_TRUE(fits(std::uint64_t{0xffff'8000'0000'0000}));
}

TEST(CallableTest, LeftoversBetweenCapturesAreNotLookedAt) {
  // The bytes between `flag` and `number` are made to look like the upper bytes of an address.
  bool flag = true;
  double number = 1;
  auto lambda = [flag, number] { return flag ? number : 0; };
  static_assert(sizeof(lambda) == 16);
  const void* address = &number;
  alignas(decltype(lambda)) unsigned char bytes[sizeof lambda];
  std::memcpy(bytes, &lambda, sizeof bytes);
  std::memcpy(bytes + 1, reinterpret_cast<const unsigned char*>(&address) + 1, 7);
  EXPECT_EQ(there_and_back(*reinterpret_cast<decltype(lambda)*>(bytes))(), 1);
}

TEST(CallableTest, BytesOfAnotherCallableAreRefused) {
  Writer writer;
  encode_callable(writer, &twice, std::source_location::current());
  Reader reader(writer);
  EXPECT_THROW(decode_callable<double (*)(double)>(reader), Error);
}

TEST(CallableTest, TruncatedCallablesAreRefused) {
  const auto refuses_cuts = []<class F>(const F& callable) {
    Writer writer;
    encode_callable(writer, callable, std::source_location::current());
    for (std::size_t size = 0; size < writer.size(); ++size) {
      Reader reader(writer.data(), size);
      EXPECT_THROW(decode_callable<F>(reader), Error);
    }
  };
  refuses_cuts(&twice);
  refuses_cuts(make_adder(3, 2.0));
  refuses_cuts(Polynomial{{1, 2}});
}

TEST(CallableTest, PlacesOutsideOfTheImageAreRefused) {
  Writer writer;
  writer.number(image_digest());
  writer.number(std::uint64_t{1} << 60);
  Reader outside(writer);
  EXPECT_THROW(decode_address(outside), Error);
  Writer unknown;
  unknown.number(std::uint64_t{1});
  unknown.number(std::uint64_t{16});
  Reader reader(unknown);
  EXPECT_THROW(decode_address(reader), Error);
  int local = 0;
  EXPECT_THROW(encode_address(writer, &local), Error);
}

TEST(CallableTest, SymbolsHaveReadableNames) {
  // One that no sanitizer puts a function of its own in the place of.
  EXPECT_EQ(symbol_name(reinterpret_cast<const void*>(static_cast<std::div_t (*)(int, int)>(&std::div))), "div");
  // A function that the linker keeps to its file has no name at run time.
  EXPECT_NE(symbol_name(reinterpret_cast<const void*>(&twice)).find("program+0x"), std::string::npos);
}

TEST(CallableTest, TheRegistryDigestTellsTypesApartAndNotTheirOrder) {
  const std::uint64_t before = registry_digest();
  EXPECT_NE(before, 0u);
  EXPECT_TRUE(register_task_type("CallableTest.b"));
  const std::uint64_t one = registry_digest();
  EXPECT_NE(one, before);
  EXPECT_FALSE(register_task_type("CallableTest.b"));
  EXPECT_EQ(registry_digest(), one);
  EXPECT_TRUE(register_task_type("CallableTest.a"));
  EXPECT_NE(registry_digest(), one);
}

constexpr const char* kVariable = "WEFT_TEST_CALLABLES";

std::string to_hexadecimal(const Writer& writer) {
  std::string text;
  for (std::size_t i = 0; i < writer.size(); ++i) {
    const auto byte = static_cast<unsigned>(writer.data()[i]);
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

// Runs in the process that the next test starts, where everything lies at other addresses.
TEST(CallableTest, DISABLED_OtherProcess) {
  const char* const text = std::getenv(kVariable);
  ASSERT_NE(text, nullptr);
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; text[i] != 0; i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(std::string(text + i, 2), nullptr, 16)));
  }
  Reader reader(bytes.data(), bytes.size());
  EXPECT_EQ(decode_callable<int (*)(int)>(reader)(4), 8);
  EXPECT_DOUBLE_EQ(decode_callable<double (*)(double)>(reader)(27.0), 3.0);
  EXPECT_EQ(decode_callable<decltype(make_adder(0, 0))>(reader)(1.0), 5.0);
  EXPECT_EQ(decode_callable<Polynomial>(reader)(2.0), 17.0);
  EXPECT_EQ(decode<std::uint64_t>(reader), image_digest());
}

TEST(CallableTest, AnotherProcessOfTheSameProgramCallsTheSame) {
  Writer writer;
  const auto where = std::source_location::current();
  encode_callable(writer, &twice, where);
  encode_callable(writer, static_cast<double (*)(double)>(&std::cbrt), where);
  encode_callable(writer, make_adder(3, 2.0), where);
  encode_callable(writer, Polynomial{{1, 2, 3}}, where);
  encode(writer, image_digest());
  ::setenv(kVariable, to_hexadecimal(writer).c_str(), 1);
  const std::string program = std::filesystem::read_symlink("/proc/self/exe");
  const std::string command = "'" + program +
                              "' --gtest_also_run_disabled_tests --gtest_filter=CallableTest.DISABLED_OtherProcess "
                              "--gtest_brief=1 --gtest_output= >/dev/null";
  EXPECT_EQ(std::system(command.c_str()), 0);
  ::unsetenv(kVariable);
}

}  // namespace
}  // namespace weft
