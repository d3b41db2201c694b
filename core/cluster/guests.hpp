#pragma once

#include "core/cluster/letters.hpp"

#include <weft/task_options.hpp>

// What a client in another process, a guest, writes to the process that holds the scheduler. Its tasks become tasks of
// that process, and are known to both by a number that the guest gives.

namespace weft::cluster {

/// The attached client for which this thread launches tasks; 0: for the job's own.
extern thread_local std::uint64_t launching_for;

enum class GuestForm : std::uint8_t {
  Submit = 1,  ///< A task: number, site, options, inputs, closure. Answered when it has ended.
  Bind,        ///< A number for a task that is there: a question that leads to it follows. Answered as Submit.
  Value,       ///< The value of an ended task.
  Publish,     ///< The task of this number, under a name.
  Release,     ///< Numbers that are not used any more.
  Cancel,      ///< A task shall not start.
  Workers,     ///< Who is there.
  Holders,     ///< Which workers hold the result of a task.
  Replicate,   ///< How many copies; of which tasks. Answered once they have been asked for.
  Rebalance,   ///< 0; which tasks shall lie at the workers in equal shares.
  Called,      ///< Answers Ask, a call of one of its actors: its number; the task of this number, or 0 and why not.
  Question,    ///< A question with tasks of the guest's: whether it waits, their numbers; the question follows.
};
inline constexpr std::uint8_t kLastGuestForm = static_cast<std::uint8_t>(GuestForm::Question);

/// Of an input: the task of a number, or a value that was sent along.
enum class GuestInput : std::uint8_t { Number = 0, Sent = 1 };

void write(Writer& writer, const TaskOptions& options);
/// Throws Error where the bytes are no options.
TaskOptions read_options(Reader& reader);
/// The bytes of a letter, as questions are kept.
inline std::string text_of(const Writer& writer) {
  return {reinterpret_cast<const char*>(writer.data()), writer.size()};
}

}  // namespace weft::cluster
