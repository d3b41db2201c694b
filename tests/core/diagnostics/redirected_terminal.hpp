#pragma once

#include <cstdio>
#include <string>

#include <unistd.h>

#include "core/diagnostics/terminal.hpp"

namespace weft {

/// Sends what goes to the terminal into a file while it lives, and gives it back as text.
/// Owns: a temporary file without a name.  Threading: any thread writes; text() by one.
class RedirectedTerminal {
 public:
  RedirectedTerminal() : file_(std::tmpfile()) { terminal::redirect(fileno(file_)); }
  ~RedirectedTerminal() {
    terminal::redirect(-1);
    std::fclose(file_);
  }
  RedirectedTerminal(const RedirectedTerminal&) = delete;
  RedirectedTerminal& operator=(const RedirectedTerminal&) = delete;

  std::string text() const {
    std::string out;
    char part[4096];
    ssize_t count = 0;
    while ((count = ::pread(fileno(file_), part, sizeof part, static_cast<off_t>(out.size()))) > 0) {
      out.append(part, static_cast<std::size_t>(count));
    }
    return out;
  }

 private:
  std::FILE* file_;
};

}  // namespace weft
