/// Writes ca.pem, cert.pem and key.pem, for tests of TLS with several processes: `write_credentials FOLDER FROM UNTIL`,
/// seconds from now.

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "comm/tls.hpp"

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const std::string folder = argv[1];
  const auto made = weft::comm::make_tls_credentials(std::atoll(argv[2]), std::atoll(argv[3]));
  ::umask(077);
  std::ofstream(folder + "/ca.pem") << made.authority;
  std::ofstream(folder + "/cert.pem") << made.certificate;
  std::ofstream(folder + "/key.pem") << made.key;
}
