#include "core/graph/graph_parts.hpp"
#include "core/graph/task_name.hpp"

#include <weft/error.hpp>

#include <cstring>

namespace weft {
namespace {

bool same_type(const ValueType& a, const ValueType& b) {
  // The constants of one type may be several where libraries hide their symbols.
  return &a == &b || std::strcmp(a.name(), b.name()) == 0;
}

std::string known_names(const detail::GraphParts& parts) {
  if (parts.names.empty()) return "no task of it has a name";
  std::string text = "it has";
  std::size_t shown = 0;
  for (const auto& [name, task] : parts.names) {
    if (++shown > 12) return text + ", ... (" + std::to_string(parts.names.size()) + " in all)";
    text += (shown == 1 ? " \"" : ", \"") + name + '"';
  }
  return text;
}

}  // namespace

void Graph::name(std::string_view name, const Handle& task) {
  if (name.empty()) throw Error("Graph::name: the name is empty");
  if (!task.valid()) throw Error("Graph::name: the handle for \"" + std::string(name) + "\" is empty");
  const TaskRecord& record = arena::task(task.task_id());
  if (record.packet != serial_ || (record.word.load() & task_word::kKept) == 0) {
    throw Error("Graph::name: the handle for \"" + std::string(name) +
                "\" is not a task of this graph: name what graph.add or graph.input returned");
  }
  const auto [found, fresh] = detail::parts_of(*this).names.try_emplace(std::string(name), task);
  if (!fresh && found->second.task_id() != task.task_id()) {
    throw Error("Graph::name: another task of this graph has the name \"" + std::string(name) +
                "\": " + task_name(found->second.task_id()));
  }
}

TaskId Graph::find_named(std::string_view name, const ValueType& type) const {
  const auto found = detail::parts_of(*this).names.find(name);
  if (found == detail::parts_of(*this).names.end()) {
    throw ConfigError("Graph::get: this graph has no task named \"" + std::string(name) + "\"; " +
                      known_names(detail::parts_of(*this)));
  }
  const TaskId task = found->second.task_id();
  const ValueType& has = *site(arena::task(task).site).type->result;
  if (!same_type(has, type)) {
    throw ConfigError("Graph::get: the task named \"" + std::string(name) + "\" gives " + spelled_type(has.name()) +
                      ", not " + spelled_type(type.name()));
  }
  arena::add_use(task);
  return task;
}

std::vector<NamedTask> Graph::names() const {
  std::vector<NamedTask> names;
  for (const auto& [name, task] : detail::parts_of(*this).names) {
    const TaskType& type = *site(arena::task(task.task_id()).site).type;
    const std::string calls = spelled_type(type.name());
    // Compilers write the namespace out or leave it away.
    const bool is_input = calls.starts_with("GiveValue<") || calls.starts_with("weft::detail::GiveValue<");
    names.push_back({name, spelled_type(type.result->name()), is_input});
  }
  return names;
}

}  // namespace weft
