#include <weft/client.hpp>

#include "core/graph/boxes.hpp"
#include "core/runtime/layout.hpp"
#include "core/runtime/runtime.hpp"

#include <weft/error.hpp>
#include <weft/log.hpp>

#include <cstdio>
#include <cstdlib>

namespace weft {
namespace {

thread_local int no_compute_depth = 0;

/// A client without a command line has no program to end.
Settings refuse_dry_run(Settings settings) {
  if (settings.dry_run) {
    throw ConfigError("--weft-dry-run (" + settings.origin("dry-run").where +
                      "): only weft::run and a client opened with the command line, Client client(argc, argv), can end "
                      "the program; plan(x) tells what one computation would take");
  }
  return settings;
}

/// Ends a dry run: tells what the program would run on and goes, before its body.
Settings end_dry_run(Settings settings) {
  if (settings.dry_run) {
    std::printf("weft: a dry run, nothing is computed\n%s", layout_text(settings).c_str());
    std::fflush(stdout);
    std::exit(0);
  }
  return settings;
}

}  // namespace

namespace detail {

void check_may_compute(const char* what) {
  if (no_compute_depth != 0) {
    throw Error(std::string(what) + ": nothing may be computed here: a NoCompute scope is open in this thread");
  }
}

void Submitting::require_open() const {
  check_may_compute("Client::submit");
  if (Runtime::find(serial_) != runtime_) {
    throw Error("this client has been closed: open another weft::Client before submitting to it");
  }
}

void Submitting::launch(TaskId task) const { runtime_->launch(task, options_.get()); }

void Submitting::launch(const std::vector<TaskId>& tasks) const { runtime_->launch(tasks, options_.get()); }

}  // namespace detail

Client::Client(Settings settings, std::map<std::string, std::uint32_t> resources)
    : Submitting(nullptr, 0, nullptr), owned_(make_runtime(refuse_dry_run(std::move(settings)), std::move(resources))) {
  runtime_ = owned_.get();
  serial_ = owned_->serial();
}

Client::Client(const Options& options, std::map<std::string, std::uint32_t> resources)
    : Client(resolve(options), std::move(resources)) {}

Client::Client(int& argc, char** argv, const Options& options, std::map<std::string, std::uint32_t> resources)
    : Client(end_dry_run(resolve(argc, argv, options)), std::move(resources)) {}

Client::~Client() {
  if (owned_ != nullptr) close();
}

bool Client::close() {
  if (owned_ == nullptr) return true;
  const bool within_budget = owned_->close();
  owned_.reset();
  return within_budget;
}

Annotated Client::with(TaskOptions options) const {
  return Annotated(runtime_, serial_, std::make_shared<const TaskOptions>(std::move(options)));
}

void Client::run(Graph& graph) const {
  require_open();
  runtime_->run(detail::parts_of(graph));
}

void Client::launch_needed(const Handle& handle) const {
  require_open();
  if (!handle.valid()) throw Error("this handle is empty: it was moved from or never assigned");
  runtime_->launch_needed(handle.task_id(), nullptr);
}

void Client::wait_for(const Handle& handle) const { runtime_->wait(handle.task_id()); }

unsigned Client::slots() const { return runtime_->slots(); }

RunCounts Client::counts() const {
  const Runtime::Counts counts = runtime_->counts();
  return {counts.tasks_done, counts.tasks_total, counts.tasks_failed};
}

const Settings& Client::settings() const { return runtime_->settings(); }
MemoryReport Client::memory() const { return runtime_->memory_report(); }
LedgerReport Client::ledger() const { return runtime_->ledger(); }
void Client::reset_ledger() const { runtime_->reset_ledger(); }

NoCompute::NoCompute() { ++no_compute_depth; }
NoCompute::~NoCompute() { --no_compute_depth; }

}  // namespace weft
