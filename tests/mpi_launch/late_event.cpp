/// A library to preload: Open MPI's event thread gets to the events of its PMIx plug-in a fifth of a second late, as
/// where other work keeps it from a core. For job_test.py.

#include <dlfcn.h>

#include <chrono>
#include <cstdio>
#include <cstring>

namespace {

using Callback = void (*)(int, short, void*);
using EventAssign = int (*)(void*, void*, int, short, Callback, void*);

/// Lives until the process ends, like the event it stands for.
struct Late {
  Callback callback;
  void* argument;
};

void run_late(int file, short what, void* argument) {
  const Late late = *static_cast<Late*>(argument);
  std::fputs("an event is late\n", stderr);
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
  while (std::chrono::steady_clock::now() < until) continue;
  late.callback(file, what, late.argument);
}

}  // namespace

extern "C" int event_assign(void* event, void* base, int file, short what, Callback callback, void* argument) {
  static const auto next = reinterpret_cast<EventAssign>(::dlsym(RTLD_NEXT, "event_assign"));
  Dl_info home{};
  if (::dladdr(reinterpret_cast<void*>(callback), &home) == 0 || std::strstr(home.dli_fname, "mca_pmix") == nullptr) {
    return next(event, base, file, what, callback, argument);
  }
  return next(event, base, file, what, &run_late, new Late{callback, argument});
}
