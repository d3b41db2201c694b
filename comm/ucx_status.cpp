#include "comm/ucx_status.hpp"

namespace weft::comm {

bool ucx_good(ucs_status_t status, const char* call, std::string& why) {
  if (status == UCS_OK) return true;
  why = std::string(call) + ": " + ucs_status_string(status);
  return false;
}

}  // namespace weft::comm
