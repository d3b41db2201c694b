#pragma once

#include <string>

namespace weft::launch {

/// Returns the numeric address of a network interface of this host ("eth0"), of a name or an address of it, or, for an
/// empty text, of the interface that leads out (else the first that is up, else loopback). Throws ConfigError naming
/// the interfaces there are.
std::string address_of_interface(const std::string& wanted);

}  // namespace weft::launch
