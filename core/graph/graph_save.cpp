#include "core/graph/boxes.hpp"
#include "core/graph/graph_file.hpp"
#include "core/graph/graph_parts.hpp"
#include "core/graph/task_name.hpp"

#include <weft/callable.hpp>
#include <weft/error.hpp>
#include <weft/version.hpp>

#include <cstring>
#include <unordered_map>

namespace weft {
namespace {

std::string at_line(TaskId task) {
  const Site& at = site(arena::task(task).site);
  return task_name(task) + " (" + at.file + ":" + std::to_string(at.line) + ")";
}

/// Puts a graph into the form of a file.
/// Owns: the content.  Threading: one thread.
class GraphSaver {
 public:
  explicit GraphSaver(const detail::GraphParts& parts) : parts_(parts) {}

  GraphFile content() && {
    content_.weft_version = WEFT_VERSION_STRING;
    content_.program = program_name();
    content_.program_digest = image_digest();
    // Outside values are numbered behind the tasks, so the tasks come first.
    std::uint32_t count = 0;
    for (const TaskRange range : parts_.ranges) {
      for (TaskId id = range.first; id < range.end; ++id) index_.emplace(id, count++);
    }
    task_count_ = count;
    content_.tasks.reserve(count);
    for (const TaskRange range : parts_.ranges) {
      for (TaskId id = range.first; id < range.end; ++id) add_task(id);
    }
    content_.closures.assign(reinterpret_cast<const char*>(closures_.data()), closures_.size());
    for (const auto& [name, task] : parts_.names) content_.names.push_back({name, index_.at(task.task_id())});
    return std::move(content_);
  }

 private:
  void add_task(TaskId id) {
    const TaskRecord& record = arena::task(id);
    const TaskType& type = *site(record.site).type;
    if (type.encode_closure == nullptr) {
      throw Error("Graph::save: task " + at_line(id) +
                  " cannot leave this process: its function or an argument of it does not travel (a capture that owns, "
                  "or a type declared local_only)");
    }
    if (parts_.ran && !type.repeatable) {
      throw Error("Graph::save: task " + at_line(id) +
                  " took its arguments away when it ran: save the graph before it runs, or take them as const");
    }
    const std::size_t before = closures_.size();
    try {
      type.encode_closure(record.payload, closures_, line_of(record));
    } catch (const Error& error) {
      throw Error("Graph::save: task " + at_line(id) + " cannot leave this process: " + error.what());
    }
    content_.tasks.push_back({closures_.size() - before, kind_of(record.site), record.input_count});
    for (std::uint32_t k = 0; k < record.input_count; ++k) {
      const TaskId producer = arena::edge(record.first_input + k).producer;
      const auto found = index_.find(producer);
      content_.inputs.push_back(found != index_.end() ? found->second : add_value(producer, id));
    }
  }

  std::uint32_t kind_of(std::uint32_t site_index) {
    const auto [found, fresh] = kinds_.try_emplace(site_index, static_cast<std::uint32_t>(content_.kinds.size()));
    if (!fresh) return found->second;
    const Site& at = site(site_index);
    Writer address;
    encode_address(address, at.type);
    content_.kinds.push_back({spelled_type(at.type->name()), spelled_type(at.type->result->name()), at.file,
                              at.function, at.line,
                              std::string(reinterpret_cast<const char*>(address.data()), address.size())});
    return found->second;
  }

  /// Keeps what a task outside of the graph has given; returns its number as an input.
  std::uint32_t add_value(TaskId producer, TaskId consumer) {
    TaskRecord& record = arena::task(producer);
    const std::uint64_t word = record.word.load(std::memory_order_acquire);
    if ((word & task_word::kDone) == 0 || (word & task_word::kFailed) != 0) {
      throw Error("Graph::save: task " + at_line(consumer) + " takes the result of " + at_line(producer) +
                  ", which is outside of the graph and has " +
                  ((word & task_word::kDone) == 0 ? "not ended" : "failed") +
                  ": wait for its result first, or add it to the graph");
    }
    const ValueType& type = *site(record.site).type->result;
    if (type.encode == nullptr) {
      throw Error("Graph::save: the result of " + at_line(producer) + ", which the graph takes, is a " +
                  spelled_type(type.name()) + " and cannot leave this process");
    }
    Writer bytes;
    std::byte* const place = record.payload + result_offset(type.size, type.in_record);
    if (type.in_record) {
      type.encode(place, bytes);
    } else {
      Box* box;
      std::memcpy(&box, place, sizeof box);
      struct Pinned {
        Box* box;
        ~Pinned() { boxes::unpin(box); }
      };
      void* const value = boxes::pin(box);
      const Pinned pinned{box};
      type.encode(value, bytes);
    }
    content_.outside.push_back(
        {kind_of(record.site), std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size())});
    const auto number = task_count_ + static_cast<std::uint32_t>(content_.outside.size() - 1);
    index_.emplace(producer, number);
    return number;
  }

  const detail::GraphParts& parts_;
  GraphFile content_;
  Writer closures_;
  std::uint32_t task_count_ = 0;
  std::unordered_map<TaskId, std::uint32_t> index_;
  std::unordered_map<std::uint32_t, std::uint32_t> kinds_;
};

}  // namespace

void Graph::save(const std::string& path) const {
  const detail::GraphParts& parts = detail::parts_of(*this);
  if (parts.running.load()) throw Error("Graph::save: the graph is running; save it before or after client.run(graph)");
  write_graph_file(path, GraphSaver(parts).content());
}

}  // namespace weft
