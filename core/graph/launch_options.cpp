#include "core/graph/launch_options.hpp"

#include "core/graph/extras.hpp"

#include <weft/arena.hpp>

#include <algorithm>

namespace weft {

TaskOptions merge_options(const TaskOptions& outer, const TaskOptions& inner) {
  TaskOptions both = inner;
  if (both.priority == 0) both.priority = outer.priority;
  if (both.retries == 0) {
    both.retries = outer.retries;
    both.retry_delay = outer.retry_delay;
    both.retry_if = outer.retry_if;
  }
  both.resources.insert(outer.resources.begin(), outer.resources.end());
  if (both.workers.empty()) {
    both.workers = outer.workers;
    both.allow_other_workers = outer.allow_other_workers;
  }
  if (both.memory_bytes == 0) both.memory_bytes = outer.memory_bytes;
  if (!outer.name.empty()) both.name = inner.name.empty() ? outer.name : outer.name + '/' + inner.name;
  both.pure = outer.pure || inner.pure;
  both.retriable = outer.retriable && inner.retriable;
  both.journalled = outer.journalled && inner.journalled;
  if (both.fifo_timeout.count() == 0) both.fifo_timeout = outer.fifo_timeout;
  if (both.batch_size == 0) both.batch_size = outer.batch_size;
  return both;
}

LaunchOptions::LaunchOptions(TaskId task, const TaskOptions* given)
    : options_(given != nullptr && !given->plain() ? given : nullptr) {
  if ((arena::task(task).word.load(std::memory_order_relaxed) & task_word::kExtra) == 0) return;
  extras::read(task, [&](const TaskExtra& extra) {
    described_ = extra.options;
    turn_ = extra.turn;
  });
  if (described_ == nullptr) return;
  if (options_ == nullptr) {
    options_ = described_.get();
  } else {
    merged_ = merge_options(*described_, *options_);
    options_ = &*merged_;
  }
}

void LaunchOptions::keep(TaskId task, std::uint64_t default_retries) const {
  const std::uint64_t asked = options_ != nullptr ? options_->retries : 0;
  const std::uint64_t retries = asked != 0 ? asked : default_retries;
  if (retries == 0 && (options_ == nullptr || options_->name.empty())) return;
  extras::change(task, [&](TaskExtra& extra) {
    extra.retries_left = static_cast<std::uint16_t>(std::min<std::uint64_t>(retries, 0xffff));
    if (options_ == nullptr) return;
    // Of a scope's name alone it is the beginning.
    extra.name = options_ == described_.get() && !options_->name.empty() ? options_->name + '/' : options_->name;
    extra.retry_delay_s = options_->retry_delay.count();
    extra.retry_if = options_->retry_if;
  });
}

}  // namespace weft
