#include <weft/pure.hpp>

#include "core/graph/content.hpp"

namespace weft {

TaskId PureCalls::merge(const Handle& fresh) {
  const std::shared_ptr<const detail::Content> content = detail::content_of(fresh.task_id(), 0);
  // What is replaced is released only after the lock: its release may run a destructor that calls again.
  Handle replaced;
  const std::lock_guard lock(mutex_);
  ++calls_;
  const auto [found, is_new] = known_.try_emplace(content, fresh);
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
  std::map<std::shared_ptr<const detail::Content>, Handle> gone;
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
