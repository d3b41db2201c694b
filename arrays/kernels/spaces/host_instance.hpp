#pragma once

#include <Kokkos_Core.hpp>

// What differs between Kokkos 3.4 and its later versions, and nobody else may care about.

namespace weft::arrays::kernels {

/// A slot is one thread: its space is the one that loops on the calling thread.
#ifdef KOKKOS_ENABLE_SERIAL
using HostSpace = Kokkos::Serial;
#else
using HostSpace = Kokkos::DefaultHostExecutionSpace;
#endif

/// Starts Kokkos where the program has not, with one thread; a program that wants it otherwise starts it first. It
/// stays until the process ends: whoever computes last is not known.
inline void start_kokkos() {
  static const bool started = [] {
    if (Kokkos::is_initialized()) return true;
#if KOKKOS_VERSION >= 30700
    Kokkos::initialize(Kokkos::InitializationSettings().set_num_threads(1).set_disable_warnings(true));
#else
    Kokkos::InitArguments arguments;
    arguments.num_threads = 1;
    arguments.disable_warnings = true;
    Kokkos::initialize(arguments);
#endif
    return true;
  }();
  static_cast<void>(started);
}

/// Returns the calling slot's instance. Loops over ranges need no scratch memory, so that of 3.4's Serial, which is one
/// for the process, does no harm.
inline const HostSpace& host_instance() {
  start_kokkos();
  thread_local const HostSpace instance;
  return instance;
}

template <class Item>
void each_item(const HostSpace& instance, const char* name, const Item& item) {
  using Policy = Kokkos::RangePolicy<HostSpace, Kokkos::IndexType<std::int64_t>>;
  Kokkos::parallel_for(name, Policy(instance, 0, item.items()), item);
}

}  // namespace weft::arrays::kernels
