#pragma once

#include <algorithm>
#include <cstdint>

namespace weft::policies {

/// What has been measured so far of the two places; seconds, and bytes or steps a second.
struct DeviceRates {
  /// A step is one instruction on one element.
  double cpu_steps = 1e9;
  double device_steps = 1e11;
  double link_bytes = 1e10;
  /// From the launch of a kernel of nothing to the moment its task knows, and the same of a task's own overhead.
  double launch_s = 20e-6;
  double cpu_start_s = 1e-6;
};

/// What a pass needs in either place.
struct DevicePass {
  double steps = 0;
  /// Inputs that lie on the host alone, and those that lie on the device alone.
  double host_bytes = 0, device_bytes = 0;
  double out_bytes = 0;
  /// Who reads the result is not known: where inputs lie on the device, it is taken to be wanted there.
  bool out_stays = true;
};

/// The device now.
struct DeviceState {
  /// Expected time of the works that were begun and have not ended.
  double waiting_s = 0;
  double free_bytes = 0, budget_bytes = 0;
};

enum class DeviceChoice : std::uint8_t { Cpu, Device };

[[nodiscard]] inline double cpu_seconds(const DevicePass& pass, const DeviceRates& rates) {
  const double brings_back = pass.out_stays && pass.device_bytes > pass.host_bytes ? pass.out_bytes : 0;
  return rates.cpu_start_s + pass.steps / rates.cpu_steps + (pass.device_bytes + brings_back) / rates.link_bytes;
}

/// What the device is busy with for this pass; it waits for `DeviceState::waiting_s` first.
[[nodiscard]] inline double device_seconds(const DevicePass& pass, const DeviceRates& rates,
                                           const DeviceState& device) {
  // What does not fit makes room: as many bytes go to the host.
  const double needed = pass.host_bytes + pass.out_bytes;
  const double evicted = std::clamp(needed - device.free_bytes, 0.0, needed);
  const double takes_back = pass.out_stays ? 0 : pass.out_bytes;
  return rates.launch_s + pass.steps / rates.device_steps + (pass.host_bytes + evicted + takes_back) / rates.link_bytes;
}

/// Where the pass ends first. Equal times: the CPU, which is there in any case.
[[nodiscard]] inline DeviceChoice place_pass(const DevicePass& pass, const DeviceRates& rates,
                                             const DeviceState& device) {
  if (pass.host_bytes + pass.device_bytes + pass.out_bytes > device.budget_bytes) return DeviceChoice::Cpu;
  const double there = device.waiting_s + device_seconds(pass, rates, device);
  return there < cpu_seconds(pass, rates) ? DeviceChoice::Device : DeviceChoice::Cpu;
}

/// A rate that has been measured once more: a quarter of the new one, and never more than twice or less than half of
/// the old, so that one pass that was held up does not move what follows to the other place.
[[nodiscard]] inline double measured(double rate, double amount, double seconds) {
  if (!(amount > 0) || !(seconds > 0)) return rate;
  return 0.75 * rate + 0.25 * std::clamp(amount / seconds, rate / 2, rate * 2);
}

}  // namespace weft::policies
