#include "arrays/labelled/calendar.hpp"

#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::labelled {
namespace {

constexpr Calendar kAll[] = {Calendar::Standard, Calendar::ProlepticGregorian,
                             Calendar::Julian,   Calendar::NoLeap,
                             Calendar::AllLeap,  Calendar::Days360};

TEST(CalendarTest, DatesAndInstantsAreInverse) {
  for (const Calendar calendar : kAll) {
    std::int64_t before = instant_of(calendar, {1500, 1, 1});
    const std::int64_t first = before / 86'400'000;
    for (std::int64_t day = first; day < first + 220'000; day += 13) {
      const Date date = date_of(calendar, day * 86'400'000 + 3'723'004);
      EXPECT_TRUE(is_date(calendar, date));
      EXPECT_EQ(date.hour * 10000 + date.minute * 100 + date.second, 10203);
      ASSERT_EQ(instant_of(calendar, date), day * 86'400'000 + 3'723'004) << calendar_name(calendar) << date_text(date);
    }
  }
}

TEST(CalendarTest, TheStandardCalendarSkipsTenDays) {
  const std::int64_t last = instant_of(Calendar::Standard, {1582, 10, 4});
  EXPECT_EQ(date_text(date_of(Calendar::Standard, last + 86'400'000)), "1582-10-15");
  EXPECT_EQ(date_text(date_of(Calendar::ProlepticGregorian,
                              instant_of(Calendar::ProlepticGregorian, {1582, 10, 4}) + 86'400'000)),
            "1582-10-05");
}

TEST(CalendarTest, LeapDaysFollowTheCalendar) {
  EXPECT_EQ(day_of_year(Calendar::Standard, {2000, 3, 1}), 61);
  EXPECT_EQ(day_of_year(Calendar::Standard, {1900, 3, 1}), 60);
  EXPECT_EQ(day_of_year(Calendar::Julian, {1900, 3, 1}), 61);
  EXPECT_EQ(day_of_year(Calendar::NoLeap, {2000, 3, 1}), 60);
  EXPECT_EQ(day_of_year(Calendar::Days360, {2000, 3, 1}), 61);
  EXPECT_FALSE(is_date(Calendar::NoLeap, {2000, 2, 29}));
  EXPECT_TRUE(is_date(Calendar::Days360, {2000, 2, 30}));
}

TEST(CalendarTest, UnitsAreUnderstood) {
  const auto at = [](const std::string& units, Calendar calendar = Calendar::Standard) {
    const auto found = parse_time_units(units, calendar);
    return date_text(date_of(calendar, found->begin + static_cast<std::int64_t>(found->step_ms)));
  };
  EXPECT_EQ(at("days since 2000-02-28"), "2000-02-29");
  EXPECT_EQ(at("days since 2000-02-28", Calendar::NoLeap), "2000-03-01");
  EXPECT_EQ(at("hours since 1900-01-01 00:00:0.0"), "1900-01-01T01:00:00");
  EXPECT_EQ(at("seconds since 1970-1-1T00:00:00Z"), "1970-01-01T00:00:01");
  EXPECT_EQ(at("hours since 1970-01-01 00:00:00 +2"), "1969-12-31T23:00:00");
  EXPECT_EQ(at("minutes since 1-1-1 12:00"), "0001-01-01T12:01:00");
  EXPECT_FALSE(parse_time_units("K", Calendar::Standard));
  EXPECT_THROW(parse_time_units("months since 2000-01-01", Calendar::Standard), Error);
  EXPECT_THROW(parse_time_units("days since yesterday", Calendar::Standard), Error);
}

TEST(CalendarTest, APartOfADateMeansAllOfIt) {
  const auto text = [](const std::string& partial) {
    const auto [first, last] = parse_partial_date(partial, Calendar::Standard);
    return date_text(date_of(Calendar::Standard, first)) + " " + date_text(date_of(Calendar::Standard, last));
  };
  EXPECT_EQ(text("2001"), "2001-01-01 2001-12-31T23:59:59");
  EXPECT_EQ(text("2004-02"), "2004-02-01 2004-02-29T23:59:59");
  EXPECT_EQ(text("2004-02-03T07"), "2004-02-03T07:00:00 2004-02-03T07:59:59");
  EXPECT_THROW(parse_partial_date("2004-02-31", Calendar::Standard), Error);
  EXPECT_THROW(parse_partial_date("soon", Calendar::Standard), Error);
}

TEST(CalendarTest, SeasonsBeginInDecember) {
  const auto season = [](int month) {
    return time_part("season", Calendar::Standard, instant_of(Calendar::Standard, {2001, month, 5}));
  };
  EXPECT_EQ(season(12), 1);
  EXPECT_EQ(season(2), 1);
  EXPECT_EQ(season(3), 2);
  EXPECT_EQ(season(11), 4);
}

}  // namespace
}  // namespace weft::labelled
