#pragma once

#include <stdexcept>
#include <string>

namespace weft {

/// Says what went wrong, to which object, and what to do about it: the base of all that weft throws.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A task threw, or an input of it had failed. The text names the task, its line, its inputs and the chain above it.
class TaskError : public Error {
 public:
  using Error::Error;
};

/// The result will never come because the task, or one it needs, was cancelled.
class CancelledError : public Error {
 public:
  using Error::Error;
};

/// Thrown by a task that cannot go on here and now: it is run again later, however often it asks, and others run
/// meanwhile. The pause before it grows from a millisecond to a second. Retries are not used up by it.
///
///     if (!licence.try_take()) throw Reschedule();
class Reschedule : public Error {
 public:
  Reschedule() : Error("a task asked to be run again later (weft::Reschedule)") {}
};

/// What was waited for did not end in the time it was given. The text names what had not.
class TimeoutError : public Error {
 public:
  using Error::Error;
};

/// Work does not fit the memory it was given, or the place to spill is unusable.
class MemoryError : public Error {
 public:
  using Error::Error;
};

/// An option, a configuration file or a graph file is not as it must be.
class ConfigError : public Error {
 public:
  using Error::Error;
};

}  // namespace weft
