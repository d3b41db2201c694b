// Labelled operations beside xarray's: the same dimensions, labels, types and values, in any chunks.
#include <weft/arrays.hpp>
#include <weft/labelled.hpp>

#include "arrays/labelled/attributes.hpp"
#include "tests/arrays/oracle/named_cases.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace weft {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// What write_xarray_answers.py makes by the same names.
struct Inputs {
  LabelledArray t, f, n, h, m, w, u, g, e, s;
  Dataset ds;
  /// The times of t, six hours later.
  Coordinate later;
  /// ds in pieces.
  std::vector<Dataset> tiles;
  /// Where the points of s are.
  NDArray slat, slon;

  explicit Inputs(const Chunks& chunks) {
    const Coordinate lat = Coordinate::of_numbers("lat", {60, 25, -20, -60});
    const Coordinate lon = Coordinate::of_numbers("lon", {0, 2, 5, 9, 10});
    const Coordinate time = times(395, 1, 12);
    t = LabelledArray(values({12, 4, 5}, 1, chunks), {"time", "lat", "lon"},
                      {{"time", time}, {"lat", lat}, {"lon", lon}}, "t");
    f = LabelledArray(t.data().astype(float32), t.dims(), t.coordinates(), "f");
    std::vector<std::int64_t> integers;
    for (std::int64_t i = 0; i < 48; ++i) integers.push_back(i * 7 % 19 - 6);
    n = LabelledArray(from_ndarray(NDArray::of(integers, {12, 4}), chunks), {"time", "lat"},
                      {{"time", time}, {"lat", lat}}, "n");
    h = LabelledArray(values({30}, 2, chunks), {"time"}, {{"time", times(421 + 0.125, 7.0 / 24, 30)}}, "h");
    std::vector<double> months;
    for (const int day : {305, 335, 366, 397, 425, 456, 486, 517, 547, 578, 609, 639, 670, 700, 731}) {
      months.push_back(day);
    }
    m = LabelledArray(values({15, 2}, 3, chunks), {"time", "x"}, {{"time", time_of(std::move(months))}}, "m");
    w = LabelledArray(from(std::vector<double>{0.5, 1, 2, 1.5}), {"lat"}, {{"lat", lat}}, "w");
    u = LabelledArray(t.isel("time", 0).data(), {"lat", "lon"}, {}, "t");
    ds = Dataset({t, n, w});
    later = times(395.25, 1, 12);
    for (const slice lats : {slice(0, 1), slice(1, none)}) {
      for (const slice days : {slice(5, none), slice(0, 5)}) {
        tiles.push_back(ds.only({"t"}).isel("time", days).isel("lat", lats));
      }
    }
    tiles.push_back(ds.only({"n"}));
    make_grids(chunks);
  }

 private:
  void make_grids(const Chunks& chunks) {
    LabelledArray::Coordinates labels{{"time", times(395, 1, 3)},
                                      {"lat", Coordinate::of_numbers("lat", {75, 45, 15, -15, -45, -75})},
                                      {"lon", Coordinate::of_numbers("lon", {0, 45, 90, 135, 180, 225, 270, 315})}};
    g = LabelledArray(values({3, 6, 8}, 4, chunks), {"time", "lat", "lon"}, labels, "g");
    labels["lon"] = Coordinate::of_numbers("lon", {0, 45, 90, 135, -180, -135, -90, -45});
    e = LabelledArray(g.data(), g.dims(), labels, "e");
    s = LabelledArray(values({2, 5, 7}, 5, chunks), {"time", "y", "x"}, {{"time", times(395, 1, 2)}}, "s");
    std::vector<double> lat, lon;
    for (int y = 0; y < 5; ++y) {
      for (int x = 0; x < 7; ++x) {
        lat.push_back(y == 3 && x == 3 ? nan : 70 - 9.0 * y + 2.5 * x);
        lon.push_back(160 + 7.0 * x + 3.5 * y);
      }
    }
    slat = NDArray::of(lat, {5, 7});
    slon = NDArray::of(lon, {5, 7});
  }
  static Array values(const Shape& shape, std::int64_t salt, const Chunks& chunks) {
    std::vector<double> out;
    for (std::int64_t i = 0; i < shape.elements(); ++i) {
      out.push_back((i * 5 + salt) % 13 == 0 ? nan : static_cast<double>((i * 7 + salt * 3) % 23 - 9) / 4);
    }
    return from_ndarray(NDArray::of(out, shape), chunks);
  }
  static Coordinate time_of(std::vector<double> days) {
    std::vector<io::Attribute> attributes;
    labelled::set_text(attributes, "units", "days since 2000-01-01");
    return Coordinate::of_numbers("time", std::move(days), std::move(attributes));
  }
  static Coordinate times(double first, double step, int count) {
    std::vector<double> days;
    for (int i = 0; i < count; ++i) days.push_back(first + step * i);
    return time_of(std::move(days));
  }
};

struct Case {
  const char* xarray;
  const char* weft;
  LabelledArray (*build)(const Chunks&);
};

#define WEFT_XARRAY(xarray, ...)                                                                         \
  {xarray, #__VA_ARGS__, [](const Chunks& chunks) -> LabelledArray {                                     \
     const Inputs inputs(chunks);                                                                        \
     [[maybe_unused]] const auto& [t, f, n, h, m, w, u, g, e, s, ds, later, tiles, slat, slon] = inputs; \
     return __VA_ARGS__;                                                                                 \
   }},

const Case kCases[] = {
#include "tests/arrays/oracle/xarray.inc"
};

struct Answer {
  std::string dims, labels;
  oracle::NamedAnswer values;
};

const std::map<std::string, Answer>& answers() {
  static const std::map<std::string, Answer> all = [] {
    std::map<std::string, Answer> out;
    std::ifstream file(WEFT_SOURCE_DIR "/tests/arrays/oracle/answers_xarray.txt");
    for (std::string line; std::getline(file, line);) {
      std::vector<std::string> fields(1);
      for (const char c : line) {
        if (c == '\t') {
          fields.emplace_back();
        } else {
          fields.back() += c;
        }
      }
      Answer one{fields[1], fields[5], {fields[2], oracle::read_shape(fields[3]), {}}};
      std::stringstream words(fields[4]);
      for (std::string element; words >> element;) one.values.elements.push_back(element);
      out.emplace(fields[0], std::move(one));
    }
    return out;
  }();
  return all;
}

/// What is wrong with the labels along each dimension: "lat=0x1p0|0x1p1;x=a|b".
std::string wrong_labels(const LabelledArray& array, const std::string& wanted) {
  std::stringstream parts(wanted);
  for (std::string part; std::getline(parts, part, ';');) {
    const std::string dim = part.substr(0, part.find('='));
    const auto found = array.coordinates().find(dim);
    if (found == array.coordinates().end()) return "there are no labels along " + dim;
    std::stringstream texts(part.substr(dim.size() + 1));
    std::size_t place = 0;
    for (std::string text; std::getline(texts, text, '|'); ++place) {
      if (place >= found->second.size()) return "there are too few labels along " + dim;
      const bool same = found->second.texts().empty()
                            ? oracle::close(found->second.numbers()[place], std::strtod(text.c_str(), nullptr), 1e-9)
                            : found->second.texts()[place] == text;
      if (!same) return "label " + std::to_string(place) + " along " + dim + " is " + found->second.label(place);
    }
    if (place != found->second.size()) return "there are too many labels along " + dim;
  }
  return "";
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

std::string wrong(const Client& client, const Case& one, const Chunks& chunks) {
  const auto answer = answers().find(one.xarray);
  if (answer == answers().end()) return "there is no answer in answers_xarray.txt";
  try {
    const LabelledArray made = one.build(chunks);
    if (joined(made.dims()) != answer->second.dims) return "the dimensions are " + joined(made.dims());
    const std::string labels = wrong_labels(made, answer->second.labels);
    if (!labels.empty()) return labels;
    return oracle::difference(answer->second.values, client.compute(made.data()), 1e-12);
  } catch (const std::exception& error) {
    return error.what();
  }
}

TEST(LabelledOperationsLikeXarrayTest, OperationsGiveXarraysAnswersInAnyChunks) {
  const Client client({.scheduler = "sync"});
  for (const int chunk : {1, 2, 3, 100}) {
    std::string all;
    for (const Case& one : kCases) {
      const std::string problem = wrong(client, one, chunk);
      if (!problem.empty()) all += std::string(one.xarray) + ": " + problem + "\n";
    }
    EXPECT_EQ(all, "") << "chunks of " << chunk;
  }
  EXPECT_EQ(std::size(kCases), answers().size());
}

TEST(LabelledOperationsLikeXarrayTest, ValuesOfRollingWindowsAndNeighboursAreTheSameBitsInAnyChunks) {
  const Client client({.scheduler = "threads", .threads = 3});
  for (const Case& one : kCases) {
    const std::string name = one.xarray;
    bool local = false;
    for (const char* const call :
         {".rolling(", ".shift(", ".diff(", ".pad(", ".differentiate(", "regrid(", "regrid_points("}) {
      local = local || name.find(call) != std::string::npos;
    }
    if (!local) continue;
    const NDArray whole = client.compute(one.build(100).data()).as_contiguous();
    for (const int chunk : {1, 2, 3, 5}) {
      const NDArray cut = client.compute(one.build(chunk).data()).as_contiguous();
      ASSERT_EQ(cut.nbytes(), whole.nbytes());
      EXPECT_EQ(std::memcmp(cut.data(), whole.data(), static_cast<std::size_t>(whole.nbytes())), 0)
          << one.xarray << " in chunks of " << chunk;
    }
  }
}

/// The table's rows: | `xarray` | `weft` |
TEST(LabelledOperationsLikeXarrayTest, RowsOfTheCheatSheetAreCasesThatRun) {
  std::ifstream page(WEFT_SOURCE_DIR "/docs/cheatsheet-labels.md");
  std::map<std::string, std::string> known;
  for (const Case& one : kCases) known.emplace(one.xarray, one.weft);
  int rows = 0;
  for (std::string line; std::getline(page, line);) {
    if (line.rfind("| `", 0) != 0) continue;
    const std::size_t end = line.find("` | `"), last = line.rfind("` |");
    ASSERT_NE(end, std::string::npos) << line;
    const auto found = known.find(line.substr(3, end - 3));
    ASSERT_NE(found, known.end()) << line;
    EXPECT_EQ(line.substr(end + 5, last - end - 5), found->second);
    ++rows;
  }
  EXPECT_GT(rows, 30);
}

}  // namespace
}  // namespace weft
