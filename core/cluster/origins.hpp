#pragma once

#include <weft/ids.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

// Which task of the client a task of a worker is: so that what is told of a worker's death has the client's numbers.

namespace weft::cluster {

struct Origin {
  PacketId packet = kNone;
  std::uint32_t index = 0;
};

/// Notes the tasks of a packet that the executor knows as `run`, until `forget_tasks`, which is called before `ids`
/// changes.
void note_tasks(PacketId run, PacketId packet, const std::vector<TaskId>& ids);
void forget_tasks(PacketId run);

/// Finds a task's origin; false for one that was submitted by a task. Any thread.
bool find_origin(TaskId task, Origin& origin);
/// The same for the task that the calling thread runs, without a lock: for handlers of signals.
bool find_own_origin(TaskId task, Origin& origin) noexcept;

/// In texts about a worker's tasks "#17<4.2>" is its task 17, which is task 2 of packet 4. Returns the text with the
/// client's number, "#1203", where `number` knows it (else it returns kNone), and without what is in brackets.
std::string with_numbers(std::string_view text, const std::function<TaskId(const Origin&)>& number);

}  // namespace weft::cluster
