#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <typeinfo>
#include <vector>

namespace weft {

/// Returns the name of a type as the user wrote it ("std::vector<int>"), with the library's inline namespaces dropped.
std::string readable_type(const std::type_info& type);
/// Returns the name of a function or a type as it is spelled, from the name that the linker knows it by.
std::string readable_symbol(const char* mangled);

/// What a callable threw.
struct Thrown {
  std::string type;     ///< "std::runtime_error", "int", ...
  std::string message;  ///< what() and what is nested in it; the value for strings and numbers; else a sentence
};

/// Describes any exception, also those not derived from std::exception. Never throws anything but bad_alloc.
Thrown describe(const std::exception_ptr& exception);

/// A step of the user's program: an operation and the line it stands on.
struct SourceStep {
  std::string name;
  std::string file;
  int line = 0;
};

/// All that is known about a task that failed: plain, so that it travels between processes and every mode prints it
/// alike. Empty fields are left out of the text.
struct Failure {
  std::string task;  ///< its name, with its index where it has one
  Thrown thrown;
  SourceStep at;                        ///< the line that made the task
  std::vector<SourceStep> operations;   ///< of a fused task: what it does, first to last
  std::vector<std::string> inputs;      ///< a summary each: "load#3: 1.5 GiB, float32 [4096, 4096]"
  std::string stack;                    ///< where it was thrown, a function a line, the innermost first
  std::vector<std::string> dependents;  ///< tasks that cannot run now, the nearest first, up to the result asked for
  std::uint64_t more_dependents = 0;    ///< further ones that are not listed
  std::string worker;
  int slot = -1;
  unsigned attempt = 1;
  unsigned attempts_allowed = 1;
  bool can_rerun = false;  ///< whether rerun_locally() applies
};

/// Returns the text of the TaskError for a failure: one line that says it all, then the details, one a line.
std::string failure_text(const Failure& failure);

}  // namespace weft
