#include "mpi_launch/start/exchange.hpp"

#include "core/diagnostics/terminal.hpp"

#include <weft/error.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

namespace weft::launch {

namespace {

constexpr std::string_view kHead = "weft address 1\n";
constexpr std::string_view kTls = "tls ";

std::string hexadecimal(const std::string& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    text += kDigits[static_cast<unsigned char>(byte) >> 4];
    text += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  return text;
}

int digit(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

std::string bytes_of(const std::string& text, const std::string& path) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    const int high = digit(text[i]);
    const int low = digit(text[i + 1]);
    if (high < 0 || low < 0) throw Error("'" + path + "' is no address file of weft");
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

/// Returns an empty endpoint while there is no file.
Meeting read_file(const std::string& path) {
  struct stat state {};
  if (::stat(path.c_str(), &state) != 0) return {};
  if (state.st_uid != ::geteuid() || (state.st_mode & 077) != 0) {
    throw Error("the address file '" + path +
                "' belongs to another user or can be read by others: it holds the secret of "
                "the job, so it is not trusted");
  }
  std::ifstream file(path);
  return parse_meeting({std::istreambuf_iterator<char>(file), {}}, path);
}

}  // namespace

std::string meeting_text(const Meeting& meeting) {
  std::string text = std::string(kHead) + meeting.endpoint + "\n" + hexadecimal(meeting.secret) + "\n";
  if (!meeting.tls.empty()) text += std::string(kTls) + hexadecimal(meeting.tls) + "\n";
  if (meeting.running()) text += meeting.executable + "\n" + hexadecimal(meeting.scheduler_address) + "\n";
  return text;
}

Meeting parse_meeting(const std::string& text, const std::string& path) {
  if (text.compare(0, kHead.size(), kHead) != 0) throw Error("'" + path + "' is no address file of weft");
  std::vector<std::string> lines;
  std::string tls;
  for (std::size_t at = kHead.size(); at < text.size();) {
    const std::size_t end = text.find('\n', at);
    if (end == std::string::npos) break;
    const std::string line = text.substr(at, end - at);
    if (line.starts_with(kTls)) {
      tls = line.substr(kTls.size());
    } else {
      lines.push_back(line);
    }
    at = end + 1;
  }
  if (lines.size() < 2) return {};
  Meeting meeting{lines[0], bytes_of(lines[1], path), bytes_of(tls, path)};
  if (lines.size() >= 4) {
    meeting.executable = lines[2];
    meeting.scheduler_address = bytes_of(lines[3], path);
  }
  return meeting;
}

void write_meeting(const Meeting& meeting, const std::string& path) {
  const std::string fresh = path + ".new";
  ::unlink(fresh.c_str());
  const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) throw Error("the address file '" + path + "' cannot be written: " + std::strerror(errno));
  const std::string text = meeting_text(meeting);
  const bool whole = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const bool kept = ::fsync(file) == 0;
  ::close(file);
  if (!whole || !kept || ::rename(fresh.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(fresh.c_str());
    throw Error("the address file '" + path + "' cannot be written: " + std::strerror(error));
  }
}

Meeting read_running(const std::string& path, double seconds) {
  // A job that is just starting is no news.
  constexpr std::chrono::seconds kQuiet(1);
  const auto begin = std::chrono::steady_clock::now();
  const auto deadline = begin + std::chrono::duration<double>(seconds);
  for (bool told = false;;) {
    Meeting meeting = read_file(path);
    if (meeting.running()) return meeting;
    const std::string state = "the address file '" + path + "' " +
                              (meeting.endpoint.empty() ? "is not there" : "is of a job that has not begun to run");
    const auto now = std::chrono::steady_clock::now();
    if (now >= deadline)
      throw Error(state + ": name the file that the job was started with (--weft-address-file), once it runs");
    if (!told && now - begin > kQuiet) {
      told = true;
      terminal::write_lines(fmt::format("weft: {} yet; waiting {:g} s for it\n", state, seconds));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

Meeting meet_by_file(const Ranks& ranks, const Meeting& mine, const std::string& path, double seconds) {
  if (ranks.rank == 0) {
    write_meeting(mine, path);
    return mine;
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  for (;;) {
    Meeting meeting = read_file(path);
    if (!meeting.endpoint.empty()) return meeting;
    if (std::chrono::steady_clock::now() > deadline) {
      throw Error("rank 0 has not written the address file '" + path + "' within " +
                  std::to_string(static_cast<int>(seconds)) +
                  " s; the folder must be one that all nodes see (--weft-address-file names another)");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

std::string meeting_file(const HostView& host) {
  const std::string job = host.variable("SLURM_JOB_ID");
  if (job.empty()) return "";
  const std::string folder = host.variable("SLURM_SUBMIT_DIR");
  return (folder.empty() ? std::string(".") : folder) + "/.weft-" + job + "." + host.variable("SLURM_STEP_ID");
}

}  // namespace weft::launch
