#include "io/grib/parameter_names.hpp"

#include "tests/io/formats/file_of.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace weft::io::grib {
namespace {

class ParameterNamesTest : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) const {
    const std::filesystem::path path = folder_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  const TestFolder folder_;
};

TEST_F(ParameterNamesTest, BlocksOfANumberHaveItsNames) {
  write("grib2/paramId.def", "#Rain\n'228' = {\n\t discipline = 0 ;\n\t}\n#Snow\n'8' = {\n\t discipline = 1 ;\n\t}\n");
  write("grib2/shortName.def", "'sf' = {\n\t discipline = 1 ;\n\t}\n'tp' = {\n\t discipline = 0 ;\n\t}\n");
  write("grib2/localConcepts/here/paramId.def", "'9' = {\n\t a = 1 ;\n\t}\n'9' = {\n\t a = 2 ;\n\t}\n");
  write("grib2/localConcepts/here/shortName.def", "'x' = {\n\t a = 1 ;\n\t}\n'y' = {\n\t a = 2 ;\n\t}\n");
  ParameterNames names(folder_ / "", 2, "here");
  EXPECT_EQ(names.find("shortName", 228), "tp");
  EXPECT_EQ(names.find("shortName", 8), "sf");
  // Two names, no name, no number, no file, a file that ends early.
  EXPECT_FALSE(names.find("shortName", 9));
  EXPECT_FALSE(names.find("units", 8));
  EXPECT_FALSE(names.find("shortName", 7));
  EXPECT_FALSE(ParameterNames(folder_ / "none", 2, "").find("shortName", 8));
  write("grib1/paramId.def", "'8' = {\n\t discip");
  EXPECT_FALSE(ParameterNames(folder_ / "", 1, "").find("shortName", 8));
}

}  // namespace
}  // namespace weft::io::grib
