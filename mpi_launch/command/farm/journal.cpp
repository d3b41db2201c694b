#include "mpi_launch/command/farm/journal.hpp"

#include "io/files/json.hpp"

#include <weft/error.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace weft::command::farm {
namespace {

std::string read_all(int file, const std::string& path) {
  std::string text;
  char part[65536];
  for (;;) {
    const ssize_t got = ::read(file, part, sizeof part);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error("the journal '" + path + "' cannot be read: " + std::strerror(errno));
    if (got == 0) return text;
    text.append(part, static_cast<std::size_t>(got));
  }
}

}  // namespace

Journal::Journal(const std::string& path, bool look_only) : path_(path) {
  file_ = ::open(path.c_str(), look_only ? O_RDONLY | O_CLOEXEC : O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file_ < 0 && look_only && errno == ENOENT) return;
  if (file_ < 0) throw Error("the journal '" + path + "' cannot be opened: " + std::strerror(errno));
  if (!look_only && ::flock(file_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    throw Error("the journal '" + path + "' is in use by another weft each: wait for it, or name another journal");
  }
  const std::string text = read_all(file_, path);
  std::size_t begin = 0, number = 1;
  for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1, ++number) {
    const std::string line = text.substr(begin, end - begin);
    try {
      const io::Json one = io::Json::parse(line, path);
      if (!one["command"].is(io::Json::Text) || !one["exit"].is(io::Json::Number)) throw Error("");
      if (one["exit"].number() == 0) ++done_[one["command"].text()];
    } catch (const Error&) {
      throw Error("'" + path + "' is no journal of weft each: see its line " + std::to_string(number) +
                  "; name another file, it is made where there is none");
    }
  }
  if (begin == text.size()) return;
  if (text[begin] != '{') throw Error("'" + path + "' is no journal of weft each: see its end; name another file");
  if (!look_only && ::ftruncate(file_, static_cast<off_t>(begin)) != 0) {
    throw Error("the journal '" + path + "' cannot be written: " + std::strerror(errno));
  }
}

Journal::~Journal() {
  if (file_ >= 0) ::close(file_);
}

bool Journal::take_done(const std::string& command) {
  const auto found = left_.find(command);
  if (found == left_.end() || found->second == 0) return false;
  --found->second;
  return true;
}

void Journal::add(const std::string& command, bool good, const std::string& line) {
  if (file_ < 0) return;
  if (good) ++done_[command];
  const std::string whole = line + "\n";
  for (std::size_t at = 0; at < whole.size();) {
    const ssize_t wrote = ::write(file_, whole.data() + at, whole.size() - at);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) throw Error("the journal '" + path_ + "' cannot be written: " + std::strerror(errno));
    at += static_cast<std::size_t>(wrote);
  }
}

}  // namespace weft::command::farm
