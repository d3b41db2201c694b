#include "mpi_launch/command/data/inputs.hpp"

#include <weft/error.hpp>
#include <weft/labelled.hpp>

#include "mpi_launch/command/data/verbs.hpp"

#include <algorithm>
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

ChosenVariables::ChosenVariables(const std::string& verb, const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    const std::string plain = path.substr(std::min(path.find_first_not_of('/'), path.size()));
    const std::size_t slash = plain.rfind('/');
    const std::string in = slash == std::string::npos ? "" : plain.substr(0, slash);
    if (!names.empty() && in != group) {
      throw UsageError(verb + ": '" + paths[0] + "' and '" + path +
                       "' are in several groups of the file; one at a time");
    }
    group = in;
    names.push_back(slash == std::string::npos ? plain : plain.substr(slash + 1));
  }
}

const io::Variable* ChosenVariables::find(const io::StoredFile& file, const std::string& name) const {
  for (std::string in = group;; in.erase(in.find('/') == std::string::npos ? 0 : in.rfind('/'))) {
    const std::string path = in.empty() ? name : in + "/" + name;
    if (file.has(path)) return &file.variables()[file.find(path)];
    if (in.empty()) return nullptr;
  }
}

}  // namespace weft::command::data
