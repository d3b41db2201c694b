#include <weft/run.hpp>

#include "core/runtime/runtime.hpp"
#include "mpi_launch/start/cluster.hpp"
#include "mpi_launch/start/interruption.hpp"
#include "mpi_launch/start/ranks.hpp"
#include "mpi_launch/start/walltime.hpp"

#include <weft/error.hpp>
#include <weft/log.hpp>

#include <fmt/format.h>

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>

namespace weft::detail {

namespace {

/// Set once the client was closed because the time is nearly over.
std::atomic<bool> out_of_time{false};

/// While a session is open; made and ended by the thread that called `run`.
std::unique_ptr<launch::Interruption> interruption;

/// Lets this file, and no other, see what a client runs on.
struct Peek : Submitting {
  static Runtime* runtime_of(const Submitting& client) { return client.*&Peek::runtime_; }
};

}  // namespace

RunSession::RunSession(int& argc, char** argv, const Options& options)
    : client_(new Client(argc, argv, options)), args_(argv + (argc > 0 ? 1 : 0), argv + argc) {
  watch_time();
  if (interruption == nullptr)
    interruption = std::make_unique<launch::Interruption>(client_->serial(), client_->settings().journal);
}

RunSession::~RunSession() { interruption.reset(); }

void RunSession::watch_time() {
  const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  const Settings& settings = client_->settings();
  const auto known = launch::read_job_end(settings, now);
  if (!known && std::getenv("SLURM_JOB_ID") == nullptr) return;
  Runtime* const runtime = Peek::runtime_of(*client_);
  launch::DeadlineCalls calls;
  calls.end = [known] { return known ? known : launch::ask_slurm(); };
  calls.known = [runtime](double seconds) { runtime->set_time_left(seconds); };
  calls.nothing_fits = [runtime] { return runtime->out_of_time(); };
  calls.stop = [runtime, margin = settings.walltime_margin](const launch::JobEnd& end, const std::string& why,
                                                            double seconds) {
    out_of_time.store(true);
    if (why.empty()) {
      logging::warning("launch", "the time of the job ends in ", margin, " s (", end.source,
                       "): no more tasks are started; the exit code will be 75, run it again to go on");
    } else {
      logging::warning("launch", why, "; ", fmt::format("{:.1f}", seconds), " s are left (", end.source,
                       ", less the margin), and nothing else waits: the program ends now; the exit code will be 75, "
                       "run it again to go on");
    }
    runtime->close();
  };
  deadline_ = std::make_unique<launch::Deadline>(std::move(calls), settings.walltime_margin);
}

int RunSession::finish(int code) {
  deadline_.reset();
  const bool within_budget = client_->close();
  client_.reset();
  if (out_of_time.load() && code != 0) return launch::kExitResume;
  return within_budget || code != 0 ? code : 1;
}

int report_exception() noexcept {
  if (out_of_time.load()) return launch::kExitResume;
  launch::let_rank_0_speak();
  try {
    throw;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "weft: %s\n", error.what());
  } catch (...) {
    std::fprintf(stderr, "weft: the program ended with an exception that is not a std::exception\n");
  }
  return 1;
}

}  // namespace weft::detail
