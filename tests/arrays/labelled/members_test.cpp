// Ensembles from the names of their files.
#include <weft/arrays.hpp>
#include <weft/members.hpp>

#include "tests/arrays/labelled/classic_writer.hpp"
#include "tests/io/formats/file_of.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace weft {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Two times and two places from `first` on.
std::string write_run(const std::string& path, double first, double day = 0, double north = 45) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  ClassicWriter writer({{"time", 2}, {"lat", 2}, {"bnds", 2}});
  writer.variable("time", {"time"}, 'd', {day, day + 1}, {{"units", {}, 'c', "days since 2001-01-01"}});
  writer.variable("lat", {"lat"}, 'd', {north, -45}, {{"bounds", {}, 'c', "lat_bnds"}});
  writer.variable("lat_bnds", {"lat", "bnds"}, 'd', {90, 0, 0, -90});
  writer.variable("tas", {"time", "lat"}, 'f', {first, first + 1, first + 2, first + 3});
  return writer.write(path);
}

class MembersTest : public testing::Test {
 protected:
  std::vector<double> numbers(const LabelledArray& array) {
    return client_.compute(array.data().astype(float64)).to_vector<double>();
  }
  std::string said(const std::string& pattern, const MembersOptions& options = {}) {
    try {
      open_members(folder_ / pattern, options);
    } catch (const Error& error) {
      return error.what();
    }
    return "nothing was thrown";
  }
  const io::TestFolder folder_;
  Client client_{{.scheduler = "sync"}};
};

TEST_F(MembersTest, NamesInThePathBecomeDimensionsInTheOrderOfTheirLabels) {
  for (const std::string model : {"CESM2", "MPI-ESM"}) {
    for (const int member : {1, 2, 10}) {
      write_run(folder_ / (model + "/r" + std::to_string(member) + "/tas_" + model + ".nc"),
                (model == "CESM2" ? 0 : 1000) + 10 * member);
    }
  }
  const Dataset runs = open_members(folder_ / "{model}/r{member}/tas_{model}.nc");
  const LabelledArray& tas = runs["tas"];
  EXPECT_EQ(tas.dims(), (std::vector<std::string>{"model", "member", "time", "lat"}));
  EXPECT_EQ(tas.data().shape(), (Shape{2, 3, 2, 2}));
  EXPECT_THAT(tas.coordinates().at("model").texts(), ElementsAre("CESM2", "MPI-ESM"));
  EXPECT_THAT(tas.coordinates().at("member").numbers(), ElementsAre(1, 2, 10));
  EXPECT_THAT(numbers(tas.isel("time", 0).isel("lat", 0)), ElementsAre(10, 20, 100, 1010, 1020, 1100));
  EXPECT_THAT(numbers(tas.sel("model", "MPI-ESM").sel("member", 10).isel("time", 1)), ElementsAre(1102, 1103));
  // Bounds say what labels mean: they are those of one run.
  EXPECT_EQ(runs["lat_bnds"].dims(), (std::vector<std::string>{"lat", "bnds"}));
}

TEST_F(MembersTest, FilesOfOneRunAreJoinedInTime) {
  for (const int member : {1, 2}) {
    for (const int year : {2, 0}) {
      write_run(folder_ / ("r" + std::to_string(member) + "_" + std::to_string(year) + ".nc"), 10 * member + year,
                year);
    }
  }
  const LabelledArray tas = open_members(folder_ / "r{member}_?.nc")["tas"];
  EXPECT_EQ(tas.data().shape(), (Shape{2, 4, 2}));
  EXPECT_THAT(numbers(tas.isel("lat", 0)), ElementsAre(10, 12, 12, 14, 20, 22, 22, 24));
}

TEST_F(MembersTest, ARunThatIsNotThereIsNamedOrMissing) {
  write_run(folder_ / "A_1.nc", 1);
  write_run(folder_ / "A_2.nc", 2);
  write_run(folder_ / "B_2.nc", 3);
  EXPECT_THAT(said("{model}_{member}.nc"), HasSubstr("there is no file of model B, member 1"));
  EXPECT_THAT(said("{model}_{member}.nc"), HasSubstr("open_members (members_test.cpp:"));
  const LabelledArray tas = open_members(folder_ / "{model}_{member}.nc", {.fill = true})["tas"];
  const std::vector<double> first = numbers(tas.isel("time", 0).isel("lat", 0));
  EXPECT_EQ(first[0], 1);
  EXPECT_EQ(first[1], 2);
  EXPECT_TRUE(std::isnan(first[2]));
  EXPECT_EQ(first[3], 3);
  EXPECT_EQ(tas.data().dtype(), float32);
  // What is missing counts nothing.
  EXPECT_THAT(numbers(tas.mean({"model", "time", "lat"})), ElementsAre(2.5, 4));
}

TEST_F(MembersTest, WhatDoesNotFitIsSaid) {
  EXPECT_THAT(said("*.nc"), HasSubstr("has no {name}"));
  EXPECT_THAT(said("{a}{b}.nc"), HasSubstr("put something between"));
  EXPECT_THAT(said("{a.nc"), HasSubstr("needs a name and a '}'"));
  EXPECT_THAT(said("{a}.nc"), HasSubstr("no file has such a name"));
  write_run(folder_ / "r1.nc", 1);
  write_run(folder_ / "r2.nc", 1, 0, 60);
  EXPECT_THAT(said("r{member}.nc"), HasSubstr("the run of member 2 has other labels along 'lat'"));
  EXPECT_THAT(said("r{time}.nc"), HasSubstr("a dimension 'time' already"));
  write_run(folder_ / "s1.nc", 1);
  write_run(folder_ / "s01.nc", 1);
  EXPECT_THAT(said("s{member}.nc"), HasSubstr("same number of 'member'"));
}

}  // namespace
}  // namespace weft
