// Results of runs of a Graph. Its records stay for all runs, so what is in the journal is read by the records
// themselves: for the time of the run they are tasks of another kind.

#include "core/cluster/values.hpp"
#include "core/graph/graph_parts.hpp"
#include "core/graph/release.hpp"
#include "core/graph/sites.hpp"
#include "core/journal/journal.hpp"
#include "core/journal/loader.hpp"
#include "core/journal/source.hpp"

#include <weft/build.hpp>

#include <cstring>
#include <unordered_set>

namespace weft::journal {
namespace {

/// Only its name is seen: in plans and tables.
struct NotNeeded {};

/// Stands for a task whose result nobody reads, because all that would read it is in the journal.
const TaskType& skipping() {
  static const TaskType type = [] {
    TaskType made{};
    made.run = [](TaskFrame&) {};
    made.result = &value_type<Nothing>;
    made.closure_in_record = true;
    made.repeatable = true;
    made.describe = [](const void*, std::string&) {};
    made.encode_closure = [](const void*, Writer&, const SourceLine&) {};
    made.decode_closure = [](void*, Reader&) {};
    made.name = &detail::spelled_name<NotNeeded>;
    return made;
  }();
  return type;
}

bool is_bound(const TaskOptions& options) { return !options.workers.empty() && !options.allow_other_workers; }

/// Gives a task its key for this run. Returns whether it has one.
bool give_key(TaskId task, const detail::GraphParts& graph, const Source& source) {
  const TaskOptions* options = nullptr;
  if (!graph.annotated.empty()) {
    const auto found = graph.annotated.find(task);
    if (found != graph.annotated.end()) options = found->second.get();
  }
  const TaskType& type = *site(arena::task(task).site).type;
  const bool may = (options == nullptr || (options->journalled && !is_bound(*options))) &&
                   type.encode_closure != nullptr && type.result != &value_type<Nothing>;
  const Key call = may ? call_key(task) : Key{};
  const bool keyed = !call.none() && !source.has_effect(task);
  if (!keyed && key_of(task).none()) return false;  // nor had it one in the run before
  set_key(task, !keyed ? Key{} : options != nullptr && options->pure ? call : numbered(call));
  return keyed;
}

/// Returns whether somebody else than the tasks in `spared` reads a result: a handle, or a task that runs. A task that
/// nobody reads is run, too.
bool is_read(TaskId task, const std::unordered_set<TaskId>& spared) {
  const std::uint64_t word = arena::task(task).word.load(std::memory_order_acquire);
  std::uint64_t held = 0;
  std::uint32_t readers = 0;
  for (std::uint32_t e = task_word::edge_of(word); e != 0;) {
    const Edge& edge = arena::edge(e - 1);
    if (!spared.contains(edge.consumer)) return true;
    ++readers;
    held += holds_uses(arena::task(edge.consumer)) ? 1 : 0;
    e = edge.next;
  }
  return readers == 0 || task_word::uses_of(word) > held + 1;
}

}  // namespace

GraphResults::GraphResults(const detail::GraphParts& graph) {
  if (!gives_keys.load(std::memory_order_acquire)) return;
  const std::shared_ptr<Source> source = current_source();
  if (source == nullptr) return;
  // Inputs stand before what reads them.
  std::vector<TaskId> keyed;
  for (const TaskRange range : graph.ranges) {
    for (TaskId task = range.first; task < range.end; ++task) {
      if (give_key(task, graph, *source)) keyed.push_back(task);
    }
  }
  if (source->contents().held() == 0) return;
  std::unordered_set<TaskId> spared;
  for (auto at = keyed.rbegin(); at != keyed.rend(); ++at) {
    if (!is_read(*at, spared)) {
      skip(*at);
    } else if (std::optional<Stored> stored = source->find(key_of(*at), true)) {
      source->count(*stored);
      put(*at, std::move(*stored));
    } else {
      continue;
    }
    spared.insert(*at);
  }
}

void GraphResults::put(TaskId task, Stored stored) {
  TaskRecord& record = arena::task(task);
  const Site& at = site(record.site);
  Replaced one{task, record.site, nullptr, false};
  std::memcpy(&one.closure, record.payload, sizeof one.closure);
  replaced_.push_back(one);
  put_stored(record.payload, std::move(stored));
  record.site = site_of(loader_of(*at.type->result), at.file, at.function, at.line);
  set_cost(task, kNotWritten);
}

void GraphResults::skip(TaskId task) {
  TaskRecord& record = arena::task(task);
  const Site& at = site(record.site);
  Replaced one{task, record.site, nullptr, true};
  std::memcpy(&one.closure, record.payload, sizeof one.closure);
  replaced_.push_back(one);
  record.site = site_of(skipping(), at.file, at.function, at.line);
  set_cost(task, kNotWritten);
}

GraphResults::~GraphResults() {
  for (const Replaced& one : replaced_) {
    TaskRecord& record = arena::task(one.task);
    if (!one.skipped) drop_stored(record.payload);
    record.site = one.site;
    std::memcpy(record.payload, &one.closure, sizeof one.closure);
    // There is no value to be let go of.
    if (one.skipped && !site(one.site).type->result->in_record) cluster::set_box(record, nullptr);
  }
}

}  // namespace weft::journal
