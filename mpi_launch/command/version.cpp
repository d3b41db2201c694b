#include "mpi_launch/command/version.hpp"

#include <weft/version.hpp>

#include "comm/tls.hpp"
#include "mpi_launch/command/build_info.hpp"
#include "mpi_launch/layout/node.hpp"
#include "mpi_launch/start/exchange.hpp"

namespace weft::command {

namespace {

void add_line(std::string& text, std::string_view name, std::string_view what) {
  text += "  ";
  text += name;
  text.append(name.size() < 12 ? 12 - name.size() : 1, ' ');
  text += what;
  text += '\n';
}

}  // namespace

std::string version_text() {
  using namespace build_info;
  std::string text = "weft " WEFT_VERSION_STRING "\n";
  add_line(text, "compiler", std::string(kCompiler) + ", " + std::string(kBuildType));
  add_line(text, "schedulers",
           launch::mpi_version_text().empty() ? "sync, threads, mpi (ranks meet by a file)" : "sync, threads, mpi");
  add_line(text, "rooms", "core, comm, gpu, io, arrays, mpi_launch");
  add_line(text, "fmt", kFmt);
  add_line(text, "CLI11", kCli11);
  if (const std::string mpi = launch::mpi_version_text(); !mpi.empty()) add_line(text, "MPI", mpi);
  if (const std::string hwloc = launch::hwloc_version_text(); !hwloc.empty()) add_line(text, "hwloc", hwloc);
  if (const std::string tls = comm::tls_version_text(); !tls.empty()) add_line(text, "TLS", tls);
  if (!kSanitizers.empty()) add_line(text, "sanitizers", kSanitizers);
  if (kInvariants) add_line(text, "invariants", "checked after each event");
  if (kNative) add_line(text, "native", "compiled for the building machine's instruction set");
  text.pop_back();
  return text;
}

}  // namespace weft::command
