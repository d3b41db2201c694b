#include <weft/bag.hpp>
#include <weft/error.hpp>
#include <weft/journal.hpp>

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace weft::detail {
namespace {

[[noreturn]] void refuse_write(const std::string& path, int error) {
  throw Error("to_textfiles: " + path + ": " + std::strerror(error));
}

/// A file under a name of its own until it is complete. Owns: the file.
class NewFile {
 public:
  explicit NewFile(const std::string& path)
      : path_(path),
        work_path_(path + ".part-" + std::to_string(::getpid())),
        file_(std::fopen(work_path_.c_str(), "we")) {
    if (file_ == nullptr) refuse_write(path, errno);
  }
  ~NewFile() {
    if (file_ == nullptr) return;
    std::fclose(file_);
    std::remove(work_path_.c_str());
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void line(const std::string& text) {
    if (std::fwrite(text.data(), 1, text.size(), file_) != text.size() || std::fputc('\n', file_) == EOF) {
      refuse_write(path_, errno);
    }
  }
  void finish() {
    std::FILE* const file = std::exchange(file_, nullptr);
    const bool closed = std::fclose(file) == 0;
    if (!closed || std::rename(work_path_.c_str(), path_.c_str()) != 0) {
      const int error = errno;
      std::remove(work_path_.c_str());
      refuse_write(path_, error);
    }
  }

 private:
  const std::string& path_;
  const std::string work_path_;
  std::FILE* file_;
};

}  // namespace

std::string WriteLines::operator()(const std::vector<std::string>& lines, const std::string& path) const {
  this_task::has_effect();
  NewFile file(path);
  for (const std::string& line : lines) file.line(line);
  file.finish();
  return path;
}

std::vector<std::string> text_paths(const std::string& path, std::size_t partitions) {
  const std::string most = std::to_string(partitions == 0 ? 0 : partitions - 1);
  const std::size_t star = path.find('*');
  const std::string before = star == std::string::npos ? path + "/" : path.substr(0, star);
  const std::string after = star == std::string::npos ? ".part" : path.substr(star + 1);
  if (after.find('*') != std::string::npos) {
    throw Error("to_textfiles: \"" + path + "\" has more than one *: one stands for the partition's number");
  }
  std::vector<std::string> paths;
  paths.reserve(partitions);
  for (std::size_t i = 0; i < partitions; ++i) {
    std::string number = std::to_string(i);
    // With leading zeros, so that names in alphabetical order are partitions in order.
    if (star != std::string::npos) number.insert(0, most.size() - number.size(), '0');
    paths.push_back(before + number + after);
  }
  const std::filesystem::path folder = std::filesystem::path(before + "0" + after).parent_path();
  std::error_code error;
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (error) refuse_write(folder.string(), error.value());
  return paths;
}

}  // namespace weft::detail
