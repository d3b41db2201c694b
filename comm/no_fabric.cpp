// Built where UCX was not found.

#include "comm/fabric.hpp"

namespace weft::comm {

std::unique_ptr<Fabric> open_fabric(const std::string&, std::string& why) {
  why = "weft was built without UCX (libucx-dev)";
  return nullptr;
}

std::string why_no_fabric(const char*) { return "weft was built without UCX (libucx-dev)"; }

}  // namespace weft::comm
