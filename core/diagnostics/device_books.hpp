#pragma once

#include <weft/ledger.hpp>

#include <vector>

// How the books of devices come into the ledger: `gpu` keeps them, and core knows no devices.

namespace weft {

/// Returns a row for each device of the process, as counted since its start.
using DeviceBooks = std::vector<DeviceRow> (*)();
/// Called once devices were opened.
void set_device_books(DeviceBooks books) noexcept;

/// Returns the rows; none where no device was opened.
std::vector<DeviceRow> device_rows();
/// Returns what was done between two looks: without the devices that did nothing.
std::vector<DeviceRow> since(std::vector<DeviceRow> rows, const std::vector<DeviceRow>& before);

}  // namespace weft
