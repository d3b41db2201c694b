#pragma once

#include <cstdint>
#include <string>

// Results that outlive the program: --weft-journal=FOLDER.

namespace weft {

/// What a run has taken from its journal, and what stands in it.
struct JournalReport {
  /// Empty: the client has no journal, and all else is 0.
  std::string folder;
  /// Tasks of this run whose results were there, so that they were not run, and their bytes.
  std::uint64_t found = 0;
  std::uint64_t found_bytes = 0;
  /// Results that this run has written so far, and their bytes.
  std::uint64_t written = 0;
  std::uint64_t written_bytes = 0;
  /// Results that the journal held when the program began.
  std::uint64_t held = 0;
  /// Results in it of another program, or another build of it, which are left alone.
  std::uint64_t foreign = 0;
  /// Places in it that cannot be read: a write that was cut off, a disk that lies. They are passed over.
  std::uint64_t damaged = 0;
};

namespace this_task {

/// Says that the running task does something beside giving its result, as writing to a file: a program that goes on by
/// its journal runs it again. Tasks that give nothing, use a named object or an actor, submit others, or write files
/// through weft need not say so. Does nothing outside of tasks.
void has_effect() noexcept;

}  // namespace this_task
}  // namespace weft
