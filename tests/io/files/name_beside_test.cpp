#include "io/files/name_beside.hpp"

#include <gtest/gtest.h>

#include <set>

namespace weft::io {
namespace {

TEST(NameBesideTest, LiesBesideAndIsNeverTheSame) {
  std::set<std::string> names;
  for (int i = 0; i < 100; ++i) names.insert(name_beside("/data/out.nc"));
  EXPECT_EQ(names.size(), 100u);
  for (const std::string& name : names) EXPECT_EQ(name.rfind("/data/out.nc.part-", 0), 0u) << name;
}

}  // namespace
}  // namespace weft::io
