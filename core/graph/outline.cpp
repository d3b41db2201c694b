#include "core/graph/outline.hpp"

#include "core/graph/graph_file.hpp"
#include "core/graph/graph_parts.hpp"
#include "core/graph/packet_size.hpp"
#include "core/graph/task_name.hpp"

#include <weft/build.hpp>
#include <weft/described.hpp>
#include <weft/error.hpp>
#include <weft/layer.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

namespace weft {
namespace {

/// Numbers of tasks by their ids, which lie in few segments. Threading: one thread.
class Numbers {
 public:
  std::uint32_t& operator[](TaskId id) {
    const std::uint32_t segment = id >> arena::kSegmentShift;
    if (segment != last_segment_) {
      auto& page = pages_[segment];
      if (page == nullptr) {
        page = std::make_unique<Page>();
        page->fill(kNone);
      }
      last_segment_ = segment;
      last_ = page.get();
    }
    return (*last_)[id % arena::kSegmentTasks];
  }

 private:
  using Page = std::array<std::uint32_t, arena::kSegmentTasks>;
  std::unordered_map<std::uint32_t, std::unique_ptr<Page>> pages_;
  std::uint32_t last_segment_ = kNone;
  Page* last_ = nullptr;
};

void erase_all(std::string& text, std::string_view part) {
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part)) text.erase(at, part.size());
}

std::string kind_name(std::string name, std::string_view file, std::uint32_t line) {
  for (const char* const space : {"weft::detail::", "{anonymous}::", "(anonymous namespace)::"}) erase_all(name, space);
  const std::string head = name.substr(0, name.find('<'));
  if (head == "RunCone" || head == "CombineNodes") return "reduce";
  if (head == "GiveValue") return "input";
  // A function pointer's type says nothing to a reader; the place does.
  if (name.find("(*)") != std::string::npos || name.find("lambda") != std::string::npos) {
    return std::string(file.substr(file.rfind('/') + 1)) + ":" + std::to_string(line);
  }
  return head;
}

/// Fills an outline from tasks and from layers. Threading: one thread.
class Outliner {
 public:
  explicit Outliner(Outline& outline) : outline_(outline) {}

  /// Adds the tasks of a graph, in the order of its ranges.
  void add(const detail::GraphParts& parts) {
    for (const TaskRange range : parts.ranges) {
      outline_.packets += (range.end - 1) / kPacketTasks - range.first / kPacketTasks + 1;
      for (TaskId id = range.first; id < range.end; ++id) {
        const TaskRecord& record = arena::task(id);
        for (std::uint32_t k = 0; k < record.input_count; ++k) {
          const TaskId input = arena::edge(record.first_input + k).producer;
          if (numbers_[input] == kNone) add_task(input, false);
        }
        add_task(id, true);
      }
    }
    finish();
  }

  /// Adds what these tasks need and what has not been given to a client: the inputs of such a task are gone when it
  /// has ended.
  void add(const std::vector<TaskId>& tasks) {
    struct Visit {
      TaskId task;
      std::uint32_t next_input;
    };
    std::vector<Visit> stack;
    for (const TaskId wanted : tasks) {
      if (numbers_[wanted] == kNone) stack.push_back({wanted, 0});
      while (!stack.empty()) {
        Visit& top = stack.back();
        const TaskRecord& record = arena::task(top.task);
        const bool open = opens(record);
        if (open && top.next_input < record.input_count) {
          const TaskId input = arena::edge(record.first_input + top.next_input++).producer;
          if (numbers_[input] == kNone) stack.push_back({input, 0});
          continue;
        }
        if (numbers_[top.task] == kNone) add_task(top.task, open);
        stack.pop_back();
      }
    }
    const auto waiting = static_cast<std::uint64_t>(
        std::count_if(outline_.tasks.begin(), outline_.tasks.end(),
                      [](const Outline::Task& task) { return task.state == Outline::State::Described; }));
    outline_.packets = (waiting + kPacketTasks - 1) / kPacketTasks;
    finish();
  }

  std::uint32_t add(const Layer& layer) {
    if (const auto known = layers_.find(&layer); known != layers_.end()) return known->second;
    Outline::Layer row;
    for (const Layer* const source : layer.sources()) row.sources.push_back(add(*source));
    row.name = layer.name();
    row.file = layer.where().file;
    row.line = layer.where().line;
    row.tasks = layer.task_count();
    row.result_bytes = layer.output_bytes();
    row.estimated = layer.output_bytes_estimated();
    row.edges = edges_of(layer);
    const auto number = static_cast<std::uint32_t>(outline_.layers.size());
    if (detail::checking_transfer()) {
      // Each task's closure went through its encoding and has a copy of the layer.
      const auto [same, fresh] = copies_.emplace(content_of(layer, row), number);
      if (!fresh) return same->second;
    }
    outline_.layers.push_back(std::move(row));
    layers_.emplace(&layer, number);
    return number;
  }

 private:
  static bool opens(const TaskRecord& record) {
    const std::uint64_t word = record.word.load(std::memory_order_acquire);
    if ((word & task_word::kKept) != 0) return true;
    return (word & (task_word::kDone | task_word::kLaunched)) == 0;
  }

  static std::string content_of(const Layer& layer, const Outline::Layer& row) {
    std::string content = row.file + ":" + std::to_string(row.line) + " " + row.name + " " + std::to_string(row.tasks);
    for (const std::uint32_t source : row.sources) content += " " + std::to_string(source);
    if (const auto* const step = dynamic_cast<const detail::FormulaStep*>(&layer)) {
      Writer writer;
      step->write(writer);
      content.append(reinterpret_cast<const char*>(writer.data()), writer.size());
    }
    return content;
  }

  /// Looks at the first, the last and a task in between: formulas are regular.
  static std::uint64_t edges_of(const Layer& layer) {
    const std::uint64_t count = layer.task_count();
    if (count == 0) return 0;
    std::uint64_t most = 0;
    for (const std::uint64_t index : {std::uint64_t{0}, count / 2, count - 1}) {
      std::vector<LayerInput> edges;
      layer.inputs(index, edges);
      most = std::max<std::uint64_t>(most, edges.size());
    }
    return most * count;
  }

  void add_task(TaskId id, bool open) {
    const TaskRecord& record = arena::task(id);
    const std::uint64_t word = record.word.load(std::memory_order_acquire);
    Outline::Task task;
    task.kind = kind_of(record.site);
    task.state = (word & task_word::kFailed) != 0     ? Outline::State::Failed
                 : (word & task_word::kDone) != 0     ? Outline::State::Finished
                 : (word & task_word::kLaunched) != 0 ? Outline::State::Running
                                                      : Outline::State::Described;
    const auto number = static_cast<std::uint32_t>(outline_.tasks.size());
    const Site& at = site(record.site);
    task.bytes = bytes_of(record, *at.type->result, task.state, task.kind);
    if (open) {
      for (std::uint32_t k = 0; k < record.input_count; ++k) {
        outline_.inputs.push_back(numbers_[arena::edge(record.first_input + k).producer]);
      }
      if (at.type->formula != nullptr && task.state == Outline::State::Described) {
        add_part(number, *at.type, record);
      }
    }
    borrows_.push_back(record.borrows != 0);
    uses_.push_back(static_cast<std::int64_t>(task_word::uses_of(word) - own_uses(word)));
    numbers_[id] = number;
    outline_.tasks.push_back(task);
    outline_.ids.push_back(id);
    outline_.first_input.push_back(outline_.inputs.size());
  }

  /// Uses that are neither a handle's nor a consumer's: the run's that is to come.
  static std::uint64_t own_uses(std::uint64_t word) {
    const bool run_to_come = (word & task_word::kDone) == 0 && (word & (task_word::kKept | task_word::kLaunched)) != 0;
    return run_to_come && task_word::uses_of(word) != 0 ? 1 : 0;
  }

  std::uint64_t bytes_of(const TaskRecord& record, const ValueType& type, Outline::State state, std::uint32_t kind) {
    if (type.in_record) return type.size;
    if (state != Outline::State::Finished || task_word::uses_of(record.word.load(std::memory_order_acquire)) == 0) {
      return 0;  // filled in by finish()
    }
    const Box* box;
    std::memcpy(&box, record.payload + result_offset(0, false), sizeof box);
    seen_[kind].first += box->charged_bytes;
    ++seen_[kind].second;
    return box->charged_bytes;
  }

  std::uint32_t kind_of(std::uint32_t site_index) {
    const auto [found, fresh] = kinds_.try_emplace(site_index, static_cast<std::uint32_t>(outline_.kinds.size()));
    if (!fresh) return found->second;
    const Site& at = site(site_index);
    const ValueType& type = *at.type->result;
    Outline::Kind kind;
    kind.name = kind_name(spelled_type(at.type->name()), at.file, at.line);
    kind.file = at.file;
    kind.line = at.line;
    kind.result = spelled_type(type.name());
    kind.result_bytes = type.size + (type.in_record ? 0 : sizeof(Box));
    kind.estimated = !type.fixed_size;
    outline_.kinds.push_back(std::move(kind));
    seen_.emplace_back();
    return found->second;
  }

  void add_part(std::uint32_t number, const TaskType& type, const TaskRecord& record) {
    FormulaPart part;
    type.formula(record.payload, part);
    const std::uint32_t layer = add(*part.layer);
    outline_.parts.push_back({number, layer, part.values, part.combinations, part.peak_bytes, part.depth});
  }

  void finish() {
    for (std::size_t kind = 0; kind < outline_.kinds.size(); ++kind) {
      const auto [bytes, count] = seen_[kind];
      if (count != 0) outline_.kinds[kind].result_bytes = bytes / count;
    }
    std::vector<bool> has_consumer(outline_.tasks.size());
    for (std::size_t task = 0; task < outline_.tasks.size(); ++task) {
      // A task that has ended gave its inputs up.
      const bool ended = outline_.tasks[task].state >= Outline::State::Finished;
      for (std::uint64_t at = outline_.first_input[task]; at < outline_.first_input[task + 1]; ++at) {
        has_consumer[outline_.inputs[at]] = true;
        if (!ended && !borrows_[task]) --uses_[outline_.inputs[at]];
      }
    }
    for (std::size_t i = 0; i < outline_.tasks.size(); ++i) {
      Outline::Task& task = outline_.tasks[i];
      if (task.bytes == 0) task.bytes = outline_.kinds[task.kind].result_bytes;
      task.kept = uses_[i] > 0 || !has_consumer[i];
    }
  }

  Outline& outline_;
  Numbers numbers_;
  std::unordered_map<std::uint32_t, std::uint32_t> kinds_;
  std::unordered_map<const Layer*, std::uint32_t> layers_;
  std::unordered_map<std::string, std::uint32_t> copies_;
  /// Uses of each task that are not of tasks in the outline.
  std::vector<std::int64_t> uses_;
  /// Tasks that hold no use of their inputs.
  std::vector<bool> borrows_;
  /// Bytes and number of results that are there, by kind.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> seen_;
};

void outline_file(const std::string& path, Outline& outline) {
  const GraphFile content = read_graph_file(path);
  for (const GraphFile::Kind& kind : content.kinds) {
    outline.kinds.push_back({kind_name(kind.name, kind.file, kind.line), kind.file, kind.line, kind.result, 0, true});
  }
  const auto count = static_cast<std::uint32_t>(content.tasks.size());
  // Values from outside stand in front here, behind the tasks in the file.
  const auto outside = static_cast<std::uint32_t>(content.outside.size());
  for (const GraphFile::Value& value : content.outside) {
    outline.tasks.push_back({value.kind, Outline::State::Finished, false, value.bytes.size()});
    outline.first_input.push_back(0);
  }
  std::size_t next = 0;
  std::vector<bool> consumed(count);
  for (const GraphFile::Task& task : content.tasks) {
    for (std::uint32_t k = 0; k < task.input_count; ++k, ++next) {
      const std::uint32_t input = content.inputs[next];
      if (input < count) consumed[input] = true;
      outline.inputs.push_back(input < count ? input + outside : input - count);
    }
    outline.tasks.push_back({task.kind, Outline::State::Described, false, 0});
    outline.first_input.push_back(outline.inputs.size());
  }
  for (std::uint32_t task = 0; task < count; ++task) outline.tasks[task + outside].kept = !consumed[task];
  for (const GraphFile::Name& name : content.names) outline.tasks[name.task + outside].kept = true;
  outline.packets = (count + kPacketTasks - 1) / kPacketTasks;
}

}  // namespace

Described::Described(const Graph& graph) {
  auto outline = std::make_unique<Outline>();
  const detail::GraphParts& parts = detail::parts_of(graph);
  if (parts.running.load()) throw Error("this graph is running: plan or draw it before or after client.run(graph)");
  Outliner(*outline).add(parts);
  outline->reruns = true;
  outline_ = outline.release();
}

Described::Described(const Layer& layer) {
  auto outline = std::make_unique<Outline>();
  Outliner(*outline).add(layer);
  outline_ = outline.release();
}

Described Described::file(const std::string& path) {
  auto outline = std::make_unique<Outline>();
  outline_file(path, *outline);
  return Described(outline.release());
}

TaskId Described::require(const Handle& handle) {
  if (!handle.valid()) throw Error("this handle is empty: it was moved from or never assigned; it cannot be planned");
  return handle.task_id();
}

void Described::outline_tasks(const std::vector<TaskId>& tasks) {
  auto outline = std::make_unique<Outline>();
  Outliner(*outline).add(tasks);
  outline_ = outline.release();
}

Described::Described(const Described& other) : outline_(new Outline(*other.outline_)) {}
Described::Described(Described&& other) noexcept : outline_(std::exchange(other.outline_, nullptr)) {}
Described& Described::operator=(Described other) noexcept {
  std::swap(outline_, other.outline_);
  return *this;
}
Described::~Described() { delete outline_; }

}  // namespace weft
