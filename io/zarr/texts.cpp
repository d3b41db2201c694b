#include "io/zarr/texts.hpp"

#include <weft/remote.hpp>

#include "io/files/open_file.hpp"
#include "io/remote/objects.hpp"

#include <sys/stat.h>

namespace weft::io::zarr {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 28;

}  // namespace

bool is_there(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

void Texts::ask(const std::vector<std::string>& paths) {
  std::vector<remote::Part> parts;
  for (const std::string& path : paths) parts.push_back({path, 0, remote::kAllBytes, true});
  remote::read_parts(parts, kMostBytes, [&](std::size_t i, std::optional<std::span<std::byte>> text, std::uint64_t) {
    std::optional<std::string>& place = came_[paths[i]];
    if (text) place.emplace(reinterpret_cast<const char*>(text->data()), text->size());
  });
}

void Texts::fetch(const std::vector<std::string>& folders, const std::vector<std::string>& names) {
  std::vector<std::string> paths;
  for (const std::string& folder : folders) {
    if (!is_remote(folder)) return;
    for (const std::string& name : names) {
      if (came_.count(path_below(folder, name)) == 0) paths.push_back(path_below(folder, name));
    }
  }
  ask(paths);
}

bool Texts::has(const std::string& path) { return is_remote(path) ? come(path).has_value() : is_there(path); }

Json Texts::json(const std::string& path) {
  if (is_remote(path)) {
    const std::optional<std::string>& text = come(path);
    if (!text) fail(path, "there is no such file");
    return Json::parse(*text, path);
  }
  const OpenFile file(path);
  if (file.size() > kMostBytes) file.fail("is too long for a description");
  std::string text(file.size(), ' ');
  file.read(0, text.data(), text.size());
  return Json::parse(text, path);
}

const std::optional<std::string>& Texts::come(const std::string& path) {
  if (came_.count(path) == 0) ask({path});
  return came_[path];
}

}  // namespace weft::io::zarr
