#include "mpi_launch/start/interface.hpp"

#include <weft/error.hpp>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <vector>

namespace weft::launch {

namespace {

struct Interface {
  std::string name;
  std::string address;
  bool loopback = false;
};

/// Returns what is up, IPv4 before IPv6; link-local addresses need a scope that others do not know, so they are left
/// out.
std::vector<Interface> interfaces() {
  ifaddrs* list = nullptr;
  std::vector<Interface> found;
  if (::getifaddrs(&list) != 0) return found;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owned(list, &::freeifaddrs);
  for (const int family : {AF_INET, AF_INET6}) {
    for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
      if (at->ifa_addr == nullptr || at->ifa_addr->sa_family != family || (at->ifa_flags & IFF_UP) == 0) continue;
      char text[INET6_ADDRSTRLEN] = "";
      if (family == AF_INET) {
        ::inet_ntop(family, &reinterpret_cast<const sockaddr_in*>(at->ifa_addr)->sin_addr, text, sizeof text);
      } else {
        const in6_addr& address = reinterpret_cast<const sockaddr_in6*>(at->ifa_addr)->sin6_addr;
        if (IN6_IS_ADDR_LINKLOCAL(&address)) continue;
        ::inet_ntop(family, &address, text, sizeof text);
      }
      found.push_back({at->ifa_name, text, (at->ifa_flags & IFF_LOOPBACK) != 0});
    }
  }
  return found;
}

/// Returns the interface of the default route (IPv4), or "".
std::string leading_out() {
  std::ifstream routes("/proc/net/route");
  for (std::string line; std::getline(routes, line);) {
    std::istringstream words(line);
    std::string name;
    std::string destination;
    words >> name >> destination;
    if (destination == "00000000") return name;
  }
  return "";
}

}  // namespace

std::string address_of_interface(const std::string& wanted) {
  const std::vector<Interface> all = interfaces();
  const std::string name = wanted.empty() ? leading_out() : wanted;
  for (const Interface& one : all) {
    if (one.name == name || one.address == name) return one.address;
  }
  if (wanted.empty()) {
    for (const Interface& one : all) {
      if (!one.loopback) return one.address;
    }
    return "127.0.0.1";
  }
  std::string known;
  for (const Interface& one : all) known += (known.empty() ? "" : ", ") + one.name + " (" + one.address + ")";
  throw ConfigError("--weft-interface=" + wanted + ": there is no such interface or address here; there are: " + known);
}

}  // namespace weft::launch
