#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weft {

/// What a graph file holds, before it is tied to a program's types.
///
/// Invariants of a content that `check` lets pass:
///  1. An input below tasks.size() is an earlier task, one from there on a value of `outside`.
///  2. The inputs of the tasks, in their order, are `inputs` from end to end; so are the closures.
///  3. Names differ, and each is of a task.
struct GraphFile {
  /// A kind of task at a line of the user's source.
  struct Kind {
    std::string name;
    std::string result;
    std::string file;
    std::string function;
    std::uint32_t line = 0;
    /// Where its TaskType lies in the program, as encode_address writes it.
    std::string address;
  };
  struct Task {
    std::uint64_t closure_bytes = 0;
    std::uint32_t kind = 0;
    std::uint32_t input_count = 0;
  };
  /// The result of a task outside of the graph, which had ended when the graph was saved.
  struct Value {
    std::uint32_t kind = 0;
    std::string bytes;
  };
  struct Name {
    std::string name;
    std::uint32_t task = 0;
  };

  std::string weft_version;
  std::string program;
  std::uint64_t program_digest = 0;
  std::vector<Kind> kinds;
  std::vector<Task> tasks;
  std::vector<std::uint32_t> inputs;
  std::string closures;
  std::vector<Value> outside;
  std::vector<Name> names;
};

/// Version of the file's layout. The head of 40 bytes stays as it is in every version.
inline constexpr std::uint32_t kGraphFileVersion = 1;

/// Writes the content beside `path` and puts it in its place when it is whole. Throws ConfigError.
void write_graph_file(const std::string& path, const GraphFile& content, std::uint32_t version = kGraphFileVersion);
/// Reads and checks a file. Throws ConfigError where it is damaged, of another version, or does not describe a graph.
GraphFile read_graph_file(const std::string& path);
/// As above, for the bytes of a file; `path` is what errors name.
GraphFile parse_graph_file(const std::string& path, const std::string& bytes);
/// Throws ConfigError where the invariants do not hold, naming the tasks of a cycle.
void check_graph_file(const std::string& path, const GraphFile& content);
/// Returns the name of the file this process was started from.
std::string program_name();

}  // namespace weft
