#include "mpi_launch/supervise/output.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace weft::launch {

namespace {
constexpr std::size_t kTailBytes = 2048;
}

void OutputLines::add(std::string& out, std::string_view line, std::string_view prefix) {
  tail_.append(line).append("\n");
  if (tail_.size() > 2 * kTailBytes) tail_.erase(0, tail_.size() - kTailBytes);
  if (allowance_ < 1) {
    ++held_back_;
    ++unsaid_;
    return;
  }
  allowance_ -= 1;
  if (unsaid_ > 0) {
    out.append(prefix).append("(").append(std::to_string(unsaid_)).append(" lines held back)\n");
    unsaid_ = 0;
  }
  out.append(prefix).append(line).append("\n");
}

std::string OutputLines::take(std::string_view bytes, std::string_view prefix, double now_s) {
  if (last_s_ > 0) allowance_ = std::min(2 * rate_, allowance_ + (now_s - last_s_) * rate_);
  last_s_ = now_s;
  std::string out;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    rest_.append(bytes.substr(0, end));
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    if (end == std::string_view::npos && rest_.size() < kLongestLine) break;
    add(out, rest_, prefix);
    rest_.clear();
  }
  return out;
}

std::string OutputLines::finish(std::string_view prefix) {
  std::string out;
  if (!rest_.empty()) add(out, rest_, prefix);
  rest_.clear();
  if (unsaid_ > 0) {
    out.append(prefix).append("(").append(std::to_string(unsaid_)).append(" lines held back)\n");
    unsaid_ = 0;
  }
  return out;
}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void OutputFile::open(const std::string& folder, const std::string& name, bool named) {
  path_ = folder + "/" + name;
  named_ = named;
  if (!named_) {
    descriptor_ = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (descriptor_ >= 0) return;
    // A file system without nameless files: nothing is kept rather than something left behind.
    return;
  }
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
}

void OutputFile::write(std::string_view bytes) {
  while (descriptor_ >= 0 && !bytes.empty()) {
    const ssize_t wrote = ::write(descriptor_, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) {  // a full disk: the job does not stop for it
      ::close(descriptor_);
      descriptor_ = -1;
      return;
    }
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
}

std::string OutputFile::keep() {
  if (descriptor_ < 0) return "";
  if (!named_) {
    const std::string self = "/proc/self/fd/" + std::to_string(descriptor_);
    if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, path_.c_str(), AT_SYMLINK_FOLLOW) != 0) return "";
    named_ = true;
  }
  return path_;
}

}  // namespace weft::launch
