#include "gpu/memory/store.hpp"

#include "core/diagnostics/device_books.hpp"
#include "core/memory/limits.hpp"
#include "core/runtime/machine.hpp"

#include <weft/client.hpp>
#include <weft/this_task.hpp>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

namespace weft::gpu {
namespace detail {
namespace {

std::atomic<FailureListener> failure_listener{nullptr};

/// The devices' part of the ledger.
std::vector<DeviceRow> books() {
  std::vector<DeviceRow> rows;
  for (const auto& store : stores()) {
    const DeviceReport told = store->report();
    DeviceRow& row = rows.emplace_back();
    row.name = store->text();
    row.works = told.works;
    row.launch_seconds = told.launch_seconds;
    row.upload_seconds = told.upload_seconds;
    row.kernel_seconds = told.kernel_seconds;
    row.download_seconds = told.download_seconds;
    row.evict_seconds = told.evict_seconds;
    row.uploaded_bytes = told.uploaded_bytes;
    row.downloaded_bytes = told.downloaded_bytes;
    row.evicted_bytes = told.evicted_bytes;
    if (told.graphs == 0) continue;
    // Of those above, what went as CUDA graphs.
    DeviceRow& graphs = rows.emplace_back();
    graphs.name = store->text() + " in graphs";
    graphs.works = told.graph_works;
    graphs.launch_seconds = told.graph_launch_seconds;
    graphs.kernel_seconds = told.graph_seconds;
  }
  return rows;
}

/// What this process found, opened at the first question.
/// Owns: the stores.  Threading: opened under a lock; replaced by tests while nothing runs.
struct Devices {
  std::mutex mutex;
  bool opened = false;
  std::vector<std::shared_ptr<Store>> stores;
  std::vector<DeviceFacts> facts;
  std::string why;
  /// Stores that tests replaced while values of theirs were alive.
  std::vector<std::shared_ptr<Store>> former;

  void open(std::vector<std::unique_ptr<Driver>> drivers, const std::vector<std::size_t>& budgets) {
    opened = true;
    facts.clear();
    std::erase_if(former, [](const auto& store) { return store.use_count() == 1; });
    for (auto& store : stores)
      if (store.use_count() > 1) former.push_back(store);
    stores.clear();
    for (std::size_t i = 0; i < drivers.size(); ++i) {
      facts.push_back(drivers[i]->facts());
      // The system, libraries and other processes need some of it.
      const std::size_t budget = i < budgets.size() ? budgets[i] : facts.back().memory_bytes / 10 * 9;
      stores.push_back(std::make_shared<Store>(std::move(drivers[i]), budget, static_cast<unsigned>(i)));
    }
    set_device_books(&books);
  }
  static Devices& get() {
    // Never destroyed: the driver may be gone when static objects are.
    static auto& devices = *new Devices;
    const std::lock_guard lock(devices.mutex);
    if (!devices.opened) {
      auto drivers = open_cuda_devices(devices.why);
      devices.open(std::move(drivers), {});
    }
    return devices;
  }
};

}  // namespace

const std::vector<std::shared_ptr<Store>>& stores() { return Devices::get().stores; }
std::string why_no_store() { return Devices::get().why; }

HostLimits host_limits() {
  constexpr std::size_t kShare = 2;  // the other half is for what the host computes
  if (!this_task::running()) return {memory_limits().bytes / kShare, choose_spill_directory({})};
  const Settings& settings = this_task::client().settings();
  HostLimits limits;
  limits.bytes = machine::memory_budget(settings) / kShare;
  if (settings.spill) limits.directory = choose_spill_directory(settings.spill_dir);
  return limits;
}

Waiter this_waiter() {
  if (!this_task::running()) return {};
  return {true, this_task::client().serial()};
}

}  // namespace detail

const std::vector<DeviceFacts>& devices() { return detail::Devices::get().facts; }
std::string why_no_device() { return devices().empty() ? detail::why_no_store() : ""; }

bool usable() {
  const auto& all = detail::stores();
  return std::any_of(all.begin(), all.end(), [](const auto& store) { return store->driver().failure().empty(); });
}

void set_failure_listener(FailureListener listener) noexcept { detail::failure_listener.store(listener); }
void tell_failure(const std::string& why) {
  if (const FailureListener listener = detail::failure_listener.load()) listener(why);
}

void set_devices(std::vector<std::unique_ptr<Driver>> drivers, std::vector<std::size_t> budgets) {
  detail::Devices& devices = detail::Devices::get();
  const std::lock_guard lock(devices.mutex);
  devices.why = "there is no device in this test";
  devices.open(std::move(drivers), budgets);
}

namespace {

detail::Store& store_of(unsigned device) {
  const auto& all = detail::stores();
  if (device < all.size()) return *all[device];
  throw DeviceError("there is no device " + std::to_string(device) + ": " +
                    (all.empty() ? why_no_device() : "this process has " + std::to_string(all.size())));
}

}  // namespace

DeviceReport report(unsigned device) { return store_of(device).report(); }
void set_budget(unsigned device, std::size_t bytes) { store_of(device).set_budget(bytes); }
void set_host_budget(unsigned device, std::size_t bytes) {
  detail::HostLimits limits = detail::host_limits();
  limits.bytes = bytes;
  store_of(device).set_host_limits(std::move(limits));
}

}  // namespace weft::gpu
