#pragma once

#include <sys/types.h>

namespace weft::command::farm {

/// Sends a signal to a process and to all that descend from it.
void signal_tree(pid_t root, int signal);

/// While it lives, Ctrl-C, SIGTERM and SIGHUP end what this process started before they end the process itself.
/// Owns: a thread.  Threading: made before threads that are to leave these signals alone, by the thread that ends it.
class EndingTogether {
 public:
  EndingTogether();
  ~EndingTogether();
  EndingTogether(const EndingTogether&) = delete;
  EndingTogether& operator=(const EndingTogether&) = delete;

 private:
  struct Watch;
  Watch* watch_;
};

}  // namespace weft::command::farm
