#pragma once

#include <unistd.h>

#include <cstdlib>
#include <string>

namespace weft::oracle {

/// Returns the Python that answers: WEFT_TEST_PYTHON, that of the tree's .venv, which tools/setup makes, or python3.
inline std::string python() {
  if (const char* const named = std::getenv("WEFT_TEST_PYTHON")) return named;
  const char* const ours = WEFT_SOURCE_DIR "/.venv/bin/python";
  return access(ours, X_OK) == 0 ? ours : "python3";
}

}  // namespace weft::oracle
