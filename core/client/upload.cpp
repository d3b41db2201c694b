#include <weft/upload.hpp>

#include "core/client/open_plugin.hpp"

#include <weft/client.hpp>
#include <weft/error.hpp>

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <utility>

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMostBytes = std::uintmax_t{256} << 20;
constexpr std::string_view kFolder = "weft-files-";

/// The copies of this process. Several workers may live in one: the last to go removes them.
/// Never destroyed: workers may end with the process.
struct Copies {
  struct Copy {
    std::string path;
    int holders = 0;
  };
  std::mutex mutex;
  // Guarded by mutex.
  std::string folder;
  std::map<std::string, Copy> all;
};
Copies& copies() {
  static Copies* const instance = new Copies;
  return *instance;
}

std::string problem(const std::string& what, const std::string& path) {
  return "upload_file: " + what + " " + path + ": " + std::strerror(errno);
}

/// Removes what processes of this node left that did not end by themselves.
void remove_abandoned(const fs::path& parent) {
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(parent, ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kFolder)) continue;
    const long process = std::strtol(name.c_str() + kFolder.size(), nullptr, 10);
    if (process > 0 && ::kill(static_cast<pid_t>(process), 0) != 0 && errno == ESRCH) {
      fs::remove_all(entry.path(), ignored);
    }
  }
}

std::string make_folder() {
  const fs::path parent = fs::temp_directory_path();
  remove_abandoned(parent);
  std::string pattern = (parent / (std::string(kFolder) + std::to_string(::getpid()) + "-XXXXXX")).string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    throw Error(problem("no folder for it can be made in", parent.string()) +
                "; set TMPDIR to one that can be written");
  }
  return pattern;
}

/// Writes the file beside its place and moves it there: whoever reads sees the old one or the new one.
void write_copy(const std::string& path, std::string_view content) {
  const std::string beside = path + ".part";
  std::FILE* const file = std::fopen(beside.c_str(), "wb");
  const bool written = file != nullptr && std::fwrite(content.data(), 1, content.size(), file) == content.size();
  const bool closed = file != nullptr && std::fclose(file) == 0;
  if (!written || !closed || std::rename(beside.c_str(), path.c_str()) != 0) {
    const std::string why = problem("the copy cannot be written to", path) + "; set TMPDIR to a folder with room";
    ::unlink(beside.c_str());
    throw Error(why);
  }
}

/// As long as the reader's bytes are there.
std::string_view read_text(Reader& reader) {
  const std::size_t size = reader.elements(1, "uploaded file");
  return {reinterpret_cast<const char*>(reader.view(size, "uploaded file")), size};
}

void write_text(Writer& writer, std::string_view text) {
  writer.count(text.size());
  writer.bytes(text.data(), text.size());
}

void take_file(Reader& reader) {
  const std::string name(read_text(reader));
  const std::string_view content = read_text(reader);
  Copies& here = copies();
  const std::lock_guard lock(here.mutex);
  if (here.folder.empty()) here.folder = make_folder();
  const std::string path = here.folder + '/' + name;
  write_copy(path, content);
  Copies::Copy& copy = here.all[name];
  copy.path = path;
  ++copy.holders;
}

void remove_file(Reader& reader) {
  const std::string name(read_text(reader));
  Copies& here = copies();
  const std::lock_guard lock(here.mutex);
  const auto found = here.all.find(name);
  if (found == here.all.end() || --found->second.holders != 0) return;
  ::unlink(found->second.path.c_str());
  here.all.erase(found);
  if (here.all.empty() && ::rmdir(here.folder.c_str()) == 0) here.folder.clear();
}

std::string content_of(const std::string& path) {
  std::error_code wrong;
  const std::uintmax_t size = fs::file_size(path, wrong);
  if (wrong) throw Error("upload_file: " + path + " cannot be read: " + wrong.message());
  if (size > kMostBytes) {
    throw Error("upload_file: " + path + " has " + std::to_string(size >> 20) +
                " MiB, more than the 256 that every worker is sent: put it where all workers can read it");
  }
  std::ifstream file(path, std::ios::binary);
  std::string content(static_cast<std::size_t>(size), '\0');
  if (!file.read(content.data(), static_cast<std::streamsize>(size))) throw Error(problem("cannot read", path));
  return content;
}

/// The keys of what was uploaded by a client under each name. Never destroyed.
struct Uploads {
  std::mutex mutex;
  std::map<std::pair<std::uint32_t, std::string>, std::string> keys;
};

}  // namespace

std::string upload_file(const Client& client, const std::string& path, std::string name,
                        const std::source_location& where) {
  if (name.empty()) name = fs::path(path).filename().string();
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos) {
    throw Error("upload_file: \"" + name + "\" is no name for a file: give one without folders");
  }
  Writer named;
  write_text(named, name);
  Writer given;
  write_text(given, name);
  write_text(given, content_of(path));
  Writer calls;
  write_plugin_call(calls, &take_file, given);
  write_plugin_call(calls, &remove_file, named);
  const std::string key = open_plugin(client, "the file " + name,
                                      std::string(reinterpret_cast<const char*>(calls.data()), calls.size()), where);
  static Uploads* const uploads = new Uploads;
  const std::lock_guard lock(uploads->mutex);
  std::string& known = uploads->keys[{client.serial(), name}];
  // Who comes later is to get this one alone.
  if (!known.empty()) forget_plugin(client.serial(), known);
  known = key;
  return name;
}

std::string uploaded_file(const std::string& name) {
  Copies& here = copies();
  const std::lock_guard lock(here.mutex);
  const auto found = here.all.find(name);
  if (found != here.all.end()) return found->second.path;
  std::string there;
  for (const auto& [known, copy] : here.all) there += (there.empty() ? " has " : ", ") + known;
  throw Error("no file \"" + name + "\" has been uploaded: this worker" + (there.empty() ? " has none" : there));
}

}  // namespace weft
