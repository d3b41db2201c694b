#include "io/grib/parameter_names.hpp"

#include <fstream>
#include <iterator>
#include <sstream>

namespace weft::io::grib {
namespace {

/// Calls with the name and the conditions of each block: 'name' = { conditions }.
template <class Function>
void each_block(std::string_view text, const Function& function) {
  constexpr std::string_view kBetween = "' = {";
  for (std::size_t at = 0; (at = text.find(kBetween, at)) != std::string_view::npos;) {
    const std::size_t line = text.rfind('\n', at), begin = line == std::string_view::npos ? 0 : line + 1;
    const std::size_t inside = at + kBetween.size(), end = text.find('}', inside);
    if (end == std::string_view::npos) return;
    if (text[begin] == '\'') function(text.substr(begin + 1, at - begin - 1), text.substr(inside, end - inside));
    at = end;
  }
}

}  // namespace

ParameterNames::ParameterNames(const std::string& path, int edition, const std::string& centre) {
  std::istringstream roots(path);
  for (std::string root; std::getline(roots, root, ':');) {
    const std::string folder = root + "/grib" + std::to_string(edition) + "/";
    // The files of the message's centre, and those of all.
    if (!centre.empty()) folders_.push_back(folder + "localConcepts/" + centre + "/");
    folders_.push_back(folder);
  }
  for (const std::string_view text : texts_of("paramId")) {
    each_block(text, [&](std::string_view name, std::string_view block) { blocks_.emplace(name, block); });
  }
}

std::vector<std::string_view> ParameterNames::texts_of(const std::string& kind) {
  std::vector<std::string_view> out;
  for (const std::string& folder : folders_) {
    std::ifstream file(folder + kind + ".def", std::ios::binary);
    if (!file) continue;
    std::ostringstream all;
    all << file.rdbuf();
    out.push_back(texts_[folder + kind] = std::move(all).str());
  }
  return out;
}

const ParameterNames::Names& ParameterNames::names_of(const std::string& kind) {
  const auto [found, fresh] = names_.try_emplace(kind);
  if (!fresh) return found->second;
  Names& names = found->second;
  for (const std::string_view text : texts_of(kind)) {
    each_block(text, [&](std::string_view name, std::string_view block) {
      const auto [known, first] = names.try_emplace(block, name);
      if (!first && known->second != name) known->second = {};
    });
  }
  return names;
}

std::optional<std::string> ParameterNames::find(const std::string& kind, std::int64_t parameter) {
  const std::string number = std::to_string(parameter);
  const auto [begin, end] = blocks_.equal_range(number);
  std::optional<std::string> out;
  const Names& names = names_of(kind);
  for (auto block = begin; block != end; ++block) {
    const auto name = names.find(block->second);
    if (name == names.end() || name->second.empty() || (out && *out != name->second)) return {};
    out = std::string(name->second);
  }
  return out;
}

}  // namespace weft::io::grib
