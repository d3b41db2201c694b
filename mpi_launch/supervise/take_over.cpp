// Lets a process that a supervisor started be a worker (or `weft scheduler` a scheduler) from the first line of `main`
// on, without running the program's
// own main: what that does before it opens a client (reading arguments, calling MPI_Init, printing) is not a worker's
// business.
//
// `main` is handed to the C library by the start code of every program; glibc takes it as the first argument of
// __libc_start_main. The definition below stands before glibc's in the order of linking and passes another main on. All
// static objects have been made by then, so that every task type is registered. Where this file has no effect (another
// C library, a program linked statically), the first client that is opened calls live_as_worker instead.

#include "mpi_launch/supervise/worker_main.hpp"

#ifdef __GLIBC__

#include <dlfcn.h>

#include <cstdlib>
#include <cstring>

namespace {

using Main = int (*)(int, char**, char**);
using Start = int (*)(Main, int, char**, void (*)(), void (*)(), void (*)(), void*);

int worker_instead(int, char**, char**) { weft::launch::live_as_worker(); }
int scheduler_instead(int argc, char** argv, char**) { return weft::launch::live_as_scheduler(argc, argv); }

int joiner_instead(int, char**, char**) { return weft::launch::live_as_joiner(); }

}  // namespace

extern "C" __attribute__((weak)) int __libc_start_main(Main main, int argc, char** argv, void (*init)(), void (*fini)(),
                                                       void (*linker_fini)(), void* stack_end) {
  const auto start = reinterpret_cast<Start>(::dlsym(RTLD_NEXT, "__libc_start_main"));
  if (start == nullptr) std::abort();
  Main chosen = main;
  if (weft::launch::started_as_scheduler(argv + argc + 1)) chosen = &scheduler_instead;
  if (weft::launch::started_to_join(argv + argc + 1)) chosen = &joiner_instead;
  if (weft::launch::started_as_worker(argv + argc + 1)) chosen = &worker_instead;
  return start(chosen, argc, argv, init, fini, linker_fini, stack_end);
}

#endif
