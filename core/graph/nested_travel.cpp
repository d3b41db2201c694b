#include <weft/nested_travel.hpp>

#include <weft/arena.hpp>
#include <weft/error.hpp>
#include <weft/parcel.hpp>

#include <string>
#include <utility>

namespace weft::detail {
namespace {

struct Decoded {
  TaskId task;
  std::uint32_t next;
};
constinit thread_local Decoded decoded{kNone, 0};
constinit thread_local bool later = false;
constinit thread_local std::uint32_t empty_left = 0;

[[noreturn]] void no_such_input() {
  throw Error(
      "a handle inside a container has no input of its task to stand for: the bytes of the task's arguments are not "
      "those of this task");
}

}  // namespace

DecodedInputs::DecodedInputs(TaskId task) noexcept { decoded = {task, 0}; }
DecodedInputs::~DecodedInputs() { decoded = {kNone, 0}; }

void DecodedInputs::skip(std::uint32_t count) {
  if (left() < count) no_such_input();
  decoded.next += count;
}

TaskId DecodedInputs::take() {
  if (left() == 0) no_such_input();
  if (decoded.task == kNone) {
    --empty_left;
    return kNone;
  }
  const TaskId input = arena::edge(arena::task(decoded.task).first_input + decoded.next++).producer;
  arena::add_use(input);
  return input;
}

std::uint32_t DecodedInputs::left() {
  return decoded.task == kNone ? empty_left : arena::task(decoded.task).input_count - decoded.next;
}

DecodedInputs::Later::Later() noexcept : outer_(std::exchange(later, true)) {}
DecodedInputs::Later::~Later() { later = outer_; }
bool DecodedInputs::come_later() noexcept { return later; }

EmptyHandles::EmptyHandles(std::size_t count) noexcept { empty_left = static_cast<std::uint32_t>(count); }
EmptyHandles::~EmptyHandles() { empty_left = 0; }

void refuse_other_handles(std::string_view type) {
  throw Error(std::string(type) +
              " told its handles by weft_handles, and tells others, or not as many, after it has been read again: its "
              "weft_fields must bring back whatever holds handles");
}

std::size_t read_element_count(Reader& reader) {
  const std::uint64_t count = reader.count("a container of handles");
  if (count > reader.remaining() + DecodedInputs::left()) {
    reader.damaged("a container of handles", "it has more elements than there are inputs and bytes");
  }
  return static_cast<std::size_t>(count);
}

}  // namespace weft::detail
