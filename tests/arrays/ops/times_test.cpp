// Times beside NumPy's answers, as text, and what does not mix.
#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/arrays/error_of.hpp"
#include "tests/arrays/oracle/named_cases.hpp"

namespace weft {
namespace {

using arrays::searchsorted;
using oracle::operand;
using testing::HasSubstr;

constexpr Dtype kDays = datetime64(TimeUnit::Day);
constexpr Dtype kSeconds = datetime64(TimeUnit::Second);
constexpr Dtype kSpanHours = timedelta64(TimeUnit::Hour);
constexpr Dtype kSpanSeconds = timedelta64(TimeUnit::Second);

Array counts(const Chunks& c) { return operand("int64", {5, 6}, 0, c) * 137 + 19000; }
Array d(const Chunks& c) { return counts(c).astype(kDays); }
Array e(const Chunks& c) { return (operand("int64", {5, 6}, 1, c) * (86400 * 41) + 1700000000).astype(kSeconds); }
Array h(const Chunks& c) { return where(counts(c) % 5 == 0, not_a_time(kDays), d(c)); }
Array t(const Chunks& c) { return (operand("int64", {5, 6}, 0, c) * 5).astype(kSpanHours); }
Array u(const Chunks& c) { return (operand("int64", {5, 6}, 1, c) * 1000 + 1).astype(kSpanSeconds); }
Array v(const Chunks& c) { return where(t(c) == timedelta(0, TimeUnit::Hour), not_a_time(kSpanHours), t(c)); }
Array k(const Chunks& c) { return operand("int64", {5, 6}, 1, c); }
Array f(const Chunks& c) { return operand("float64", {5, 6}, 0, c); }
Array old(const Chunks& c) { return (operand("int64", {30}, 0, c) * 98765).astype(kDays); }

oracle::NamedCases arithmetic() {
  return {
      WEFT_CASE("date", d(c)),
      WEFT_CASE("date_plus_span", d(c) + t(c)),
      WEFT_CASE("date_plus_number", d(c) + 3),
      WEFT_CASE("span_plus_date", u(c) + d(c)),
      WEFT_CASE("date_less_date", d(c) - e(c)),
      WEFT_CASE("date_less_span", e(c) - t(c)),
      WEFT_CASE("span_plus_span", t(c) + u(c)),
      WEFT_CASE("span_less_span", u(c) - v(c)),
      WEFT_CASE("span_times", t(c) * k(c)),
      WEFT_CASE("span_times_real", t(c) * 2.5),
      WEFT_CASE("times_span", 3 * v(c)),
      WEFT_CASE("span_by_span", t(c) / u(c)),
      WEFT_CASE("span_by_number", u(c) / 7),
      WEFT_CASE("span_by_real", u(c) / f(c)),
      WEFT_CASE("span_floor", floor_divide(u(c), t(c))),
      WEFT_CASE("span_floor_number", floor_divide(u(c), 7)),
      WEFT_CASE("span_rest", u(c) % timedelta(3600, TimeUnit::Second)),
      WEFT_CASE("span_negative", -v(c)),
      WEFT_CASE("span_absolute", abs(v(c))),
      WEFT_CASE("span_sign", sign(t(c))),
      WEFT_CASE("none_plus", h(c) + t(c)),
      WEFT_CASE("less", d(c) < e(c)),
      WEFT_CASE("greater_equal", h(c) >= d(c)),
      WEFT_CASE("equal", h(c) == h(c)),
      WEFT_CASE("not_equal", h(c) != h(c)),
      WEFT_CASE("span_less", v(c) < u(c)),
      WEFT_CASE("maximum", maximum(h(c), d(c) + 7)),
      WEFT_CASE("minimum", minimum(h(c), d(c) + 7)),
      WEFT_CASE("fmax", fmax(h(c), d(c) - 7)),
      WEFT_CASE("fmin", fmin(h(c), d(c) - 7)),
      WEFT_CASE("where", where(k(c) > 0, d(c), h(c))),
      WEFT_CASE("isnat", isnat(h(c))),
      WEFT_CASE("isnan", isnan(v(c))),
      WEFT_CASE("isfinite", isfinite(h(c))),
  };
}

oracle::NamedCases units() {
  const Dtype months = datetime64(TimeUnit::Month), years = datetime64(TimeUnit::Year);
  return {
      WEFT_CASE("to_seconds", d(c).astype(kSeconds)),
      WEFT_CASE("to_days", e(c).astype(kDays)),
      WEFT_CASE("to_weeks", d(c).astype(datetime64(TimeUnit::Week))),
      WEFT_CASE("to_months", e(c).astype(months)),
      WEFT_CASE("to_years", h(c).astype(years)),
      WEFT_CASE("months_to_days", d(c).astype(months).astype(kDays)),
      WEFT_CASE("years_to_hours", d(c).astype(years).astype(datetime64(TimeUnit::Hour))),
      WEFT_CASE("old_months", old(c).astype(months)),
      WEFT_CASE("old_years", old(c).astype(years)),
      WEFT_CASE("old_month_starts", old(c).astype(months).astype(kDays)),
      WEFT_CASE("span_to_minutes", u(c).astype(timedelta64(TimeUnit::Minute))),
      WEFT_CASE("span_to_nanoseconds", t(c).astype(timedelta64(TimeUnit::Nano))),
      WEFT_CASE("to_integers", d(c).astype(int64)),
      WEFT_CASE("arange", arange(datetime("2024-02-27"), datetime("2024-03-03"), 1, {.chunks = c})),
      WEFT_CASE("arange_step",
                arange(datetime("2024-01"), datetime("2025-01"), timedelta(3, TimeUnit::Month), {.chunks = c})),
      WEFT_CASE("arange_hours",
                arange(datetime("2024-01-01T00"), datetime("2024-01-03"), timedelta(6, TimeUnit::Hour), {.chunks = c})),
      WEFT_CASE("month_lengths",
                diff(arange(datetime("2023-12"), datetime("2025-01"), 1, {.chunks = c}).astype(kDays))),
  };
}

oracle::NamedCases reductions() {
  return {
      WEFT_CASE("min", min(d(c))),
      WEFT_CASE("min_none", min(h(c), {.axis = 0})),
      WEFT_CASE("max", max(e(c), {.axis = 1})),
      WEFT_CASE("max_none", max(h(c), {.axis = 1})),
      WEFT_CASE("span_sum", sum(t(c), {.axis = 0})),
      WEFT_CASE("span_sum_none", sum(v(c))),
      WEFT_CASE("span_mean", mean(u(c), {.axis = 0})),
      WEFT_CASE("span_mean_all", mean(t(c))),
      WEFT_CASE("argmin", argmin(d(c), {.axis = 0})),
      WEFT_CASE("argmax", argmax(h(c), {.axis = 1})),
      WEFT_CASE("ptp", ptp(d(c), {.axis = 0})),
      WEFT_CASE("nanmin", nanmin(h(c), {.axis = 0})),
      WEFT_CASE("nanmax", nanmax(h(c))),
      WEFT_CASE("sort", sort(h(c), 1)),
      WEFT_CASE("argsort", argsort(ravel(h(c)))),
      WEFT_CASE("unique", unique(h(c))),
      WEFT_CASE("diff", diff(d(c))),
      WEFT_CASE("concatenate", concatenate({d(c), e(c)})),
      WEFT_CASE("take", h(c)(slice(1, 4), slice(none, none, -2))),
      WEFT_CASE("searchsorted", searchsorted(sort(ravel(d(c))), e(c))),
  };
}

class TimesTest : public testing::TestWithParam<int> {};

TEST_P(TimesTest, AnswersAreNumPys) {
  oracle::NamedCases cases;
  for (const auto& some : {arithmetic(), units(), reductions()}) cases.insert(some.begin(), some.end());
  const Chunks chunks = GetParam() == 100 ? Chunks() : Chunks(GetParam());
  EXPECT_EQ(oracle::run_named("times", cases, chunks, GetParam() == 2 ? "sync" : "threads"), "");
}

INSTANTIATE_TEST_SUITE_P(Chunks, TimesTest, testing::Values(1, 2, 3, 100));

TEST(TimeTextTest, TimesAreReadAndWrittenInEachUnit) {
  for (const char* const text :
       {"2024", "1969-12", "2024-02-29", "0001-01-01", "1999-12-31T23", "2024-05-17T13:45", "1960-01-02T03:04:05",
        "2024-05-17T13:45:30.007", "2024-05-17T13:45:30.000009", "1969-12-31T23:59:59.999999999"}) {
    const Scalar time = datetime(text);
    EXPECT_EQ(time_text(time.integer(), time.dtype()), text);
  }
  EXPECT_EQ(datetime("2024-01-01").integer(), 19723);
  EXPECT_EQ(datetime("2024-01-01 12:00").dtype(), datetime64(TimeUnit::Minute));
  EXPECT_EQ(datetime("2024-01-01", TimeUnit::Hour).integer(), 19723 * 24);
  EXPECT_EQ(datetime("2024-05-17T13", TimeUnit::Month).integer(), 54 * 12 + 4);
  EXPECT_EQ(time_text(datetime("NaT").integer(), kDays), "NaT");
}

TEST(TimeTextTest, WhatIsNoTimeIsRefused) {
  for (const char* const text : {"", "24", "2024-13", "2023-02-29", "2024-01-01T25", "2024-01-01T10:61", "2024-1-1",
                                 "2024-01-01T10:00:00.", "2024-01-01x", "2024-01-01T10:00:00.1234567890"}) {
    EXPECT_THAT(error_of([&] { datetime(text); }), HasSubstr("is no time")) << text;
  }
  EXPECT_THAT(error_of([] { not_a_time(int64); }), HasSubstr("not int64"));
}

TEST(TimeTextTest, ArraysPrintAsNumPys) {
  const Client client({.scheduler = "sync"});
  const Array days = arange(datetime("2024-02-28"), datetime("2024-03-02"));
  EXPECT_EQ(client.compute(days).text(), "['2024-02-28' '2024-02-29' '2024-03-01']");
  EXPECT_EQ(client.compute(where(arange(3) == 1, not_a_time(kDays), days)).text(),
            "['2024-02-28'        'NaT' '2024-03-01']");
  EXPECT_EQ(client.compute(days - datetime("2024-02-29")).text(), "[-1  0  1]");
}

TEST(TimesErrorTest, WhatDoesNotMixIsRefusedWhereItIsWritten) {
  const Array x = arange(datetime("2024-01-01"), datetime("2024-01-05"));
  const Array span = x - datetime("2024-01-01");
  EXPECT_THAT(error_of([&] { x + x; }), HasSubstr("is not defined for datetime64[D] and datetime64[D]"));
  EXPECT_THAT(error_of([&] { x * 2; }), HasSubstr("multiply"));
  EXPECT_THAT(error_of([&] { x + 0.5; }), HasSubstr("is not defined for datetime64[D] and float64"));
  EXPECT_THAT(error_of([&] { span* span; }), HasSubstr("timedelta64[D] and timedelta64[D]"));
  EXPECT_THAT(error_of([&] { x < span; }), HasSubstr("less"));
  EXPECT_THAT(error_of([&] { sqrt(span); }), HasSubstr("sqrt"));
  EXPECT_THAT(error_of([&] { mean(x); }), HasSubstr("subtract a datetime first"));
  EXPECT_THAT(error_of([&] { x.astype(timedelta64(TimeUnit::Day)); }), HasSubstr("does not become"));
  EXPECT_THAT(error_of([&] { span.astype(timedelta64(TimeUnit::Month)); }), HasSubstr("no fixed length"));
  EXPECT_THAT(error_of([&] { isnat(arange(3)); }), HasSubstr("is defined for times, not for int64"));
  EXPECT_THAT(error_of([&] { arange(0, datetime("2024")); }), HasSubstr("begins with a number"));
}

}  // namespace
}  // namespace weft
