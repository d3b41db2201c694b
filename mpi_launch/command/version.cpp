#include "mpi_launch/command/version.hpp"

#include <weft/version.hpp>

#include "mpi_launch/command/build_info.hpp"

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
  add_line(text, "schedulers", "sync, threads");
  add_line(text, "rooms", "core, mpi_launch");
  add_line(text, "fmt", kFmt);
  add_line(text, "CLI11", kCli11);
  if (!kSanitizers.empty()) add_line(text, "sanitizers", kSanitizers);
  if (kInvariants) add_line(text, "invariants", "checked after each event");
  if (kNative) add_line(text, "native", "compiled for the building machine's instruction set");
  text.pop_back();
  return text;
}

}  // namespace weft::command
