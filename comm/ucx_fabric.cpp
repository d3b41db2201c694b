// Opens UCX and hands what arrives to its lane.

#include "comm/ucx_fabric.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "comm/secret.hpp"
#include "comm/ucx_lane.hpp"
#include "comm/ucx_status.hpp"

namespace weft::comm {

std::unique_ptr<UcxFabric> UcxFabric::open(const std::string& interface, std::string& why) {
  std::unique_ptr<UcxFabric> fabric(new UcxFabric);
  if (!fabric->start(interface, why)) return nullptr;
  return fabric;
}

bool UcxFabric::start(const std::string& interface, std::string& why) {
  ucp_config_t* config = nullptr;
  if (!ucx_good(ucp_config_read(nullptr, nullptr, &config), "ucp_config_read", why)) return false;
  // What the site or the user has set stays.
  const auto initial = [&](const char* name, const std::string& value) {
    if (std::getenv((std::string("UCX_") + name).c_str()) == nullptr) ucp_config_modify(config, name, value.c_str());
  };
  if (!fast_network_present()) {
    // UCX's own sockets listen where the job does; the devices of a fabric have other names.
    if (!interface.empty()) initial("NET_DEVICES", interface);
    // Over TCP, UCX 1.13 aborts when a peer is killed while it sends without a copy (it completes the request twice).
    // Found and kept away by the kill tests.
    initial("ZCOPY_THRESH", "inf");
  }
  ucp_params_t params{};
  params.field_mask = UCP_PARAM_FIELD_FEATURES | UCP_PARAM_FIELD_NAME;
  params.features = UCP_FEATURE_AM | UCP_FEATURE_WAKEUP;
  params.name = "weft";
  const bool initialised = ucx_good(ucp_init(&params, config, &context_), "ucp_init", why);
  ucp_config_release(config);
  if (!initialised) return false;
  ucp_context_attr_t attributes{};
  attributes.field_mask = UCP_ATTR_FIELD_MEMORY_TYPES;
  if (ucp_context_query(context_, &attributes) == UCS_OK) memory_types_ = attributes.memory_types;

  ucp_worker_params_t worker{};
  worker.field_mask = UCP_WORKER_PARAM_FIELD_THREAD_MODE;
  worker.thread_mode = UCS_THREAD_MODE_SERIALIZED;
  if (!ucx_good(ucp_worker_create(context_, &worker, &worker_), "ucp_worker_create", why)) return false;
  // Before anybody learns the address: a message without its handler would end the process.
  const std::pair<unsigned, ucp_am_recv_callback_t> handlers[] = {{kUcxBatch, &UcxFabric::batch_came},
                                                                  {kUcxBlock, &UcxFabric::block_came}};
  for (const auto& [id, callback] : handlers) {
    ucp_am_handler_param_t handler{};
    handler.field_mask = UCP_AM_HANDLER_PARAM_FIELD_ID | UCP_AM_HANDLER_PARAM_FIELD_CB |
                         UCP_AM_HANDLER_PARAM_FIELD_ARG | UCP_AM_HANDLER_PARAM_FIELD_FLAGS;
    handler.id = id;
    handler.flags = UCP_AM_FLAG_WHOLE_MSG;
    handler.cb = callback;
    handler.arg = this;
    if (!ucx_good(ucp_worker_set_am_recv_handler(worker_, &handler), "ucp_worker_set_am_recv_handler", why))
      return false;
  }
  if (!ucx_good(ucp_worker_get_efd(worker_, &event_fd_), "ucp_worker_get_efd", why)) return false;
  ucp_address_t* address = nullptr;
  size_t length = 0;
  if (!ucx_good(ucp_worker_get_address(worker_, &address, &length), "ucp_worker_get_address", why)) return false;
  address_.assign(reinterpret_cast<const char*>(address), length);
  ucp_worker_release_address(worker_, address);
  const char* tls = std::getenv("UCX_TLS");
  description_ = std::string("ucx ") + ucp_get_version_string() + (tls != nullptr ? std::string(" ") + tls : "");
  return true;
}

UcxFabric::~UcxFabric() {
  // UCX 1.13 aborts in ucp_worker_destroy when a connection over TCP is still being set up (ucp_request.c,
  // "wireup.type"): seen once in 50 runs of the tests beside others. Its memory goes with the process, which is about
  // to end.
  if (!destroy_) return;
  if (worker_ != nullptr) ucp_worker_destroy(worker_);
  if (context_ != nullptr) ucp_cleanup(context_);
}

std::uint64_t UcxFabric::enter(UcxLane* lane) {
  std::uint64_t token = 0;
  while (token == 0 || lanes_.count(token) != 0) fill_random(std::as_writable_bytes(std::span(&token, 1)));
  lanes_[token] = lane;
  return token;
}

std::unique_ptr<FabricLane> UcxFabric::make_lane(LaneUser& user) { return std::make_unique<UcxLane>(*this, user); }

UcxLane* UcxFabric::lane_of(const void* header, size_t header_length, UcxHead& head) const {
  if (header_length != sizeof head) return nullptr;
  std::memcpy(&head, header, sizeof head);
  const auto found = lanes_.find(head.token);
  return found == lanes_.end() ? nullptr : found->second;
}

ucs_status_t UcxFabric::batch_came(void* self, const void* header, size_t header_length, void* data, size_t length,
                                   const ucp_am_recv_param_t* param) {
  UcxHead head;
  UcxLane* lane = static_cast<UcxFabric*>(self)->lane_of(header, header_length, head);
  if (lane == nullptr || (param->recv_attr & UCP_AM_RECV_ATTR_FLAG_RNDV) != 0) return UCS_OK;
  lane->batch_came(head.number, {static_cast<const std::byte*>(data), length});
  return UCS_OK;
}

ucs_status_t UcxFabric::block_came(void* self, const void* header, size_t header_length, void* data, size_t length,
                                   const ucp_am_recv_param_t* param) {
  UcxHead head;
  UcxLane* lane = static_cast<UcxFabric*>(self)->lane_of(header, header_length, head);
  if (lane == nullptr) return UCS_OK;
  return lane->block_came(head.number, data, length, (param->recv_attr & UCP_AM_RECV_ATTR_FLAG_RNDV) != 0);
}

std::string why_no_fabric(const char* ucx_tls) {
  const std::string_view text = ucx_tls != nullptr ? ucx_tls : "";
  if (text.empty()) return "";
  // "^x" leaves x out; a list names all that may be used.
  bool remote = text.front() == '^';
  for (std::size_t at = 0; !remote && at < text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string_view one = text.substr(at, end - at);
    const bool local = one == "self" || one == "sm" || one == "shm" || one == "mm" || one == "posix" || one == "sysv" ||
                       one == "xpmem" || one == "cma" || one == "knem" || one == "tcp";
    remote = !local && !one.empty();
    at = end + 1;
  }
  return remote ? "" : "UCX_TLS=" + std::string(text) + " leaves it out";
}

std::unique_ptr<Fabric> open_fabric(const std::string& interface, std::string& why) {
  return UcxFabric::open(interface, why);
}

}  // namespace weft::comm
