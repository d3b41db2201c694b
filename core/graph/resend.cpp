#include "core/graph/resend.hpp"

#include "core/diagnostics/inject.hpp"
#include "core/executor/aside.hpp"
#include "core/graph/boxes.hpp"
#include "core/graph/release.hpp"

#include <weft/build.hpp>

#include <cstring>

namespace weft {

void resend_result(TaskRecord& record, const TaskType& type) {
  const ValueType& value = *type.result;
  if (value.encode == nullptr) return;  // declared local_only
  const Aside aside(Phase::Message);
  inject::delay(Phase::Message);
  std::byte* const place = record.payload + result_offset(value.size, value.in_record);
  void* at = place;
  struct Pinned {
    Box* box = nullptr;
    ~Pinned() {
      if (box != nullptr) boxes::unpin(box);
    }
  } pinned;
  if (!value.in_record) {
    Box* box;
    std::memcpy(&box, place, sizeof box);
    at = boxes::pin(box);
    pinned.box = box;
  }
  Writer writer;
  value.encode(at, writer);
  // Once beside the value, to see that it can be read; only then in its place.
  Box* const trial = boxes::make(value);
  struct Discard {
    Box* box;
    ~Discard() { boxes::discard(box); }
  } const discard{trial};
  Reader trial_reader(writer);
  value.decode(trial->value(), trial_reader);
  value.destroy(trial->value());
  Reader reader(writer);
  value.destroy(at);
  value.decode(at, reader);
}

namespace {

/// Takes back the edges that lead to the task described last, where nobody has begun to follow them; returns how many.
std::uint32_t unlink_inputs(const TaskRecord& record) noexcept {
  constexpr std::uint64_t low = (std::uint64_t{1} << task_word::kEdgeShift) - 1;
  std::uint32_t unlinked = 0;
  // Newest first, since each may be the head of its list only once those after it have gone.
  for (std::uint32_t k = record.input_count; k-- > 0;) {
    const std::uint32_t id = record.first_input + k;
    const Edge& edge = arena::edge(id);
    TaskRecord& producer = arena::task(edge.producer);
    // A task of the same graph that has run will run again, and would follow the edge then.
    const bool of_same_graph = record.packet != kNone && producer.packet == record.packet;
    std::uint64_t word = producer.word.load(std::memory_order_acquire);
    while (task_word::edge_of(word) == id + 1 && (of_same_graph || (word & task_word::kDone) == 0)) {
      const std::uint64_t rest = (word & low) | static_cast<std::uint64_t>(edge.next) << task_word::kEdgeShift;
      if (!producer.word.compare_exchange_weak(word, rest, std::memory_order_acq_rel, std::memory_order_acquire))
        continue;
      ++unlinked;
      break;
    }
  }
  return unlinked;
}

/// Gives up a task whose inputs are connected and that nobody knows of yet: what it holds is let go. Its record is free
/// once its producers have followed the edges that were left; of an input that had ended before, nobody can tell that
/// there was none, so that such a record alone (a cache line) stays.
void give_up(TaskRecord& record, bool has_closure) noexcept {
  const std::uint32_t unlinked = unlink_inputs(record);
  if (has_closure) destroy_closure(record);
  record.packet = kNone;
  record.word.store(task_word::kDone | task_word::kFailed, std::memory_order_release);
  for (std::uint32_t k = 0; k < record.input_count && holds_uses(record); ++k) {
    arena::drop_use(arena::edge(record.first_input + k).producer);
  }
  const std::uint32_t mine = unlinked + 1;  // with the guard
  if (record.join.fetch_sub(mine, std::memory_order_acq_rel) == mine)
    arena::free_record(static_cast<TaskId>(&record - arena::tasks));
}

}  // namespace

namespace detail {

std::atomic<std::uint32_t> check_transfer{0};

void resend_closure(TaskRecord& record, const TaskType& type) {
  if (type.encode_closure == nullptr) return;
  struct GiveUp {
    TaskRecord* record;
    bool has_closure = true;
    ~GiveUp() {
      if (record != nullptr) give_up(*record, has_closure);
    }
  } refused{&record};
  Writer writer;
  type.encode_closure(record.payload, writer, line_of(record));
  alignas(TaskRecord) std::byte trial[TaskRecord::kPayloadBytes];
  Reader trial_reader(writer);
  type.decode_closure(trial, trial_reader);
  if (type.destroy_closure != nullptr) {
    type.destroy_closure(trial);
    type.destroy_closure(record.payload);
  }
  refused.has_closure = false;
  Reader reader(writer);
  type.decode_closure(record.payload, reader);
  refused.record = nullptr;
}

}  // namespace detail
}  // namespace weft
