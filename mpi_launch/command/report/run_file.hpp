#pragma once

#include <memory>
#include <string>

namespace weft {
class Client;
}

/// What a run did, written by the verbs' --report and read by `weft report`.
namespace weft::command::report {

/// Watches a client from now on and writes what it did as one JSON object.
///
/// The object has "weft_run" (the version of this form), "command", "exit", "seconds", "ledger" (as
/// LedgerReport::to_json), "memory", "workers", "tasks" (the longest) and "events". Owns: the watchers.  Threading: one
/// thread.
class RunFile {
 public:
  /// Throws Error where the file cannot be written.
  RunFile(const Client& client, std::string path, std::string command);
  ~RunFile();
  RunFile(const RunFile&) = delete;
  RunFile& operator=(const RunFile&) = delete;

  void write(int exit_code) const;

 private:
  struct Watchers;
  const Client& client_;
  const std::string path_, command_;
  std::unique_ptr<Watchers> watchers_;
};

}  // namespace weft::command::report
