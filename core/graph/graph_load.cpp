#include "core/graph/boxes.hpp"
#include "core/graph/graph_file.hpp"
#include "core/graph/graph_parts.hpp"
#include "core/graph/sites.hpp"
#include "core/graph/task_name.hpp"

#include <weft/callable.hpp>
#include <weft/error.hpp>
#include <weft/nested_travel.hpp>

#include <fmt/format.h>

#include <cstring>

namespace weft {
namespace {

/// The site of a task whose closure is not there yet: nothing to destroy, nothing to run.
std::uint32_t empty_site() {
  static constexpr TaskType type = [] {
    TaskType empty{};
    empty.run = [](TaskFrame&) { throw Error("this task was never read from its graph file"); };
    empty.result = &value_type<Nothing>;
    empty.closure_in_record = true;
    empty.describe = [](const void*, std::string&) {};
    empty.name = &detail::spelled_name<Nothing>;
    return empty;
  }();
  return site_of(type, "graph file", "load", 0);
}

}  // namespace

namespace detail {

/// Builds a graph from what a file holds.
/// Owns: the values from outside until the tasks that take them are there.  Threading: one thread.
class GraphLoader {
 public:
  GraphLoader(const std::string& path, const GraphFile& content) : path_(path), content_(content) {}

  Graph load() {
    find_kinds();
    for (const GraphFile::Value& value : content_.outside) add_value(value);
    Graph graph;
    Reader closures(content_.closures.data(), content_.closures.size());
    std::size_t next_input = 0;
    for (const GraphFile::Task& task : content_.tasks) {
      const std::byte* const closure = closures.view(task.closure_bytes, "a task's arguments");
      add_task(graph, task, next_input, closure);
      next_input += task.input_count;
    }
    for (const GraphFile::Name& name : content_.names) {
      graph.name(name.name, adopt_use(tasks_[name.task]));
    }
    return graph;
  }

 private:
  static Handle adopt_use(TaskId task) {
    arena::add_use(task);
    return Delayed<Nothing>::adopt(task);
  }

  void find_kinds() {
    for (const GraphFile::Kind& kind : content_.kinds) {
      const TaskType* type = nullptr;
      try {
        Reader reader(kind.address.data(), kind.address.size());
        type = static_cast<const TaskType*>(decode_address(reader));
      } catch (const Error& error) {
        throw ConfigError(
            fmt::format("the graph file '{}' has tasks that call {} ({}:{}), which this program has not: {}", path_,
                        kind.name, kind.file, kind.line, error.what()));
      }
      if (spelled_type(type->name()) != kind.name || type->decode_closure == nullptr) {
        throw ConfigError(fmt::format("the graph file '{}' calls {}, and this program has {} in its place", path_,
                                      kind.name, spelled_type(type->name())));
      }
      sites_.push_back(site_of(*type, kept_text(kind.file), kept_text(kind.function), kind.line));
    }
  }

  void add_value(const GraphFile::Value& value) {
    const ValueType& type = *site(sites_[value.kind]).type->result;
    Reader reader(value.bytes.data(), value.bytes.size());
    alignas(std::max_align_t) std::byte place[16];
    void* source = place;
    std::size_t bytes = type.size;
    Box* box = nullptr;
    if (type.in_record) {
      type.decode(place, reader);
    } else {
      box = decode_box(type, reader);
      source = &box;
      bytes = sizeof box;
    }
    const Place outside{arena::thread_cursor(), task_word::kUse + task_word::kDone + task_word::kLaunched, kNone};
    const TaskId id = open_task(outside, sites_[value.kind], 0, 0);
    std::memcpy(arena::task(id).payload + result_offset(type.size, type.in_record), source, bytes);
    outside_.push_back(Delayed<Nothing>::adopt(id));
  }

  static Box* decode_box(const ValueType& type, Reader& reader) {
    Box* const box = boxes::make(type);
    try {
      type.decode(box->value(), reader);
    } catch (...) {
      boxes::discard(box);
      throw;
    }
    boxes::keep(box);
    return box;
  }

  /// As Graph::add_at, for a task whose types are known by their constant only.
  void add_task(Graph& graph, const GraphFile::Task& task, std::size_t first_input, const std::byte* closure) {
    static const std::uint32_t nothing = empty_site();
    // One use, the run's: nobody has a handle yet.
    const Place place{graph.cursor_, task_word::kKept + task_word::kUse, graph.serial_};
    const std::uint32_t index = sites_[task.kind];
    const TaskType& type = *site(index).type;
    const bool plain = type.result->in_record && type.closure_in_record && type.destroy_closure == nullptr;
    const TaskId id = open_task(place, nothing, task.input_count, plain ? task_word::kPlain : 0);
    TaskRecord& record = arena::task(id);
    Connected connected;
    for (std::uint32_t k = 0; k < task.input_count; ++k) {
      const std::uint32_t input = content_.inputs[first_input + k];
      const TaskId producer =
          input < content_.tasks.size() ? tasks_[input] : outside_[input - content_.tasks.size()].task_id();
      connect(record.first_input + k, producer, id, graph.serial_, connected);
    }
    hold_inputs(record, connected);
    graph.take_in(id, connected);
    tasks_.push_back(id);
    try {
      const DecodedInputs inputs(id);
      Reader reader(closure, task.closure_bytes);
      type.decode_closure(record.payload, reader);
    } catch (const Error& error) {
      const GraphFile::Kind& kind = content_.kinds[task.kind];
      throw ConfigError(fmt::format("the graph file '{}' has arguments for {} ({}:{}) that cannot be read: {}", path_,
                                    kind.name, kind.file, kind.line, error.what()));
    }
    record.site = index;
  }

  const std::string& path_;
  const GraphFile& content_;
  std::vector<std::uint32_t> sites_;
  std::vector<TaskId> tasks_;
  std::vector<Handle> outside_;
};

}  // namespace detail

Graph Graph::load(const std::string& path) {
  const GraphFile content = read_graph_file(path);
  if (content.program_digest != image_digest()) {
    throw ConfigError(fmt::format(
        "the graph file '{}' was saved by {} (digest {:016x}, weft {}), and this is {} (digest {:016x}): a "
        "graph is loaded by the very executable that saved it; build it again with this one",
        path, content.program, content.program_digest, content.weft_version, program_name(), image_digest()));
  }
  return detail::GraphLoader(path, content).load();
}

}  // namespace weft
