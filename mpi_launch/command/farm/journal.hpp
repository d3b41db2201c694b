#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace weft::command::farm {

/// A file with a line for each command that has ended, by which a later run knows what is done.
///
/// Each line is a JSON object; those with "exit":0 count as done. A line that a crash cut off is taken away.
/// Owns: the file, which no other run may use meanwhile.  Threading: one thread.
class Journal {
 public:
  /// Nothing is remembered.
  Journal() = default;
  /// Reads what is there. `look_only`: makes and changes nothing. Throws Error where the file is none, or in use.
  Journal(const std::string& path, bool look_only);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// Begins a pass over the list: `take_done` tells from here on what earlier runs and passes have done.
  void begin_pass() { left_ = done_; }
  /// Whether the command was done before this pass; where it was so several times, that many calls say yes.
  bool take_done(const std::string& command);
  /// Adds the line of a command that has ended, at once.
  void add(const std::string& command, bool good, const std::string& line);
  bool used() const { return !path_.empty(); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int file_ = -1;
  /// How often each command has been done: in all, and what of that this pass has not taken.
  std::map<std::string, std::uint64_t> done_, left_;
};

}  // namespace weft::command::farm
