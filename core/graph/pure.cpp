#include <weft/pure.hpp>

#include "core/graph/task_name.hpp"

#include <weft/error.hpp>

namespace weft {

std::string detail::content_key(TaskId task) {
  const TaskRecord& record = arena::task(task);
  const Site& at = site(record.site);
  if (at.type->encode_closure == nullptr) {
    throw Error("the call " + task_name(task) + " (" + at.file + ":" + std::to_string(at.line) +
                ") cannot be compared with others: its function or an argument of it does not travel");
  }
  Writer key;
  key.number(reinterpret_cast<std::uintptr_t>(at.type));
  for (std::uint32_t k = 0; k < record.input_count; ++k) key.number(arena::edge(record.first_input + k).producer);
  at.type->encode_closure(record.payload, key, line_of(record));
  return std::string(reinterpret_cast<const char*>(key.data()), key.size());
}

TaskId PureCalls::merge(const Handle& fresh) {
  std::string key = detail::content_key(fresh.task_id());
  // What is replaced is released only after the lock: its release may run a destructor that calls again.
  Handle replaced;
  const std::lock_guard lock(mutex_);
  ++calls_;
  const auto [found, is_new] = known_.try_emplace(std::move(key), fresh);
  if (is_new) return fresh.task_id();
  const TaskId known = found->second.task_id();
  if ((arena::task(known).word.load(std::memory_order_acquire) & task_word::kFailed) != 0) {
    replaced = std::exchange(found->second, fresh);
    return fresh.task_id();
  }
  arena::add_use(known);
  return known;
}

void PureCalls::forget() {
  std::map<std::string, Handle, std::less<>> gone;
  const std::lock_guard lock(mutex_);
  gone.swap(known_);
  calls_ = 0;
}

std::size_t PureCalls::task_count() const {
  const std::lock_guard lock(mutex_);
  return known_.size();
}

std::size_t PureCalls::call_count() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

}  // namespace weft
