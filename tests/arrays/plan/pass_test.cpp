// Passes in Kokkos' host space give the bits of the tiles.
#include "arrays/kernels/spaces/spaces.hpp"
#include "arrays/plan/compile.hpp"
#include "arrays/plan/tile_walk.hpp"

#include <weft/arrays.hpp>
#include <weft/client.hpp>
#include <weft/error.hpp>

#ifdef WEFT_TEST_KOKKOS
#include <Kokkos_Core.hpp>
#endif

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <vector>

namespace weft {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

const char* const kTypes[] = {"bool",   "int8",   "int16",  "int32",   "int64",  "uint8",
                              "uint16", "uint32", "uint64", "float32", "float64"};

/// Computes with one way of looping, on one thread.
NDArray computed(const Array& array, const char* kernels) {
  const Client client({.scheduler = "sync", .array_kernels = kernels});
  return client.compute(array).as_contiguous();
}

void expect_same_bits(const Array& array, const std::string& what) {
  SCOPED_TRACE(what);
  const NDArray tiles = computed(array, "tiles");
  const NDArray kokkos = computed(array, "kokkos");
  ASSERT_EQ(tiles.dtype(), kokkos.dtype());
  ASSERT_EQ(tiles.shape(), kokkos.shape());
  EXPECT_EQ(std::memcmp(tiles.data(), kokkos.data(), static_cast<std::size_t>(tiles.nbytes())), 0)
      << tiles << "\nbut in Kokkos' space\n"
      << kokkos;
}

/// Numbers of both signs with zeros, not a number and infinities among them, and more than one tile of them.
Array sample(const std::string& dtype, Shape shape, const Chunks& chunks, int seed) {
  std::vector<double> values;
  const std::int64_t count = shape.elements();
  for (std::int64_t i = 0; i < count; ++i) values.push_back(static_cast<double>((i * 37 + seed * 11) % 23) / 2 - 5);
  const bool real = dtype == "float32" || dtype == "float64";
  if (real && seed == 1 && count > 40) {
    values[17] = std::nan("");
    values[31] = HUGE_VAL;
    values[39] = -0.0;
  }
  return from_ndarray(NDArray::of(values, std::move(shape)), chunks).astype(Dtype::parse(dtype));
}

class KokkosPassTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!arrays::kernels::has_host_space()) GTEST_SKIP() << "this build has no Kokkos";
  }
};

TEST_F(KokkosPassTest, EveryElementwiseOperationOnEveryType) {
  struct Operation {
    const char* name;
    std::function<Array(const Array&, const Array&)> call;
  };
  const Operation operations[] = {
#define WEFT_ELEMENTWISE_1(name) {#name, [](const Array& a, const Array&) { return name(a); }},
#define WEFT_ELEMENTWISE_2(name) {#name, [](const Array& a, const Array& b) { return name(a, b); }},
#define WEFT_ELEMENTWISE_3(name) {#name, [](const Array& a, const Array& b) { return name(a > b, a, b); }},
#define WEFT_ELEMENTWISE(name, arity, rule, types, expression) WEFT_ELEMENTWISE_##arity(name)
#include <weft/ops/elementwise.def>
#undef WEFT_ELEMENTWISE
#undef WEFT_ELEMENTWISE_1
#undef WEFT_ELEMENTWISE_2
#undef WEFT_ELEMENTWISE_3
  };
  int compared = 0;
  for (const char* const type : kTypes) {
    const Array a = sample(type, {3, 701}, {3, 701}, 1);
    const Array b = sample(type, {3, 701}, {3, 701}, 2);
    for (const Operation& operation : operations) {
      Array result;
      try {
        // Integers have no negative powers.
        const bool whole = std::string(operation.name) == "power" && a.dtype().is_integer();
        result = operation.call(a, whole ? remainder(b, 7) : b);
      } catch (const Error&) {
        continue;  // not defined for the type
      }
      expect_same_bits(result, std::string(operation.name) + " of " + type);
      ++compared;
    }
    for (const char* const to : kTypes) expect_same_bits(a.astype(Dtype::parse(to)), std::string(type) + " to " + to);
  }
  EXPECT_GT(compared, 500);
}

TEST_F(KokkosPassTest, EveryReductionAlongEveryAxis) {
  using Reduction = std::function<Array(const Array&, const ReduceOptions&)>;
  const std::pair<const char*, Reduction> reductions[] = {
      {"sum", [](const Array& x, const ReduceOptions& o) { return x.sum(o); }},
      {"prod", [](const Array& x, const ReduceOptions& o) { return prod(x, o); }},
      {"min", [](const Array& x, const ReduceOptions& o) { return x.min(o); }},
      {"max", [](const Array& x, const ReduceOptions& o) { return x.max(o); }},
      {"any", [](const Array& x, const ReduceOptions& o) { return any(x, o); }},
      {"all", [](const Array& x, const ReduceOptions& o) { return all(x, o); }},
      {"mean", [](const Array& x, const ReduceOptions& o) { return x.mean(o); }},
      {"std", [](const Array& x, const ReduceOptions& o) { return x.std(o); }},
      {"nansum", [](const Array& x, const ReduceOptions& o) { return nansum(x, o); }},
      {"nanmax", [](const Array& x, const ReduceOptions& o) { return nanmax(x, o); }},
      {"nanstd", [](const Array& x, const ReduceOptions& o) { return nanstd(x, o); }},
      {"argmin", [](const Array& x, const ReduceOptions& o) { return argmin(x, o); }},
      {"nanargmax", [](const Array& x, const ReduceOptions& o) { return nanargmax(x, o); }},
  };
  for (const char* const type : kTypes) {
    const Array x = sample(type, {5, 7, 1300}, {5, 4, 1300}, 1);
    for (const auto& [name, reduction] : reductions) {
      expect_same_bits(reduction(x, {}), std::string(name) + " of all, " + type);
      for (int axis = 0; axis < 3; ++axis) {
        expect_same_bits(reduction(x, {.axis = axis}),
                         std::string(name) + " along " + std::to_string(axis) + ", " + type);
      }
    }
    expect_same_bits(x.sum({.axis = {0, 2}}), std::string("outer and inner axis, ") + type);
    expect_same_bits(x.sum({.axis = {0, 1}}), std::string("outer axes, ") + type);
    expect_same_bits(x.mean({.axis = {1, 2}}), std::string("inner axes, ") + type);
  }
}

TEST_F(KokkosPassTest, ChainsViewsAndRandomNumbers) {
  const Array x = random::uniform({300, 300}, {.chunks = {100, 150}, .seed = 3});
  expect_same_bits(x + transpose(x) - mean(x, {.axis = 0, .keepdims = true}), "the first program");
  expect_same_bits((x + transpose(x) - mean(x, {.axis = 0, .keepdims = true})).sum(), "its sum");
  expect_same_bits(exp(x * 2.0 + 1.0) / sqrt(x + 0.5), "a chain");
  expect_same_bits(x(slice(none, none, -2), slice(5, none, 3)) * 2.0, "steps");
  expect_same_bits(broadcast_to(x(0), {50, 300}) - x(slice(0, 50)), "repeated rows");
  expect_same_bits(where(x > 0.5, x, Array(random::uniform({300, 300}, {.dtype = float32, .chunks = {100, 150}}))),
                   "where");
  expect_same_bits(random::uniform(-2.0, 3.0, {1000}, {.seed = 9}), "a range");
  // What only the host's space knows.
  expect_same_bits(random::standard_normal({100}, {.seed = 9}) + x(0, slice(0, 100)), "normal numbers");
  expect_same_bits(x.astype(complex128) * Scalar(std::complex<double>(0, 1)), "complex numbers");
  const Array c = sqrt(x.astype(complex64) - Scalar(0.5f)) * transpose(x(slice(none, none, -1)).astype(complex64));
  expect_same_bits(c, "complex numbers of single precision");
  for (const Array& one : {c, exp(x.astype(complex128) * Scalar(std::complex<double>(1, 2)))}) {
    expect_same_bits(one.sum(), "a complex sum");
    expect_same_bits(one.mean({.axis = 0}), "complex means of columns");
    expect_same_bits(one.std({.axis = 0}), "deviations of complex columns");
    expect_same_bits(one.std({.axis = 1}), "deviations of complex rows");
    expect_same_bits(prod(one, {.axis = 1}), "complex products");
    expect_same_bits(one.max({.axis = 0}), "largest complex numbers");
    expect_same_bits(argmin(one), "the place of the least complex number");
  }
  expect_same_bits(elementwise([](double a, double b) { return a < b ? a : 2 * b; }, x, transpose(x)).sum({.axis = 1}),
                   "a function of the program");
  expect_same_bits(random::integers(0, 9, {500}, {.seed = 3}) * 2, "integers");
  expect_same_bits(zeros({0, 4}).sum({.axis = 0}) + 1.0, "nothing");
}

TEST_F(KokkosPassTest, PassesOfRealNumbersAreFlatAndOthersAreNot) {
  const auto flat = [](const Array& array) {
    const auto compiled = arrays::lowering::compile(array.node(), [](const auto&) { return false; });
    arrays::lowering::Stage stage;
    stage.grid = array.node()->grid;
    stage.type = array.dtype().code();
    stage.program = compiled.program;
    const arrays::expression::Box box = arrays::expression::chunk_box(stage.grid, 0);
    const arrays::lowering::TileWalk walk(stage, box, arrays::lowering::ChunkInputs({}, {}));
    arrays::kernels::Pass pass;
    return walk.flatten(pass);
  };
  const Array x = random::uniform({64, 64}, {.seed = 1});
  EXPECT_TRUE(flat(sqrt(x) * 2.0 - transpose(x)));
  EXPECT_TRUE(flat((x > 0.5).astype(int32)));
  EXPECT_FALSE(flat(x.astype(complex128) * 2.0));
  EXPECT_FALSE(flat(random::standard_normal({64}, {.seed = 1}) + 1.0));
  Array longest = x;
  for (int i = 0; i < 40; ++i) longest = longest * static_cast<double>(i + 2);
  EXPECT_FALSE(flat(longest));
}

#ifdef WEFT_TEST_KOKKOS
std::vector<std::string>& loops_seen() {
  static std::vector<std::string> names;
  return names;
}

TEST_F(KokkosPassTest, TheOptionSendsPassesThroughKokkosAndNothingElseDoes) {
  computed(ones({3}) + 1.0, "kokkos");  // Kokkos is up.
  Kokkos::Tools::Experimental::set_begin_parallel_for_callback(
      [](const char* name, const std::uint32_t, std::uint64_t*) { loops_seen().emplace_back(name); });
  const Array x = random::uniform({64, 64}, {.chunks = {32, 64}, .seed = 1});
  computed(x.sum(), "tiles");
  EXPECT_TRUE(loops_seen().empty());
  computed((x * 2.0)(slice(none, none, 2)), "kokkos");
  EXPECT_THAT(loops_seen(), testing::Contains("weft::write"));
  computed(x.sum(), "kokkos");
  EXPECT_THAT(loops_seen(), testing::IsSupersetOf({"weft::fold_tiles", "weft::merge_rows"}));
  computed(x.sum({.axis = 0}), "kokkos");
  EXPECT_THAT(loops_seen(), testing::Contains("weft::fold_columns"));
  const Array others[] = {x.astype(complex128) * 2.0, random::standard_normal({64}, {.seed = 1}),
                          elementwise([](double a) { return a + 1; }, x)};
  for (const Array& one : others) {
    loops_seen().clear();
    computed(one, "kokkos");
    EXPECT_THAT(loops_seen(), testing::Contains("weft::write"));
    loops_seen().clear();
    computed(one.std({.axis = 0}), "kokkos");
    EXPECT_THAT(loops_seen(), testing::Not(testing::IsEmpty()));
  }
  Kokkos::Tools::Experimental::set_begin_parallel_for_callback(nullptr);
}
#endif

TEST(ArrayKernelsTest, AskingForKokkosWithoutItIsOneSentence) {
  if (arrays::kernels::has_host_space()) {
    EXPECT_THAT(arrays::kernels::host_space_text(), HasSubstr("space"));
    return;
  }
  EXPECT_THAT([] { computed(ones({3}), "kokkos"); }, ThrowsMessage<ConfigError>(HasSubstr("has no Kokkos")));
}

}  // namespace
}  // namespace weft
