#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/arrays/error_of.hpp"
#include "tests/arrays/oracle/named_cases.hpp"

namespace weft {
namespace {

using oracle::operand;
using Places = std::vector<std::int64_t>;

Array places(const std::vector<std::int64_t>& values, const Chunks& c) {
  return from_ndarray(NDArray::of(values), c.axes().size() > 1 ? Chunks() : c);
}

Array pair_of(const std::pair<Array, Array>& both) { return stack({both.first, both.second}); }

const oracle::NamedCases& shapes() {
  static const oracle::NamedCases cases = [] {
    const auto x = [](const Chunks& c) { return operand("int64", {5, 6}, 0, c); };
    const auto y = [](const Chunks& c) { return operand("int64", {5, 6}, 1, c); };
    const auto f = [](const Chunks& c) { return operand("float64", {5, 6}, 0, c); };
    const auto v = [](const Chunks& c) { return operand("float32", {7}, 0, c); };
    const auto w = [](const Chunks& c) { return operand("int64", {4}, 1, c); };
    const auto cube = [](const Chunks& c) { return operand("float64", {2, 3, 5}, 0, c); };
    const auto one = [](const Chunks& c) { return operand("int64", {1, 1}, 0, c); };
    const auto nothing = [](const Chunks& c) { return operand("float64", {0, 3}, 0, c); };
    return oracle::NamedCases{
        WEFT_CASE("atleast_1d", atleast_1d(operand("float64", Shape(), 0, c))),
        WEFT_CASE("atleast_2d", atleast_2d(v(c))),
        WEFT_CASE("atleast_3d", atleast_3d(v(c))),
        WEFT_CASE("atleast_3d_matrix", atleast_3d(x(c))),
        WEFT_CASE("vstack", vstack({v(c), v(c) + 1})),
        WEFT_CASE("vstack_matrix", vstack({x(c), y(c)})),
        WEFT_CASE("hstack", hstack({v(c), v(c)})),
        WEFT_CASE("hstack_matrix", hstack({x(c), y(c), x(c)})),
        WEFT_CASE("dstack", dstack({x(c), y(c)})),
        WEFT_CASE("dstack_vector", dstack({v(c), v(c)})),
        WEFT_CASE("block", block({{x(c), y(c)}, {y(c), x(c)}})),
        WEFT_CASE("block_vector", block({w(c), w(c)})),
        WEFT_CASE("block_mixed", block({{ones({2, 2}), zeros({2, 1})}, {full({1, 3}, 7.0)}})),
        WEFT_CASE("append", append(x(c), y(c))),
        WEFT_CASE("append_axis", append(x(c), y(c), 1)),
        WEFT_CASE("insert_scalar", insert(x(c), 2, 99, 0)),
        WEFT_CASE("insert_row", insert(x(c), 1, arange(6), 0)),
        WEFT_CASE("insert_column", insert(x(c), 1, arange(5), 1)),
        WEFT_CASE("insert_places", insert(x(c), Places{3, 0, 3}, 7, 1)),
        WEFT_CASE("insert_list", insert(x(c), Places{1}, expand_dims(arange(5), 1), 1)),
        WEFT_CASE("insert_end", insert(v(c), 7, 3.5, 0)),
        WEFT_CASE("insert_back", insert(v(c), -1, 3.5, 0)),
        WEFT_CASE("delete", delete_(x(c), Places{1, -1, 1}, 0)),
        WEFT_CASE("delete_slice", delete_(x(c), slice(0, 6, 2), 1)),
        WEFT_CASE("delete_all", delete_(w(c), Places{0, 1, 2, 3}, 0)),
        WEFT_CASE("rot90", rot90(x(c))),
        WEFT_CASE("rot90_2", rot90(x(c), 2)),
        WEFT_CASE("rot90_back", rot90(x(c), -1)),
        WEFT_CASE("rot90_axes", rot90(cube(c), 1, {0, 2})),
        WEFT_CASE("flipud", flipud(x(c))),
        WEFT_CASE("fliplr", fliplr(x(c))),
        WEFT_CASE("flip_all", flip(cube(c))),
        WEFT_CASE("rollaxis", rollaxis(cube(c), 2)),
        WEFT_CASE("rollaxis_start", rollaxis(cube(c), 0, 2)),
        WEFT_CASE("roll_flat", roll(x(c), 4)),
        WEFT_CASE("roll_axes", roll(x(c), Places{1, -2}, std::vector<int>{0, 1})),
        WEFT_CASE("repeat_counts", repeat(x(c), Places{0, 2, 1, 0, 3}, 0)),
        WEFT_CASE("vindex", vindex(x(c), {{0, 4, 2, 4}, {5, 0, -1, 0}})),
        WEFT_CASE("vindex_partial", vindex(cube(c), {{1, 0, 1}, {2, 2, 0}})),
        WEFT_CASE("shuffle", shuffle(x(c), {{4, 0}, {2, 1, 3}}, 0)),
        WEFT_CASE("compress", compress({true, false, true, true}, x(c), 1)),
        WEFT_CASE("broadcast_arrays", broadcast_arrays({x(c), arange(6)})[1]),
        WEFT_CASE("unify", unify_chunks({x(c), rechunk(y(c), {2, 5})})[0]),
        WEFT_CASE("meshgrid", meshgrid({v(c), w(c)})[0]),
        WEFT_CASE("meshgrid_second", meshgrid({v(c), w(c)})[1]),
        WEFT_CASE("meshgrid_ij", meshgrid({v(c), w(c)}, arrays::Indexing::ij)[0]),
        WEFT_CASE("meshgrid_sparse", meshgrid({v(c), w(c)}, arrays::Indexing::xy, true)[1]),
        WEFT_CASE("meshgrid_three", meshgrid({v(c), w(c), arange(2)})[2]),
        WEFT_CASE("indices_all", indices({2, 3}, {.chunks = c})),
        WEFT_CASE("fromfunction", fromfunction([](const auto& i) { return i[0] * 10 + i[1]; }, {3, 4}, {.chunks = c})),
        WEFT_CASE("tril", tril(x(c))),
        WEFT_CASE("tril_above", tril(x(c), 2)),
        WEFT_CASE("triu", triu(cube(c), -1)),
        WEFT_CASE("triu_bool", triu(x(c) > 0, 1)),
        WEFT_CASE("tril_indices", pair_of(tril_indices(5, 1, 4, c))),
        WEFT_CASE("tril_indices_below", pair_of(tril_indices(6, -2, -1, c))),
        WEFT_CASE("triu_indices", pair_of(triu_indices(5, -1, 7, c))),
        WEFT_CASE("triu_indices_above", pair_of(triu_indices(4, 2, -1, c))),
        WEFT_CASE("triu_indices_from", pair_of(triu_indices_from(x(c), 1))),
        WEFT_CASE("tril_indices_none", pair_of(tril_indices(3, -3, -1, c))),
        WEFT_CASE("diag", diag(w(c))),
        WEFT_CASE("diag_above", diag(w(c), 2)),
        WEFT_CASE("diag_below", diag(v(c), -1)),
        WEFT_CASE("diag_of", diag(x(c), -1)),
        WEFT_CASE("choose", choose(abs(x(c)) % 3, {x(c), y(c), x(c) + 100})),
        WEFT_CASE("choose_wrap", choose(x(c), {x(c), y(c)}, arrays::Bounds::Wrap)),
        WEFT_CASE("choose_clip", choose(x(c), {x(c), y(c)}, arrays::Bounds::Clip)),
        WEFT_CASE("piecewise", piecewise(f(c), {f(c) < -1, f(c) > 1},
                                         {[](const Array& t) { return t * 10; }, [](const Array& t) { return -t; },
                                          [](const Array& t) { return t + 0.5; }})),
        WEFT_CASE("piecewise_zero",
                  piecewise(f(c), {f(c) < -1, f(c) < 0},
                            {[](const Array& t) { return t * 10; }, [](const Array& t) { return -t; }})),
        WEFT_CASE("unravel_index", stack(unravel_index(places({0, 59, 13, 31}, c), {3, 4, 5}))),
        WEFT_CASE("ravel_multi_index", ravel_multi_index({places({0, 2, 1}, c), places({3, 0, 2}, c)}, {3, 4})),
        WEFT_CASE("ravel_multi_index_wrap",
                  ravel_multi_index({places({0, -2, 7}, c), places({3, 9, -1}, c)}, {3, 4}, arrays::Bounds::Wrap)),
        WEFT_CASE("ravel_multi_index_clip",
                  ravel_multi_index({places({0, -2, 7}, c), places({3, 9, -1}, c)}, {3, 4}, arrays::Bounds::Clip)),
        WEFT_CASE("empty_stack", vstack({nothing(c), nothing(c)})),
        WEFT_CASE("empty_flip", flip(nothing(c), 0)),
        WEFT_CASE("empty_tril", tril(nothing(c))),
        WEFT_CASE("one_rot90", rot90(one(c))),
        WEFT_CASE("one_pad", pad(one(c), 2, {.mode = PadMode::Reflect})),
        WEFT_CASE("pad", pad(x(c), {{1, 2}, {3, 0}})),
        WEFT_CASE("pad_value", pad(v(c), {{2, 3}}, {.value = 9})),
        WEFT_CASE("pad_values", pad(x(c), 1, {.values = {{1, 2}, {3, 4}}})),
        WEFT_CASE("pad_edge", pad(x(c), {{2, 1}, {1, 3}}, {.mode = PadMode::Edge})),
        WEFT_CASE("pad_reflect", pad(x(c), {{2, 3}, {4, 1}}, {.mode = PadMode::Reflect})),
        WEFT_CASE("pad_reflect_wide", pad(w(c), {{9, 7}}, {.mode = PadMode::Reflect})),
        WEFT_CASE("pad_reflect_odd", pad(f(c), 2, {.mode = PadMode::Reflect, .odd = true})),
        WEFT_CASE("pad_reflect_odd_wide", pad(w(c), {{7, 8}}, {.mode = PadMode::Reflect, .odd = true})),
        WEFT_CASE("pad_symmetric", pad(x(c), {{1, 4}, {2, 2}}, {.mode = PadMode::Symmetric})),
        WEFT_CASE("pad_symmetric_odd", pad(w(c), {{3, 2}}, {.mode = PadMode::Symmetric, .odd = true})),
        WEFT_CASE("pad_wrap", pad(x(c), {{2, 7}, {1, 0}}, {.mode = PadMode::Wrap})),
        WEFT_CASE("pad_ramp",
                  pad(f(c), {{3, 1}, {0, 2}}, {.mode = PadMode::LinearRamp, .end_values = {{5, -4}, {0, 1}}})),
        WEFT_CASE("pad_ramp_integers", pad(w(c), {{3, 2}}, {.mode = PadMode::LinearRamp, .end_values = {{-20, 7}}})),
        WEFT_CASE("pad_maximum", pad(x(c), 2, {.mode = PadMode::Maximum})),
        WEFT_CASE("pad_minimum", pad(x(c), 1, {.mode = PadMode::Minimum, .stat_length = 2})),
        WEFT_CASE("pad_mean", pad(f(c), {{2, 0}, {1, 1}}, {.mode = PadMode::Mean})),
        WEFT_CASE("pad_mean_integers", pad(x(c), 1, {.mode = PadMode::Mean, .stat_length = 3})),
        WEFT_CASE("reshape_blockwise", reshape_blockwise(rechunk(cube(c), Chunks(-1)), {6, 5})),
    };
  }();
  return cases;
}

class ShapingTest : public testing::TestWithParam<int> {};

TEST_P(ShapingTest, AnswersAreNumPys) {
  const Chunks chunks = GetParam() == 100 ? Chunks() : Chunks(GetParam());
  EXPECT_EQ(oracle::run_named("shaping", shapes(), chunks, GetParam() == 2 ? "sync" : "threads"), "");
}

INSTANTIATE_TEST_SUITE_P(Chunks, ShapingTest, testing::Values(1, 2, 3, 100));

TEST(ShapingErrorTest, MistakesAreNamedWhenTheExpressionIsBuilt) {
  const Array x = operand("int64", {5, 6}, 0, 2);
  using testing::HasSubstr;
  EXPECT_THAT(error_of([&] { pad(x, {{1, 1}}); }), HasSubstr("shape (5, 6)"));
  EXPECT_THAT(error_of([&] { pad(x, -1); }), HasSubstr("negative"));
  EXPECT_THAT(error_of([&] { pad(zeros({0, 2}), 1, {.mode = PadMode::Edge}); }), HasSubstr("is empty"));
  EXPECT_THAT(error_of([&] { insert(x, 7, 1, 0); }), HasSubstr("place 7 is out of bounds"));
  EXPECT_THAT(error_of([&] { delete_(x, Places{5}, 0); }), HasSubstr("place 5 is out of bounds"));
  EXPECT_THAT(error_of([&] { delete_(x, Places{0}, 2); }), HasSubstr("axis 2"));
  EXPECT_THAT(error_of([&] { rot90(x, 1, {0, -2}); }), HasSubstr("the same"));
  EXPECT_THAT(error_of([&] { block({{x, x}, arrays::Blocks(x)}); }), HasSubstr("nested"));
  EXPECT_THAT(error_of([&] { vstack({}); }), HasSubstr("at least one"));
  EXPECT_THAT(error_of([&] { vindex(x, {{0, 1}, {0}}); }), HasSubstr("as many"));
  EXPECT_THAT(error_of([&] { vindex(x, {{0, 9}, {0, 0}}); }), HasSubstr("place 9"));
  EXPECT_THAT(error_of([&] { choose(x * 1.5, {x}); }), HasSubstr("must be integers"));
  EXPECT_THAT(error_of([&] { unravel_index(x, {1 << 30, 1 << 30, 1 << 30}); }), HasSubstr("63 bits"));
  EXPECT_THAT(error_of([&] { tril(arange(3)); }), HasSubstr("two dimensions"));
  EXPECT_THAT(error_of([&] { reshape_blockwise(x, {3, 10}); }), HasSubstr("joining"));
  EXPECT_THAT(error_of([&] { piecewise(x, {x > 0}, {}); }), HasSubstr("functions"));
  EXPECT_THAT(error_of([&] { normalize_chunks(0, {3, 3}); }), HasSubstr("chunk size"));
  EXPECT_THAT(error_of([&] { repeat(x, Places{1}, 0); }), HasSubstr("1 counts"));
}

TEST(ShapingErrorTest, IndicesOutOfBoundsFailWhenTheyRun) {
  const Client client({.scheduler = "sync"});
  const Array index = places({0, 12}, 2);
  EXPECT_THAT(error_of([&] {
                client.compute(unravel_index(index, {3, 4})[0]);
              }),
              testing::HasSubstr("index 12 is out of bounds"));
  EXPECT_THAT(error_of([&] { client.compute(choose(index, {index, index})); }), testing::HasSubstr("choices"));
}

TEST(ShapingGridTest, ChunksAreAsAsked) {
  using Sizes = std::vector<std::vector<std::int64_t>>;
  EXPECT_EQ(normalize_chunks({3, -1}, {7, 2}), (Sizes{{3, 3, 1}, {2}}));
  const Array x = operand("int64", {5, 6}, 0, 4);
  EXPECT_EQ(shuffle(x, {{4, 0}, {2, 1, 3}}, 0).chunks()[0], (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(unify_chunks({x, rechunk(x, {3, 6})})[1].chunks(), (Sizes{{3, 1, 1}, {4, 2}}));
}

}  // namespace
}  // namespace weft
