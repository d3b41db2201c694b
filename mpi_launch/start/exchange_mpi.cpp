// The one file that knows MPI.

#include "mpi_launch/start/exchange.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#if WEFT_HAS_MPI
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <dlfcn.h>
#include <link.h>
#include <mpi.h>
#endif

namespace weft::launch {

#if WEFT_HAS_MPI

namespace {

/// Set once weft has finished the MPI that it had started: MPI cannot be started twice.
bool is_used_up = false;

void refuse_second_start(const char* call) {
  if (!is_used_up) return;
  throw Error(std::string(call) +
              " was called after the weft client: weft has started MPI to find its ranks and finished it again, and it "
              "starts only once in a process; call " +
              call + " before weft::run or the first weft::Client, which then leave MPI to the application");
}

void check(int code, const char* what) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int size = 0;
  ::MPI_Error_string(code, text, &size);
  throw Error(std::string(what) + " failed: " + std::string(text, static_cast<std::size_t>(size)));
}

/// Sets a variable while it lives, unless the user has set it.
class DefaultVariable {
 public:
  DefaultVariable(const char* name, const char* value) : name_(name), ours_(std::getenv(name) == nullptr) {
    if (ours_) ::setenv(name, value, 0);
  }
  ~DefaultVariable() {
    if (ours_) ::unsetenv(name_);
  }
  DefaultVariable(const DefaultVariable&) = delete;
  DefaultVariable& operator=(const DefaultVariable&) = delete;

 private:
  const char* name_;
  const bool ours_;
};

/// Keeps every library that is loaded now where it is. MPI_Finalize unloads MPI's plug-ins, and a thread of theirs that
/// the system lets run again only afterwards would find its code gone.
void keep_libraries() {
  std::vector<std::string> paths;
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* list) {
        if (info->dlpi_name != nullptr && info->dlpi_name[0] != 0)
          static_cast<std::vector<std::string>*>(list)->emplace_back(info->dlpi_name);
        return 0;
      },
      &paths);
  for (const std::string& path : paths) {
    if (void* const library = ::dlopen(path.c_str(), RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE)) ::dlclose(library);
  }
}

using Threads = std::vector<std::string>;

/// Returns the folders of this process's threads, in order.
Threads threads_now() {
  Threads threads;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", none)) {
    threads.push_back(entry.path().string());
  }
  std::sort(threads.begin(), threads.end());
  return threads;
}

bool sleeps(const std::string& thread) {
  std::ifstream file(thread + "/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t name_end = line.rfind(')');
  return name_end == std::string::npos || name_end + 2 >= line.size() || line[name_end + 2] != 'R';
}

/// Waits until threads have nothing left to do, a second at most.
///
/// Open MPI leaves an event of MPI_Init to a thread of its own. Where that thread is kept from a core until
/// MPI_Finalize has unloaded the code of the event, it runs into memory that is no longer there; with the code kept,
/// into what the plug-in has freed.
void let_rest(const Threads& threads) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  for (int looks = 0; looks < 2 && std::chrono::steady_clock::now() < until;) {
    const bool all = std::all_of(threads.begin(), threads.end(), &sleeps);
    looks = all ? looks + 1 : 0;
    if (looks < 2) std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}

/// Starts MPI unless the application has, and finishes what it started.
class MpiSession {
 public:
  MpiSession() {
    int done = 0;
    check(::MPI_Finalized(&done), "MPI_Finalized");
    if (done != 0) {
      throw Error(
          "the application has called MPI_Finalize before it opened its first weft client; open the client first, "
          "or call MPI_Finalize later");
    }
    int begun = 0;
    check(::MPI_Initialized(&begun), "MPI_Initialized");
    if (begun != 0) return;
    // A few hundred bytes go through it once: the plainest of Open MPI's transports start soonest.
    const DefaultVariable pml("OMPI_MCA_pml", "ob1");
    const DefaultVariable btl("OMPI_MCA_btl", "self,tcp");
    const Threads before = threads_now();
    int level = 0;
    check(::MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SINGLE, &level), "MPI_Init_thread");
    ours_ = true;
    const Threads now = threads_now();
    std::set_difference(now.begin(), now.end(), before.begin(), before.end(), std::back_inserter(threads_));
  }
  ~MpiSession() {
    if (!ours_) return;
    keep_libraries();
    let_rest(threads_);
    ::MPI_Finalize();
    is_used_up = true;
  }
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;

 private:
  bool ours_ = false;
  // Those that MPI has started.
  Threads threads_;
};

}  // namespace

Meeting meet_by_mpi(const Ranks& ranks, const Meeting& mine) {
  const MpiSession session;
  int rank = 0;
  int count = 0;
  check(::MPI_Comm_rank(MPI_COMM_WORLD, &rank), "MPI_Comm_rank");
  check(::MPI_Comm_size(MPI_COMM_WORLD, &count), "MPI_Comm_size");
  if (static_cast<std::uint32_t>(rank) != ranks.rank || static_cast<std::uint32_t>(count) != ranks.count) {
    throw Error("the launcher (" + ranks.launcher + ") says rank " + std::to_string(ranks.rank) + " of " +
                std::to_string(ranks.count) + ", MPI says " + std::to_string(rank) + " of " + std::to_string(count) +
                ": the mpirun that started this program belongs to another MPI than the one weft was built with (" +
                mpi_version_text() + ")");
  }
  const auto size_of_text = [](const std::string& text) { return static_cast<int>(text.size()); };
  int sizes[3] = {size_of_text(mine.endpoint), size_of_text(mine.secret), size_of_text(mine.tls)};
  check(::MPI_Bcast(sizes, 3, MPI_INT, 0, MPI_COMM_WORLD), "MPI_Bcast");
  std::string text = mine.endpoint + mine.secret + mine.tls;
  text.resize(static_cast<std::size_t>(sizes[0] + sizes[1] + sizes[2]));
  check(::MPI_Bcast(text.data(), size_of_text(text), MPI_CHAR, 0, MPI_COMM_WORLD), "MPI_Bcast");
  const auto endpoint = static_cast<std::size_t>(sizes[0]);
  const auto secret = static_cast<std::size_t>(sizes[1]);
  return {text.substr(0, endpoint), text.substr(endpoint, secret), text.substr(endpoint + secret)};
}

std::string mpi_version_text() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING];
  int size = 0;
  ::MPI_Get_library_version(text, &size);
  std::string line(text, static_cast<std::size_t>(size));
  line = line.substr(0, line.find_first_of("\n,"));
  return line;
}

bool mpi_is_open() {
  int begun = 0;
  int done = 0;
  ::MPI_Initialized(&begun);
  ::MPI_Finalized(&done);
  return begun != 0 && done == 0;
}

void finish_applications_mpi() {
  if (mpi_is_open()) ::MPI_Finalize();
}

}  // namespace weft::launch

// MPI's own hook for wrappers: whoever starts MPI again hears why that cannot be, in weft's words. Weak, so that
// another wrapper may stand in front.
extern "C" __attribute__((weak)) int MPI_Init(int* argc, char*** argv) {
  weft::launch::refuse_second_start("MPI_Init");
  return ::PMPI_Init(argc, argv);
}
extern "C" __attribute__((weak)) int MPI_Init_thread(int* argc, char*** argv, int required, int* provided) {
  weft::launch::refuse_second_start("MPI_Init_thread");
  return ::PMPI_Init_thread(argc, argv, required, provided);
}

namespace weft::launch {

#else

Meeting meet_by_mpi(const Ranks&, const Meeting&) {
  throw Error(
      "this weft was built without MPI; install an MPI (libopenmpi-dev openmpi-bin) and build it again, or let the "
      "ranks meet by a file: --weft-address-file");
}

std::string mpi_version_text() { return ""; }
bool mpi_is_open() { return false; }
void finish_applications_mpi() {}

#endif

}  // namespace weft::launch
