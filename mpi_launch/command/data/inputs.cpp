#include "mpi_launch/command/data/inputs.hpp"

#include <weft/error.hpp>
#include <weft/labelled.hpp>

#include <fstream>
#include <iostream>
#include <set>

namespace weft::command::data {
namespace {

void add_lines(std::istream& lines, std::vector<std::string>& out) {
  for (std::string line; std::getline(lines, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (!line.empty()) out.push_back(line);
  }
}

}  // namespace

std::vector<std::string> input_files(const std::vector<std::string>& words) {
  std::vector<std::string> names, out;
  std::set<std::string> seen;
  for (const std::string& word : words) {
    if (word == "-") {
      add_lines(std::cin, names);
    } else if (word.size() > 1 && word[0] == '@') {
      std::ifstream list(word.substr(1));
      if (!list) throw Error("'" + word.substr(1) + "': there is no such list of files");
      add_lines(list, names);
    } else {
      names.push_back(word);
    }
  }
  for (const std::string& name : names) {
    for (const std::string& path : files_of(name)) {
      if (seen.insert(path).second) out.push_back(path);
    }
  }
  if (out.empty()) throw Error("no file was named");
  return out;
}

}  // namespace weft::command::data
