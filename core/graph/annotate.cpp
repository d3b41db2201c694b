#include <weft/annotate.hpp>

#include "core/graph/extras.hpp"
#include "core/graph/launch_options.hpp"

namespace weft {
namespace {

constinit thread_local const Annotate* innermost = nullptr;

std::shared_ptr<const TaskOptions> over_outer(const Annotate* outer, TaskOptions options) {
  if (outer == nullptr) return std::make_shared<const TaskOptions>(std::move(options));
  return std::make_shared<const TaskOptions>(merge_options(*outer->options(), options));
}

}  // namespace

Annotate::Annotate(TaskOptions options) : outer_(innermost), options_(over_outer(innermost, std::move(options))) {
  innermost = this;
  detail::open_annotations.fetch_add(1, std::memory_order_relaxed);
}

Annotate::~Annotate() {
  detail::open_annotations.fetch_sub(1, std::memory_order_relaxed);
  innermost = outer_;
}

TaskOptions annotations() { return innermost == nullptr ? TaskOptions{} : *innermost->options(); }

namespace detail {

std::atomic<std::uint32_t> open_annotations{0};

void annotate_task(TaskId task) {
  if (innermost == nullptr) return;
  const std::shared_ptr<const TaskOptions>& options = innermost->options();
  extras::change(task, [&](TaskExtra& extra) {
    extra.options = options;
    if (!options->name.empty()) extra.name = options->name + '/';
  });
}

}  // namespace detail
}  // namespace weft
