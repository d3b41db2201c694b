// A mean year and the departures from it: 30 years of days at 2,000 places, each year a chunk.
#include <weft/weft.hpp>

#include <cstdio>

using namespace weft;

int main(int argc, char** argv) {
  return run(argc, argv, [](Client& client, Args) {
    const int years = 30, days = 365, places = 2'000;
    // A warm season, a trend of 0.02 degrees a year, and weather.
    const Array day = arange(years * days, {.chunks = days}).reshape({years * days, 1});
    const Array season = 10.0 * sin(day * (2 * 3.14159265358979 / days));
    const Array weather = random::normal(0, 3, {years * days, places}, {.chunks = {days, places}, .seed = 11});
    const Array temperature = 15.0 + season + day * (0.02 / days) + weather;

    const Array by_year = temperature.reshape({years, days, places});
    const Array mean_year = by_year.mean({.axis = 0, .keepdims = true});
    const Array anomaly = (by_year - mean_year).mean({.axis = {1, 2}});  // one number a year
    const Array warmest = argmax(mean_year.mean({.axis = {0, 2}}));

    // One pass for both.
    const auto [yearly, day_of_most] = client.compute(anomaly, warmest);
    const double rise = (yearly.at<double>(-1) - yearly.at<double>(0)) / (years - 1);
    std::printf("the trend is %.3f degrees a year\n", rise);
    std::printf("the warmest day is in the %s of the year\n",
                day_of_most.item<std::int64_t>() < days / 2 ? "first half" : "second half");
  });
}
