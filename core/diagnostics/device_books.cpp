#include "core/diagnostics/device_books.hpp"

#include <algorithm>
#include <atomic>

namespace weft {
namespace {

std::atomic<DeviceBooks> kept_books{nullptr};

void subtract(DeviceRow& row, const DeviceRow& before) {
  row.works -= before.works;
  row.launch_seconds -= before.launch_seconds;
  row.upload_seconds -= before.upload_seconds;
  row.kernel_seconds -= before.kernel_seconds;
  row.download_seconds -= before.download_seconds;
  row.evict_seconds -= before.evict_seconds;
  row.uploaded_bytes -= before.uploaded_bytes;
  row.downloaded_bytes -= before.downloaded_bytes;
  row.evicted_bytes -= before.evicted_bytes;
}

}  // namespace

void set_device_books(DeviceBooks books) noexcept { kept_books.store(books); }

std::vector<DeviceRow> device_rows() {
  const DeviceBooks books = kept_books.load();
  return books == nullptr ? std::vector<DeviceRow>{} : books();
}

std::vector<DeviceRow> since(std::vector<DeviceRow> rows, const std::vector<DeviceRow>& before) {
  for (DeviceRow& row : rows) {
    const auto same =
        std::find_if(before.begin(), before.end(), [&](const DeviceRow& one) { return one.name == row.name; });
    // Fewer works than before: tests have put another device in its place.
    if (same != before.end() && same->works <= row.works) subtract(row, *same);
  }
  std::erase_if(
      rows, [](const DeviceRow& row) { return row.works == 0 && row.downloaded_bytes == 0 && row.evicted_bytes == 0; });
  return rows;
}

}  // namespace weft
