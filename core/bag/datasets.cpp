#include <weft/datasets.hpp>

#include <weft/bag_random.hpp>
#include <weft/delayed.hpp>
#include <weft/error.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

namespace weft::datasets {
namespace {

constexpr std::array<std::string_view, 24> kFirst = {
    "Ada",   "Bo",   "Chidi", "Dana",  "Emeka", "Farah", "Gita", "Hugo",  "Ines", "Jun",  "Kofi", "Lena",
    "Malik", "Noor", "Olga",  "Pavel", "Quinn", "Rosa",  "Sami", "Tomas", "Uma",  "Vera", "Wen",  "Yusuf"};
constexpr std::array<std::string_view, 16> kLast = {"Abara", "Berg",   "Costa", "Diallo", "Ek",  "Fischer",
                                                    "Gupta", "Haddad", "Ito",   "Jensen", "Kim", "Lopez",
                                                    "Meyer", "Novak",  "Okoye", "Petrov"};
constexpr std::array<std::string_view, 12> kWork = {"baker",  "carpenter", "doctor",   "electrician",
                                                    "farmer", "geologist", "mechanic", "musician",
                                                    "nurse",  "pilot",     "teacher",  "welder"};
constexpr std::array<std::string_view, 10> kStreets = {"Birch Lane", "Canal Street", "Dune Road",   "Elm Street",
                                                       "Ferry Road", "Garden Row",   "Harbour Way", "Mill Lane",
                                                       "Oak Avenue", "Station Road"};
constexpr std::array<std::string_view, 10> kCities = {"Almhaven",   "Brackford", "Cinderby", "Dunmore", "Eastwick",
                                                      "Fallowmere", "Greyport",  "Hollin",   "Norwell", "Tarnside"};

/// Draws for one element: each a function of the seed, the element's number and how many were drawn before.
class Draws {
 public:
  Draws(std::uint64_t seed, std::uint64_t element) : seed_(detail::drawn_element(seed, element, ~std::uint64_t{0})) {}
  std::int64_t below(std::uint64_t most) {
    return static_cast<std::int64_t>(detail::drawn_element(seed_, next_++, most));
  }
  double within_one() { return static_cast<double>(below(std::uint64_t{1} << 53)) * 0x1p-52 - 1.0; }
  template <std::size_t n>
  std::string of(const std::array<std::string_view, n>& list) {
    return std::string(list[static_cast<std::size_t>(below(n))]);
  }
  std::string digits(int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += static_cast<char>('0' + below(10));
    return text;
  }

 private:
  const std::uint64_t seed_;
  std::uint64_t next_ = 0;
};

struct MakePeople {
  std::vector<Person> operator()(std::uint64_t first, std::uint64_t count, std::uint64_t seed) const {
    std::vector<Person> people(static_cast<std::size_t>(count));
    for (Person& one : people) {
      Draws draw(seed, first++);
      one.first_name = draw.of(kFirst);
      one.last_name = draw.of(kLast);
      one.age = 18 + draw.below(73);
      one.occupation = draw.of(kWork);
      one.telephone = "555-" + draw.digits(3) + '-' + draw.digits(4);
      one.street = std::to_string(1 + draw.below(200)) + ' ' + draw.of(kStreets);
      one.city = draw.of(kCities);
      one.credit_card = "0000 " + draw.digits(4) + ' ' + draw.digits(4) + ' ' + draw.digits(4);
      const std::int64_t month = 1 + draw.below(12);
      one.expires = (month < 10 ? "0" : "") + std::to_string(month) + '/' + std::to_string(27 + draw.below(8));
    }
    return people;
  }
};

struct MakeReadings {
  std::vector<Reading> operator()(std::int64_t first, std::int64_t end, std::int64_t step, std::int64_t start,
                                  std::uint64_t seed) const {
    std::vector<Reading> rows;
    rows.reserve(static_cast<std::size_t>((end - first + step - 1) / step));
    for (std::int64_t time = first; time < end; time += step) {
      Draws draw(seed, static_cast<std::uint64_t>((time - start) / step));
      Reading one;
      one.time = time;
      one.name = draw.of(kFirst);
      // Many draws of few make a bell.
      for (int i = 0; i < 64; ++i) one.id += draw.below(32);
      one.id += 8;
      one.x = draw.within_one();
      one.y = draw.within_one();
      rows.push_back(std::move(one));
    }
    return rows;
  }
};

}  // namespace

Bag<Person> make_people(const PeopleOptions& options, const std::source_location& where) {
  if (options.partitions == 0) detail::refuse_partitions(0);
  const DelayedFunction<MakePeople> make({}, where);
  std::vector<Delayed<std::vector<Person>>> partitions;
  for (std::uint64_t i = 0; i < options.partitions; ++i)
    partitions.push_back(make(i * options.records_per_partition, options.records_per_partition, options.seed));
  return Bag<Person>::from_delayed(std::move(partitions));
}

Bag<Reading> timeseries(const TimeseriesOptions& options, const std::source_location& where) {
  if (options.step <= 0 || options.partition <= 0)
    throw Error("datasets::timeseries: .step and .partition are seconds, and more than 0");
  // Partitions begin at rows.
  const std::int64_t length = (options.partition + options.step - 1) / options.step * options.step;
  const DelayedFunction<MakeReadings> make({}, where);
  std::vector<Delayed<std::vector<Reading>>> partitions;
  for (std::int64_t first = options.start; first < options.end; first += length)
    partitions.push_back(make(first, std::min(options.end, first + length), options.step, options.start, options.seed));
  return Bag<Reading>::from_delayed(std::move(partitions));
}

}  // namespace weft::datasets
