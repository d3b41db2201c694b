#include "arrays/expression/device_structure.hpp"

#include <map>

namespace weft::arrays::expression {
namespace {

/// Constant once main runs.
std::map<const StructureType*, DeviceStructure>& kernels_of_devices() {
  static std::map<const StructureType*, DeviceStructure> all;
  return all;
}

}  // namespace

bool add_device_structure(const StructureType& type, const DeviceStructure& kernel) {
  kernels_of_devices().emplace(&type, kernel);
  return true;
}

const DeviceStructure* device_structure(const StructureType& type) {
  const auto found = kernels_of_devices().find(&type);
  return found == kernels_of_devices().end() ? nullptr : &found->second;
}

}  // namespace weft::arrays::expression
