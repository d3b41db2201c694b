#include "mpi_launch/command/farm/pattern.hpp"

#include "mpi_launch/command/data/verbs.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace weft::command::farm {
namespace {

std::string last_part(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string without_extension(const std::string& path) {
  const std::size_t dot = path.rfind('.');
  const bool is_last_part = dot != std::string::npos && path.find('/', dot) == std::string::npos;
  return is_last_part && dot + 1 < path.size() ? path.substr(0, dot) : path;
}

using Stand = std::string (*)(const std::string& item, std::uint64_t number);
constexpr std::array<std::pair<std::string_view, Stand>, 6> kPlaces{{
    {"{}", [](const std::string& item, std::uint64_t) { return item; }},
    {"{.}", [](const std::string& item, std::uint64_t) { return without_extension(item); }},
    {"{/}", [](const std::string& item, std::uint64_t) { return last_part(item); }},
    {"{//}", [](const std::string& item, std::uint64_t) { return folder_of(item); }},
    {"{/.}", [](const std::string& item, std::uint64_t) { return without_extension(last_part(item)); }},
    {"{#}", [](const std::string&, std::uint64_t number) { return std::to_string(number); }},
}};

/// The place that begins there; null where none does.
const std::pair<std::string_view, Stand>* place_at(std::string_view text) {
  for (const auto& place : kPlaces) {
    if (text.substr(0, place.first.size()) == place.first) return &place;
  }
  return nullptr;
}

}  // namespace

CommandPattern::CommandPattern(std::string text) : text_(std::move(text)) {
  for (std::size_t at = text_.find('{'); at != std::string::npos; at = text_.find('{', at + 1)) {
    if (place_at(std::string_view(text_).substr(at)) != nullptr) return;
  }
  text_ += " {}";
}

std::string CommandPattern::command(const std::string& item, std::uint64_t number) const {
  std::string out;
  for (std::size_t at = 0; at < text_.size();) {
    const auto* const place = place_at(std::string_view(text_).substr(at));
    if (place == nullptr) {
      out += text_[at++];
    } else {
      out += data::shell_word(place->second(item, number));
      at += place->first.size();
    }
  }
  return out;
}

}  // namespace weft::command::farm
