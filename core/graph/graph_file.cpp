#include "core/graph/graph_file.hpp"

#include "core/memory/checksum.hpp"

#include <weft/encode.hpp>
#include <weft/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <set>
#include <system_error>

namespace weft {
namespace {

/// The first bytes of a graph file.
struct Head {
  char magic[8];
  std::uint32_t version;
  std::uint32_t reserved;
  std::uint64_t body_bytes;
  std::uint64_t body_checksum;
  /// Of the fields above.
  std::uint64_t head_checksum;
};
static_assert(sizeof(Head) == 40, "the head of a graph file must not change");
constexpr char kMagic[8] = {'W', 'E', 'F', 'T', 'G', 'R', 'P', 'H'};

std::uint64_t checksum_of(const Head& head) { return Checksum::of(&head, offsetof(Head, head_checksum)); }

std::string last_error() { return std::generic_category().message(errno); }

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

[[noreturn]] void cannot_write(const std::string& path, const std::string& unfinished, const std::string& why) {
  if (!unfinished.empty()) ::unlink(unfinished.c_str());
  throw ConfigError(fmt::format("the graph file '{}' cannot be written: {}", path, why));
}

[[noreturn]] void damaged(const std::string& path, const std::string& what) {
  throw ConfigError(fmt::format("the graph file '{}' is damaged: {}; save the graph again", path, what));
}

std::string read_bytes(const std::string& path) {
  const File file(std::fopen(path.c_str(), "rbe"));
  if (file == nullptr) throw ConfigError(fmt::format("the graph file '{}' cannot be read: {}", path, last_error()));
  std::string bytes;
  char part[65'536];
  for (std::size_t got = 0; (got = std::fread(part, 1, sizeof part, file.get())) != 0;) bytes.append(part, got);
  if (std::ferror(file.get()) != 0) {
    throw ConfigError(fmt::format("the graph file '{}' cannot be read: {}", path, last_error()));
  }
  return bytes;
}

std::string task_text(const GraphFile& content, std::uint32_t task) {
  const GraphFile::Kind& kind = content.kinds[content.tasks[task].kind];
  return fmt::format("task {} ({}, {}:{})", task, kind.name, kind.file, kind.line);
}

/// Returns the tasks of a cycle, each an input of the next and the last of the first; empty where there is none.
std::vector<std::uint32_t> find_cycle(const GraphFile& content, const std::vector<std::size_t>& first_input) {
  enum Mark : char { kNew, kOpen, kClosed };
  const auto count = static_cast<std::uint32_t>(content.tasks.size());
  std::vector<char> marks(count, kNew);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> path;
  for (std::uint32_t start = 0; start < count; ++start) {
    if (marks[start] != kNew) continue;
    path.assign(1, {start, 0});
    marks[start] = kOpen;
    while (!path.empty()) {
      auto& [task, next] = path.back();
      if (next == content.tasks[task].input_count) {
        marks[task] = kClosed;
        path.pop_back();
        continue;
      }
      const std::uint32_t input = content.inputs[first_input[task] + next++];
      if (input >= count || marks[input] == kClosed) continue;
      if (marks[input] == kOpen) {
        std::vector<std::uint32_t> cycle;
        for (auto at = path.rbegin(); at != path.rend(); ++at) {
          cycle.push_back(at->first);
          if (at->first == input) return cycle;
        }
      }
      marks[input] = kOpen;
      path.emplace_back(input, 0);
    }
  }
  return {};
}

[[noreturn]] void refuse_order(const std::string& path, const GraphFile& content,
                               const std::vector<std::size_t>& first_input, std::uint32_t task, std::uint32_t input) {
  const std::vector<std::uint32_t> cycle = find_cycle(content, first_input);
  if (cycle.empty()) {
    throw ConfigError(
        fmt::format("the graph file '{}' has tasks in a wrong order: {} takes the result of {}, which "
                    "stands behind it",
                    path, task_text(content, task), task_text(content, input)));
  }
  constexpr std::size_t kShown = 8;
  std::string text;
  for (std::size_t i = 0; i < cycle.size() && i < kShown; ++i) {
    text += (i == 0 ? "" : " needs ") + task_text(content, cycle[i]);
  }
  if (cycle.size() > kShown) text += fmt::format(" ... ({} tasks in all)", cycle.size());
  throw ConfigError(fmt::format("the graph file '{}' describes a cycle, which can never run: {} needs {}", path, text,
                                cycle.size() == 1 ? "itself" : task_text(content, cycle.front())));
}

}  // namespace

void write_graph_file(const std::string& path, const GraphFile& content, std::uint32_t version) {
  Writer body;
  encode(body, content);
  Head head{};
  std::memcpy(head.magic, kMagic, sizeof kMagic);
  head.version = version;
  head.body_bytes = body.size();
  head.body_checksum = Checksum::of(body.data(), body.size());
  head.head_checksum = checksum_of(head);
  struct stat known {};
  if (::stat(path.c_str(), &known) == 0 && !S_ISREG(known.st_mode)) {
    throw ConfigError(
        fmt::format("the graph file '{}' cannot be written: there is something that is no file; name another", path));
  }
  const std::string unfinished = fmt::format("{}.{}.unfinished", path, ::getpid());
  File file(std::fopen(unfinished.c_str(), "wbe"));
  if (file == nullptr) cannot_write(path, "", last_error());
  if (std::fwrite(&head, sizeof head, 1, file.get()) != 1 ||
      std::fwrite(body.data(), 1, body.size(), file.get()) != body.size() || std::fflush(file.get()) != 0 ||
      ::fsync(::fileno(file.get())) != 0) {
    cannot_write(path, unfinished, last_error());
  }
  if (std::fclose(file.release()) != 0) cannot_write(path, unfinished, last_error());
  if (std::rename(unfinished.c_str(), path.c_str()) != 0) cannot_write(path, unfinished, last_error());
}

GraphFile read_graph_file(const std::string& path) { return parse_graph_file(path, read_bytes(path)); }

GraphFile parse_graph_file(const std::string& path, const std::string& bytes) {
  if (bytes.size() < sizeof kMagic || std::memcmp(bytes.data(), kMagic, sizeof kMagic) != 0) {
    throw ConfigError(fmt::format("'{}' is no graph file: it does not begin with \"WEFTGRPH\"", path));
  }
  Head head{};
  if (bytes.size() < sizeof head) damaged(path, fmt::format("it ends after {} bytes", bytes.size()));
  std::memcpy(&head, bytes.data(), sizeof head);
  if (head.head_checksum != checksum_of(head)) damaged(path, "the checksum of its head is wrong");
  if (head.version != kGraphFileVersion) {
    throw ConfigError(
        fmt::format("the graph file '{}' has version {} of the layout, and this weft reads version {}: "
                    "save the graph again with this one",
                    path, head.version, kGraphFileVersion));
  }
  const std::size_t body_bytes = bytes.size() - sizeof head;
  if (head.body_bytes != body_bytes) {
    damaged(path, fmt::format("{} bytes should follow its head, and {} do", head.body_bytes, body_bytes));
  }
  const char* const body = bytes.data() + sizeof head;
  if (head.body_checksum != Checksum::of(body, body_bytes)) damaged(path, "its checksum is wrong");
  GraphFile content;
  try {
    content = decode_all<GraphFile>(body, body_bytes);
  } catch (const Error& error) {
    damaged(path, error.what());
  }
  check_graph_file(path, content);
  return content;
}

void check_graph_file(const std::string& path, const GraphFile& content) {
  const std::size_t count = content.tasks.size();
  const std::size_t sources = count + content.outside.size();
  std::vector<std::size_t> first_input(count);
  std::size_t inputs = 0;
  std::uint64_t closure_bytes = 0;
  for (std::size_t task = 0; task < count; ++task) {
    const GraphFile::Task& at = content.tasks[task];
    if (at.kind >= content.kinds.size()) {
      damaged(path, fmt::format("task {} is of kind {}, and there are {}", task, at.kind, content.kinds.size()));
    }
    first_input[task] = inputs;
    if (at.input_count > content.inputs.size() - inputs) {
      damaged(path, fmt::format("task {} has more inputs than the file", task));
    }
    inputs += at.input_count;
    if (at.closure_bytes > content.closures.size() - closure_bytes) {
      damaged(path, fmt::format("the arguments of task {} lie outside of the file", task));
    }
    closure_bytes += at.closure_bytes;
  }
  if (inputs != content.inputs.size() || closure_bytes != content.closures.size()) {
    damaged(path, "inputs or arguments are left over that belong to no task");
  }
  for (std::size_t task = 0; task < count; ++task) {
    for (std::uint32_t k = 0; k < content.tasks[task].input_count; ++k) {
      const std::uint32_t input = content.inputs[first_input[task] + k];
      if (input >= sources) {
        damaged(path, fmt::format("{} takes the result of task {}, and there are {} tasks",
                                  task_text(content, static_cast<std::uint32_t>(task)), input, count));
      }
      if (input >= task && input < count) {
        refuse_order(path, content, first_input, static_cast<std::uint32_t>(task), input);
      }
    }
  }
  for (const GraphFile::Value& value : content.outside) {
    if (value.kind >= content.kinds.size()) damaged(path, "a value from outside is of a kind that is not there");
  }
  std::set<std::string_view> names;
  for (const GraphFile::Name& name : content.names) {
    if (name.task >= count) {
      damaged(path,
              fmt::format("the name \"{}\" is that of task {}, and there are {} tasks", name.name, name.task, count));
    }
    if (!names.insert(name.name).second) damaged(path, fmt::format("two tasks have the name \"{}\"", name.name));
  }
}

std::string program_name() {
  char path[4096];
  const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
  if (size <= 0) return "program";
  const std::string_view whole(path, static_cast<std::size_t>(size));
  return std::string(whole.substr(whole.rfind('/') + 1));
}

}  // namespace weft
