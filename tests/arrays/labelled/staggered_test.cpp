// Staggered grids: xgcm's differences, means and derivatives, and what it does beyond the ends.
#include <weft/arrays.hpp>
#include <weft/staggered.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pointwise;

const Coordinate kMiddles = Coordinate::of_numbers("x", {0.5, 1.5, 3, 5});
Coordinate faces(std::vector<double> labels) { return Coordinate::of_numbers("f", std::move(labels)); }
/// 1, 4, 9, 25 in chunks of this size; the numbers themselves lie on faces.
LabelledArray at(const Coordinate& labels, std::int64_t chunk, std::vector<double> numbers) {
  return {from(std::move(numbers)).rechunk(chunk), {labels.name()}, {{labels.name(), labels}}, "q"};
}

std::vector<double> numbers(const LabelledArray& array) {
  Client client({.scheduler = "sync"});
  return client.compute(array.data()).to_vector<double>();
}

TEST(StaggeredTest, MiddlesGoToFacesAndBackWhateverEndsHaveThem) {
  struct Case {
    std::vector<double> faces, differences, back;
  };
  // Where an end has no value, the one before it stands there again.
  const std::vector<double> q{1, 4, 9, 25};
  const std::vector<Case> cases{{{0, 1, 2, 4, 6}, {0, 3, 5, 16, 0}, {3, 2, 11, -16}},
                                {{0, 1, 2, 4}, {0, 3, 5, 16}, {3, 2, 11, 0}},
                                {{1, 2, 4, 6}, {3, 5, 16, 0}, {0, 2, 11, -16}},
                                {{1, 2, 4}, {3, 5, 16}, {0, 2, 11, 0}}};
  for (const Case& one : cases) {
    for (const std::int64_t chunk : {1, 2, 3, 4}) {
      const StaggeredAxis x(kMiddles, faces(one.faces));
      const LabelledArray on_faces = x.diff(at(kMiddles, chunk, q));
      EXPECT_EQ(on_faces.dims(), std::vector<std::string>{"f"});
      EXPECT_EQ(on_faces.coordinates().at("f").numbers(), one.faces);
      EXPECT_EQ(on_faces.coordinates().count("x"), 0u);
      EXPECT_EQ(numbers(on_faces), one.differences);
      const LabelledArray back = x.diff(on_faces);
      EXPECT_EQ(back.coordinates().at("x"), kMiddles);
      EXPECT_EQ(numbers(back), one.back);
      // The chunks of the middles come back, or what is left of them.
      EXPECT_LE(on_faces.data().npartitions(), at(kMiddles, chunk, q).data().npartitions());
    }
  }
}

TEST(StaggeredTest, BeyondTheEndsIsWhatWasAskedFor) {
  const LabelledArray q = at(kMiddles, 3, {1, 4, 9, 25});
  const StaggeredAxis fill(kMiddles, faces({0, 1, 2, 4, 6}), {.beyond = Beyond::Fill, .fill = 2});
  EXPECT_THAT(numbers(fill.diff(q)), ElementsAre(-1, 3, 5, 16, -23));
  EXPECT_THAT(numbers(fill.mean(q)), ElementsAre(1.5, 2.5, 6.5, 17, 13.5));
  const StaggeredAxis round(kMiddles, faces({0, 1, 2, 4}), {.beyond = Beyond::Periodic, .period = 6});
  EXPECT_THAT(numbers(round.diff(q)), ElementsAre(-24, 3, 5, 16));
  EXPECT_THAT(numbers(round.mean(q)), ElementsAre(13, 2.5, 6.5, 17));
  const StaggeredAxis behind(kMiddles, faces({1, 2, 4, 6}), {.beyond = Beyond::Periodic, .period = 6});
  EXPECT_THAT(numbers(behind.diff(q)), ElementsAre(3, 5, 16, -24));
  EXPECT_THAT(numbers(behind.diff(behind.mean(q))), ElementsAre(2.5 - 13, 4, 10.5, -4));
}

TEST(StaggeredTest, DerivativesAreByTheLabelsWhicheverWayTheyGo) {
  const LabelledArray q = at(kMiddles, 2, {1, 4, 9, 25});
  const StaggeredAxis ends(kMiddles, faces({0, 1, 2, 4, 6}));
  EXPECT_THAT(numbers(ends.spacing("x")), ElementsAre(1, 1, 2, 2));
  EXPECT_THAT(numbers(ends.spacing("f")), ElementsAre(1, 1, 1.5, 2, 2));
  EXPECT_THAT(numbers(ends.derivative(q)), Pointwise(DoubleEq(), {0.0, 3.0, 5 / 1.5, 8.0, 0.0}));
  const StaggeredAxis round(kMiddles, faces({0, 1, 2, 4}), {.beyond = Beyond::Periodic, .period = 6});
  EXPECT_THAT(numbers(round.spacing("f")), ElementsAre(1.5, 1, 1.5, 2));
  EXPECT_THAT(numbers(round.spacing("x")), ElementsAre(1, 1, 2, 2));
  const Coordinate falling = Coordinate::of_numbers("x", {5, 3, 1.5, 0.5});
  const StaggeredAxis down(falling, faces({6, 4, 2, 1}), {.beyond = Beyond::Periodic, .period = 6});
  EXPECT_THAT(numbers(down.spacing("f")), ElementsAre(-1.5, -2, -1.5, -1));
  EXPECT_THAT(numbers(down.derivative(at(falling, 3, {25, 9, 4, 1}))),
              Pointwise(DoubleEq(), {24 / -1.5, 8.0, 5 / 1.5, 3.0}));
  // Single precision stays.
  const LabelledArray single(q.data().astype(float32), q.dims(), q.coordinates());
  EXPECT_EQ(ends.derivative(single).data().dtype(), float32);
  EXPECT_EQ(ends.mean(single).data().dtype(), float32);
}

TEST(StaggeredTest, OnlyTheAxisOfAFieldChangesAndFluxesClose) {
  // What flows through the faces of a closed box comes together to nothing, over the whole of it.
  const StaggeredAxis x(kMiddles, faces({0, 1, 2, 4, 6}));
  const Array heat = random::uniform({3, 4, 2}, {.chunks = {2, 3, 1}, .seed = 4});
  const LabelledArray field(heat, {"t", "x", "y"}, {{"x", kMiddles}}, "heat");
  const LabelledArray flux = x.derivative(field), change = x.diff(flux);
  EXPECT_EQ(flux.dims(), (std::vector<std::string>{"t", "f", "y"}));
  EXPECT_EQ(flux.data().shape(), (Shape{3, 5, 2}));
  EXPECT_EQ(change.data().chunks(), heat.chunks());
  for (const double total : numbers(change.sum("x"))) EXPECT_NEAR(total, 0, 1e-14);
}

TEST(StaggeredTest, WhatDoesNotFitIsSaidWithTheCall) {
  const StaggeredAxis x(kMiddles, faces({0, 1, 2, 4, 6}));
  const auto said = [](const auto& call) -> std::string {
    try {
      call();
    } catch (const Error& error) {
      return error.what();
    }
    return "nothing was thrown";
  };
  EXPECT_THAT(said([] { StaggeredAxis(kMiddles, faces({0, 1, 2.5, 2.6, 6})); }), HasSubstr("do not alternate"));
  EXPECT_THAT(said([] { StaggeredAxis(kMiddles, faces({1, 2, 4, 6, 7, 8})); }), HasSubstr("4 middles and 6 faces"));
  EXPECT_THAT(said([] { StaggeredAxis(kMiddles, kMiddles); }), HasSubstr("both called"));
  EXPECT_THAT(said([] {
                StaggeredAxis(kMiddles, faces({0, 1, 2, 4, 6}), {.beyond = Beyond::Periodic});
              }),
              HasSubstr("leave the last one out"));
  const StaggeredAxis round(kMiddles, faces({0, 1, 2, 4}), {.beyond = Beyond::Periodic});
  EXPECT_THAT(said([&] { round.derivative(at(kMiddles, 2, {1, 2, 3, 4})); }), HasSubstr("give its .period"));
  const Coordinate other = Coordinate::of_numbers("x", {1, 2, 3, 4}), away = Coordinate::of_numbers("y", {1, 2});
  EXPECT_THAT(said([&] { x.diff(at(other, 2, {1, 2, 3, 4})); }), HasSubstr("other labels along 'x'"));
  EXPECT_THAT(said([&] { x.mean(at(away, 2, {1, 2})); }), HasSubstr("needs one of the dimensions 'x' and 'f'"));
  EXPECT_THAT(said([&] { x.mean(at(away, 2, {1, 2})); }), HasSubstr("mean (staggered_test.cpp:"));
  EXPECT_THAT(said([&] { x.spacing("y"); }), HasSubstr("no dimension 'y'"));
}

}  // namespace
}  // namespace weft
