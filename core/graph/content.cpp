#include "core/graph/content.hpp"

#include "core/graph/extras.hpp"
#include "core/graph/task_name.hpp"
#include "core/journal/journal.hpp"

#include <weft/annotate.hpp>
#include <weft/error.hpp>

#include <iterator>
#include <mutex>
#include <unordered_map>

namespace weft::detail {
namespace {

/// All contents that can be equal to another one, and the tasks that `pure` calls are merged with.
struct Register {
  struct Known {
    std::shared_ptr<const Content> content;
    Handle task;
    std::uint32_t client = 0;
  };
  std::mutex mutex;
  // Guarded by mutex.
  std::uint64_t next_number = 1;
  std::unordered_map<std::string, std::weak_ptr<const Content>> contents;
  std::unordered_map<std::uint64_t, Known> tasks;
  std::size_t sweep_at = 0;

  /// Moves what nobody else holds, or what is of one client, to `gone`, which ends after the lock.
  void sweep(std::uint32_t closed_client, std::vector<Known>& gone) {
    for (auto at = tasks.begin(); at != tasks.end();) {
      Known& known = at->second;
      const std::uint64_t word = arena::task(known.task.task_id()).word.load(std::memory_order_acquire);
      const bool mine = closed_client != 0 && known.client == closed_client;
      if (!mine && task_word::uses_of(word) != 1) {
        ++at;
        continue;
      }
      gone.push_back(std::move(known));
      at = tasks.erase(at);
    }
    constexpr std::size_t kFew = 64;
    sweep_at = tasks.size() < kFew ? 0 : 2 * tasks.size();
  }
};

/// Never destroyed: handles may end in static destructors.
Register& all() {
  static Register* const instance = new Register;
  return *instance;
}

std::shared_ptr<const Content> unlike_others() {
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(all().mutex);
    number = all().next_number++;
  }
  return std::make_shared<const Content>(number, std::string(), std::vector<std::shared_ptr<const Content>>());
}

/// Returns what an input is: what a pure call has computed, or itself. A task of a Graph may give another value in each
/// run, so it is like nothing.
std::shared_ptr<const Content> content_of_input(TaskId input) {
  if ((arena::task(input).word.load(std::memory_order_acquire) & task_word::kKept) != 0) return unlike_others();
  std::shared_ptr<const Content> content = unlike_others();
  extras::change(input, [&](TaskExtra& extra) {
    if (extra.content == nullptr) extra.content = content;
    content = extra.content;
  });
  return content;
}

Handle another_use(TaskId task) {
  arena::add_use(task);
  return Delayed<Nothing>::adopt(task);
}

void give_up(TaskId task, std::uint64_t word) {
  for (std::uint64_t uses = task_word::uses_of(word); uses != 0; --uses) arena::drop_use(task);
}

}  // namespace

Content::~Content() {
  // A long chain ends one by one, not each inside of the one before.
  thread_local std::vector<std::shared_ptr<const Content>>* ending = nullptr;
  if (ending != nullptr) {
    ending->insert(ending->end(), std::make_move_iterator(inputs.begin()), std::make_move_iterator(inputs.end()));
    inputs.clear();
  } else if (!inputs.empty()) {
    std::vector<std::shared_ptr<const Content>> queue = std::move(inputs);
    ending = &queue;
    while (!queue.empty()) {
      const std::shared_ptr<const Content> next = std::move(queue.back());
      queue.pop_back();
    }
    ending = nullptr;
  }
  if (key.empty()) return;
  const std::lock_guard lock(all().mutex);
  const auto found = all().contents.find(key);
  // An equal one may have taken its place meanwhile.
  if (found != all().contents.end() && found->second.expired()) all().contents.erase(found);
}

std::shared_ptr<const Content> content_of(TaskId task, std::uint32_t client) {
  const TaskRecord& record = arena::task(task);
  const Site& at = site(record.site);
  if (at.type->encode_closure == nullptr) {
    throw Error("the call " + task_name(task) + " (" + at.file + ":" + std::to_string(at.line) +
                ") cannot be compared with others: its function or an argument of it does not travel; leave out pure");
  }
  Writer writer;
  writer.number(reinterpret_cast<std::uintptr_t>(at.type));
  writer.number(client);
  std::vector<std::shared_ptr<const Content>> inputs;
  for (std::uint32_t k = 0; k < record.input_count; ++k) {
    inputs.push_back(content_of_input(arena::edge(record.first_input + k).producer));
    writer.number(inputs.back()->number);
  }
  at.type->encode_closure(record.payload, writer, line_of(record));
  std::string key(reinterpret_cast<const char*>(writer.data()), writer.size());
  std::shared_ptr<const Content> content;
  {
    const std::lock_guard lock(all().mutex);
    std::weak_ptr<const Content>& known = all().contents[key];
    content = known.lock();
    if (content == nullptr) {
      content = std::make_shared<const Content>(all().next_number++, std::move(key), std::move(inputs));
      known = content;
    }
  }
  extras::change(task, [&](TaskExtra& extra) { extra.content = content; });
  return content;
}

TaskId known_task(TaskId fresh, std::uint64_t word, std::uint32_t client, const TaskOptions* given) {
  const bool pure = (given != nullptr && given->pure) || annotations().pure;
  if (journal::gives_keys.load(std::memory_order_acquire)) {
    const TaskId there = journal::find_result(fresh, word, client, given, pure);
    if (there != fresh) {
      give_up(fresh, word);
      return there;
    }
  }
  if (!pure) return fresh;
  std::shared_ptr<const Content> content;
  try {
    content = content_of(fresh, client);
  } catch (...) {
    give_up(fresh, word);
    throw;
  }
  TaskId known = kNone;
  // Ends after the lock: what is released may call again.
  std::vector<Register::Known> gone;
  {
    const std::lock_guard lock(all().mutex);
    if (all().tasks.size() >= all().sweep_at) all().sweep(0, gone);
    Register::Known& place = all().tasks[content->number];
    const TaskId before = place.task.task_id();
    if (before != kNone && (arena::task(before).word.load(std::memory_order_acquire) & task_word::kFailed) == 0) {
      arena::add_use(before);
      known = before;
    } else {
      gone.push_back(std::exchange(place, {content, another_use(fresh), client}));
    }
  }
  if (known == kNone) return fresh;
  give_up(fresh, word);
  return known;
}

void forget_pure(std::uint32_t client) noexcept {
  std::vector<Register::Known> gone;
  {
    const std::lock_guard lock(all().mutex);
    all().sweep(client, gone);
  }
}

}  // namespace weft::detail
