#include "core/cluster/values.hpp"

#include "core/cluster/letters.hpp"
#include "core/executor/slot.hpp"
#include "core/graph/boxes.hpp"
#include "core/graph/release.hpp"
#include "core/graph/task_name.hpp"

#include <weft/encode.hpp>
#include <weft/error.hpp>

#include <cstring>
#include <utility>

namespace weft::cluster {
namespace {

constexpr std::uint8_t kValue = 0;
constexpr std::uint8_t kFailure = 1;

std::uint64_t word_of(TaskId task) { return arena::task(task).word.load(std::memory_order_acquire); }

const ValueType& type_of(const TaskRecord& record) { return *site(record.site).type->result; }

std::shared_ptr<const TaskFailure> failure_of(TaskId task, bool& began_here) {
  std::shared_ptr<const TaskFailure> failure;
  extras::read(task, [&](const TaskExtra& extra) {
    failure = extra.failure;
    began_here = extra.failed_input == kNone;
  });
  return failure;
}

TaskFailure cannot_travel(TaskId task, const std::string& why) {
  TaskFailure failure;
  failure.message = why;
  failure.type = "weft::Error";
  describe_task(task, failure);
  return failure;
}

void shorten(Writer& writer, std::size_t size) {
  Writer kept;
  kept.bytes(writer.data(), size);
  writer = std::move(kept);
}

/// Writes a value that lies in its record, its length before it. False where that cannot be: then nothing is written.
bool write_in_place(Writer& writer, const TaskRecord& record, const ValueType& type) {
  constexpr std::size_t kShort = 0x80;  // lengths below are one byte
  const std::size_t begin = writer.size();
  try {
    writer.number(std::uint8_t{0});
    writer.number(kValue);
    type.encode(record.payload + result_offset(type.size, true), writer);
  } catch (const std::exception&) {
    shorten(writer, begin);
    return false;
  }
  const std::size_t size = writer.size() - begin - 1;
  if (size >= kShort) {
    shorten(writer, begin);
    return false;
  }
  const_cast<std::byte*>(writer.data())[begin] = static_cast<std::byte>(size);
  return true;
}

}  // namespace

Box* box_of(const TaskRecord& record) noexcept {
  Box* box;
  std::memcpy(&box, record.payload + result_offset(0, false), sizeof box);
  return box;
}

void set_box(TaskRecord& record, Box* box) noexcept {
  std::memcpy(record.payload + result_offset(0, false), &box, sizeof box);
}

bool is_here(TaskId task) noexcept {
  const std::uint64_t word = word_of(task);
  if ((word & task_word::kDone) == 0) return false;
  const TaskRecord& record = arena::task(task);
  if ((word & task_word::kFailed) != 0) return true;
  const bool managed = (record.join.load(std::memory_order_relaxed) & kManagedJoin) != 0;
  if (managed && is_elsewhere(record)) return false;
  return type_of(record).in_record || box_of(record) != nullptr;
}

bool keeps_inputs(TaskId task) {
  bool keeps = false;
  if ((word_of(task) & task_word::kFailed) != 0)
    extras::read(task, [&](const TaskExtra& extra) { keeps = extra.keeps_inputs; });
  return keeps;
}

std::uint64_t bytes_of_result(TaskId task) noexcept {
  const TaskRecord& record = arena::task(task);
  if ((word_of(task) & task_word::kFailed) != 0) return 64;
  if (type_of(record).in_record) return type_of(record).size;
  const Box* const box = box_of(record);
  return box == nullptr ? 0 : box->charged_bytes;
}

PinnedResult::PinnedResult(TaskId task) {
  TaskRecord& record = arena::task(task);
  const ValueType& type = type_of(record);
  if (type.in_record) {
    value_ = record.payload + result_offset(type.size, true);
    return;
  }
  Box* const box = box_of(record);
  if (box == nullptr) return;
  value_ = boxes::pin(box);
  box_ = box;
}

PinnedResult::~PinnedResult() {
  if (box_ != nullptr) boxes::unpin(box_);
}

void write_failure(Writer& writer, const TaskFailure& failure, bool began_here) {
  writer.number(static_cast<std::uint8_t>(failure.kind));
  writer.number(static_cast<std::uint8_t>(began_here ? 1 : 0));
  write_text(writer, failure.message);
  write_text(writer, failure.type);
  write_text(writer, failure.task);
  write_text(writer, failure.file);
  writer.count(failure.line);
  write_text(writer, failure.arguments);
  writer.number(static_cast<std::uint8_t>(failure.inside ? 1 : 0));
  writer.count(failure.attempt);
  write_text(writer, failure.stack);
}

TaskEnd read_failure(Reader& reader) {
  TaskEnd end;
  end.failure = std::make_shared<TaskFailure>();
  TaskFailure& failure = *end.failure;
  const auto kind = reader.number<std::uint8_t>("failure");
  if (kind > static_cast<std::uint8_t>(TaskFailure::Kind::Lost)) reader.damaged("failure", "it is of no kind");
  failure.kind = static_cast<TaskFailure::Kind>(kind);
  end.began_here = reader.number<std::uint8_t>("failure") != 0;
  failure.message = read_text(reader);
  failure.type = read_text(reader);
  failure.task = read_text(reader);
  failure.file = read_text(reader);
  failure.line = read_small(reader, "failure");
  failure.arguments = read_text(reader);
  failure.inside = reader.number<std::uint8_t>("failure") != 0;
  failure.attempt = read_small(reader, "failure");
  failure.stack = read_text(reader);
  return end;
}

void write_end(Writer& writer, TaskId task) {
  const TaskRecord& record = arena::task(task);
  const ValueType& type = type_of(record);
  const bool plain = type.in_record && type.encode != nullptr && (word_of(task) & task_word::kFailed) == 0;
  if (plain && write_in_place(writer, record, type)) return;
  thread_local Writer body;  // keeps its memory: most ends are a few bytes
  body.clear();
  if ((word_of(task) & task_word::kFailed) != 0) {
    bool began_here = true;
    const std::shared_ptr<const TaskFailure> failure = failure_of(task, began_here);
    body.number(kFailure);
    write_failure(body, failure != nullptr ? *failure : cannot_travel(task, "failed; nothing more is known"),
                  began_here);
  } else if (type.encode == nullptr) {
    body.number(kFailure);
    write_failure(body,
                  cannot_travel(task, "its result, a " + spelled_type(type.name()) +
                                          ", is needed by another process and cannot leave the one it was made in"),
                  true);
  } else {
    const PinnedResult pinned(task);
    try {
      body.number(kValue);
      type.encode(pinned.value(), body);
    } catch (const std::exception& error) {
      body.clear();
      body.number(kFailure);
      write_failure(body, cannot_travel(task, std::string("its result cannot be encoded: ") + error.what()), true);
    }
  }
  writer.count(body.size());
  writer.bytes(body.data(), body.size());
}

TaskEnd read_end(Reader& reader, TaskRecord& record) {
  const std::size_t size = reader.elements(1, "task's end");
  Reader body(reader.view(size, "task's end"), size);
  const auto what = body.number<std::uint8_t>("task's end");
  if (what == kFailure) return read_failure(body);
  if (what != kValue) body.damaged("task's end", "it is neither a value nor a failure");
  const ValueType& type = type_of(record);
  if (type.decode == nullptr) body.damaged("task's end", "a value came of a type that does not travel");
  if (type.in_record) {
    type.decode(record.payload + result_offset(type.size, true), body);
    return {};
  }
  Box* const box = boxes::make(type);
  try {
    type.decode(box->value(), body);
  } catch (...) {
    boxes::discard(box);
    throw;
  }
  boxes::keep(box);
  set_box(record, box);
  return {};
}

void skip_end(Reader& reader) {
  const std::size_t size = reader.elements(1, "task's end");
  reader.view(size, "task's end");
}

void* make_block(const ValueType& type, std::size_t bytes, Box*& box) {
  box = nullptr;
  if (type.payload == nullptr || type.in_record) return nullptr;
  box = boxes::make(type);
  try {
    return type.payload->make(box->value(), bytes);
  } catch (...) {
    boxes::discard(box);
    box = nullptr;
    throw;
  }
}

void keep_block(TaskRecord& record, Box* box) {
  boxes::keep(box);
  set_box(record, box);
}

void drop_block(Box* box) noexcept {
  box->type->destroy(box->value());
  boxes::discard(box);
}

std::uint64_t mark_ended(TaskId task, std::shared_ptr<const TaskFailure> failure, TaskId failed_input) {
  std::uint64_t add = task_word::kDone;
  if (failure != nullptr) {
    extras::change(task, [&](TaskExtra& extra) {
      extra.failure = std::move(failure);
      extra.failed_input = failed_input;
    });
    failed_records.fetch_add(1, std::memory_order_relaxed);
    add |= task_word::kFailed;
  }
  return arena::task(task).word.fetch_or(add, std::memory_order_acq_rel);
}

}  // namespace weft::cluster
