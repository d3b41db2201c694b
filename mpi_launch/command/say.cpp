#include "mpi_launch/command/say.hpp"

#include <weft/error.hpp>

#include "core/diagnostics/write_file.hpp"
#include "mpi_launch/start/ranks.hpp"

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>

namespace weft::command {

std::string json_text(const std::string& text) { return '"' + weft::json_text(text) + '"'; }

std::string number_words(double value, bool single) {
  char text[48];
  const auto end = single ? std::to_chars(text, text + sizeof text, static_cast<float>(value)).ptr
                          : std::to_chars(text, text + sizeof text, value).ptr;
  return {text, end};
}

std::string json_number(double value) { return std::isfinite(value) ? number_words(value) : "null"; }

void print(const std::string& text) {
  const bool whole = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!whole || std::fflush(stdout) != 0)
    throw Error(std::string("writing the result failed: ") + std::strerror(errno));
}

int complain(const std::string& sentence, int code) {
  if (launch::read_ranks().rank == 0) {
    std::fprintf(stderr, "%s\n", sentence.c_str());
  } else {
    launch::let_rank_0_speak();
  }
  return code;
}

std::string json_object(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string out = "{";
  for (const auto& [name, value] : members) out += (out.size() > 1 ? "," : "") + json_text(name) + ":" + value;
  return out + "}";
}

}  // namespace weft::command
