#pragma once

#include <ucs/type/status.h>

#include <string>

namespace weft::comm {

/// Returns whether a call of UCX went well; `why` names it otherwise.
bool ucx_good(ucs_status_t status, const char* call, std::string& why);

}  // namespace weft::comm
