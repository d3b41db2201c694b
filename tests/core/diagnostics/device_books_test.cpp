#include "core/diagnostics/device_books.hpp"

#include "core/diagnostics/ledger.hpp"

#include <gtest/gtest.h>

namespace weft {
namespace {

DeviceRow row(const std::string& name, std::uint64_t works, double kernel_seconds) {
  DeviceRow made;
  made.name = name;
  made.works = works;
  made.kernel_seconds = kernel_seconds;
  return made;
}

/// What the pretended devices of this test have done, while it lives.
class Books {
 public:
  Books() {
    rows.clear();
    set_device_books([] { return rows; });
  }
  ~Books() { set_device_books(nullptr); }
  static inline std::vector<DeviceRow> rows;
};

TEST(DeviceBooksTest, OnlyWhatWasDoneBetweenTwoLooksCounts) {
  const auto rows = since({row("a", 5, 2.0), row("b", 3, 1.0), row("c", 4, 0.5)}, {row("a", 3, 1.5), row("b", 3, 1.0)});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].name, "a");
  EXPECT_EQ(rows[0].works, 2u);
  EXPECT_DOUBLE_EQ(rows[0].kernel_seconds, 0.5);
  EXPECT_EQ(rows[1].name, "c");
  EXPECT_EQ(rows[1].works, 4u);
}

TEST(DeviceBooksTest, ALedgerCoversWhatDevicesDidSinceItsPeriodBegan) {
  Books books;
  Ledger ledger(1);
  EXPECT_TRUE(ledger.report().devices.empty());
  Books::rows = {row("device 0 (pretended)", 2, 0.25)};
  ASSERT_EQ(ledger.report().devices.size(), 1u);
  EXPECT_EQ(ledger.report().devices[0].works, 2u);
  ledger.restart();
  EXPECT_TRUE(ledger.report().devices.empty());
  Books::rows = {row("device 0 (pretended)", 3, 0.5)};
  ASSERT_EQ(ledger.report().devices.size(), 1u);
  EXPECT_EQ(ledger.report().devices[0].works, 1u);
  EXPECT_DOUBLE_EQ(ledger.report().devices[0].kernel_seconds, 0.25);
}

}  // namespace
}  // namespace weft
