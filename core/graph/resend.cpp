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

namespace detail {

std::atomic<std::uint32_t> check_transfer{0};

void resend_closure(TaskRecord& record, const TaskType& type) {
  if (type.encode_closure == nullptr) return;
  bool there = true;
  try {
    Writer writer;
    type.encode_closure(record.payload, writer, line_of(record));
    alignas(TaskRecord) std::byte trial[TaskRecord::kPayloadBytes];
    Reader trial_reader(writer);
    type.decode_closure(trial, trial_reader);
    if (type.destroy_closure != nullptr) type.destroy_closure(trial);
    destroy_closure(record);
    there = false;
    Reader reader(writer);
    type.decode_closure(record.payload, reader);
  } catch (...) {
    if (there) destroy_closure(record);
    throw;
  }
}

}  // namespace detail
}  // namespace weft
