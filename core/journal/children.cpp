// Calls that a running task describes: their keys are of their parent's key, so that a parent that is run again finds
// what its children gave.

#include "core/executor/slot.hpp"
#include "core/journal/journal.hpp"
#include "core/journal/source.hpp"

#include <weft/annotate.hpp>
#include <weft/error.hpp>
#include <weft/this_task.hpp>

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace weft::journal {
namespace {

/// What a task that runs on this thread has submitted so far.
struct Parent {
  TaskId task = kNone;
  Key key;
  Key function;
  std::unordered_map<Key, std::uint32_t, KeyHash> counts;
};

/// Those of parents that failed are dropped when there are too many.
constexpr std::size_t kMostParents = 64;
thread_local std::vector<Parent> parents;

Parent& parent_of_calls(TaskId task, const Key& key) {
  const auto found = std::find_if(parents.begin(), parents.end(), [&](const Parent& one) { return one.task == task; });
  if (found != parents.end() && found->key == key) return *found;
  if (found != parents.end()) parents.erase(found);
  if (parents.size() == kMostParents) parents.erase(parents.begin());
  parents.push_back({task, key, function_key(task), {}});
  return parents.back();
}

/// What tasks of this process take for their children, where the program's own process is another one.
struct FarSource {
  std::mutex mutex;
  // Guarded by mutex.
  std::string folder;  // "": there is no journal
  bool read = false;
  std::shared_ptr<Source> source;
};

FarSource& far_source() {
  static auto* const kept = new FarSource;
  return *kept;
}

}  // namespace

DescribingChildren::DescribingChildren(const Settings& settings) {
  if (settings.journal.empty()) return;
  FarSource& far = far_source();
  const std::lock_guard lock(far.mutex);
  if (!far.folder.empty()) return;
  far.folder = std::filesystem::absolute(settings.journal).lexically_normal().string();
  open_ = true;
  detail::open_annotations.fetch_add(1, std::memory_order_relaxed);
  gives_keys.fetch_add(1, std::memory_order_release);
}

DescribingChildren::~DescribingChildren() {
  if (!open_) return;
  FarSource& far = far_source();
  const std::lock_guard lock(far.mutex);
  detail::open_annotations.fetch_sub(1, std::memory_order_relaxed);
  gives_keys.fetch_sub(1, std::memory_order_release);
  far.folder.clear();
  far.read = false;
  far.source.reset();
}

std::shared_ptr<Source> current_source() {
  if (std::shared_ptr<Source> source = Describing::source(); source != nullptr) return source;
  FarSource& far = far_source();
  const std::lock_guard lock(far.mutex);
  if (far.folder.empty()) return nullptr;
  // Read when the first child is described: most programs have none. What this run has written until then serves too.
  if (!std::exchange(far.read, true)) far.source = std::make_shared<Source>(far.folder, false);
  return far.source;
}

TaskId find_child(TaskId fresh, std::uint64_t word, std::uint32_t client, const TaskOptions* given) {
  const TaskId parent = current_slot()->running();
  const Key parent_key = key_of(parent);
  if (parent_key.none() || cost_of(parent) < 0) return fresh;
  const std::shared_ptr<Source> source = current_source();
  const TaskType& type = *site(arena::task(fresh).site).type;
  Key function;
  const bool keyed =
      source != nullptr && may_have_key(given) && type.encode_closure != nullptr && type.result != &value_type<Nothing>;
  const Key call = keyed ? call_key(fresh, function) : Key{};
  if (call.none() || (source->contents().any_effects() && source->contents().has_effect(function))) {
    // What this child does, its parent does.
    this_task::has_effect();
    return fresh;
  }
  Parent& calls = parent_of_calls(parent, parent_key);
  note_call(calls.function, function);
  const Key key = KeyMaker().add(parent_key).add(call).add(calls.counts[call]++).key();
  std::optional<Stored> stored = source->find(key);
  if (!stored) {
    set_key(fresh, key);
    return fresh;
  }
  source->count(*stored);
  return take_stored(fresh, word, client, std::move(*stored));
}

void forget_children(TaskId parent) noexcept {
  std::erase_if(parents, [&](const Parent& one) { return one.task == parent; });
}

}  // namespace weft::journal
