#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace weft::launch {

/// What a worker process must know to begin. Travels from rank 0 to the supervisor, and from there to its child by
/// pipe.
struct WorkerOrders {
  std::string secret;
  /// How links are encrypted, as `tls_terms` writes it.
  std::string tls;
  /// Of the scheduler's transport; opaque bytes.
  std::string scheduler_address;
  /// The rank that supervises it, or beyond the ranks for one that joined later.
  std::uint32_t place = 0;
  /// Counts the processes that have been started at this place; 1 is the first.
  std::uint32_t generation = 0;
  std::string host;
  std::uint32_t slots = 1;
  /// Processors to run on; empty: as inherited.
  std::vector<int> processors;
  /// Its share of the node's memory and how many GPUs of the node it may use.
  std::uint64_t memory_bytes = 0;
  std::vector<std::uint32_t> gpus;
  std::string scratch;
  /// Named amounts for tasks that ask for them, as the client was opened with.
  std::map<std::string, std::uint32_t> resources;
  /// The address of its node that rank 0 is reached from.
  std::string listen_on;
  /// "--weft-ledger=off": the settings of the client, one a word.
  std::vector<std::string> options;
  std::int32_t supervisor_pid = 0;
};

/// One task that was running, as last seen.
struct SeenTask {
  std::uint32_t slot = 0;
  double seconds = 0;
  std::string text;
};

struct SeenMemory {
  double seconds_before = 0;
  std::uint64_t bytes = 0;
};

/// How a worker process ended: all that is known of it. `death_sentence` makes the text.
struct Death {
  /// It ended because the client did.
  bool expected = false;
  std::int32_t exit_code = 0;
  std::int32_t signal = 0;
  /// The kernel's counter of memory kills of the cgroup went up meanwhile, and where the counter stands.
  bool out_of_memory = false;
  std::string counter;
  /// Why its supervisor killed it, or "".
  std::string killed_because;
  /// It said itself that it cannot start.
  bool cannot_start = false;
  /// It said itself that it ends to be started again, as the client asked.
  bool to_restart = false;
  /// What it said of its end, and the end of its standard error.
  std::string last_words;
  std::string error_tail;
  std::vector<SeenTask> tasks;
  std::vector<SeenMemory> memory;
};

/// What a supervisor knows of its node, with where each comes from.
struct NodeFacts {
  std::string host;
  std::uint32_t cores = 1;
  std::string cores_source;
  /// Cores of the machine that the launcher's binding hides from this rank.
  std::uint32_t hidden_cores = 0;
  std::vector<int> processors;
  std::uint64_t memory_bytes = 0;
  std::string memory_source;
  std::uint32_t gpus = 0;
  std::string gpus_source;
  std::uint32_t numa_nodes = 1;
  std::string numa_source;
  std::string scratch;
  std::string scratch_note;
  /// Why there is no usable scratch folder although one was named: the job ends with it.
  std::string scratch_problem;
  /// Devices of a network that only UCX makes good use of, and why it would not; both may be empty.
  std::string fast_networks;
  std::string fast_network_problem;
};

// To rank 0.

struct Hello {
  std::uint32_t rank = 0;
  std::int32_t pid = 0;
  std::string executable;
  std::uint64_t image_digest = 0;
  std::uint64_t task_digest = 0;
  std::string version;
  NodeFacts node;
};
struct WorkerStarted {
  std::uint32_t generation = 0;
  std::int32_t pid = 0;
};
struct WorkerEnded {
  std::uint32_t generation = 0;
  Death death;
  bool comes_back = false;
};
struct OutputText {
  /// 1 or 2.
  std::uint8_t stream = 1;
  /// Whole lines, each with its newline and its prefix.
  std::string text;
};
struct SupervisorEnded {
  /// Files that hold the full output, if any were kept.
  std::string kept_output;
};
struct Beat {
  std::uint8_t none = 0;
};
/// Comes in place of Hello from a supervisor that is no rank: it wants to run a worker for a job that runs already,
/// until either ends. It is given a place, and StartWorker.
struct JoinAsked {
  Hello hello;
  /// 0: what its node has.
  std::uint32_t slots = 0;
  /// Memory that results may hold there; 0: chosen as for ranks.
  std::uint64_t budget_bytes = 0;
  /// What the cluster that started it calls it; then it is the job's own program. Empty: nobody has.
  std::string label;
};
/// Comes from one that is neither rank nor supervisor: it wants to know what stands where, and gets DumpText.
struct DumpAsked {
  std::uint8_t none = 0;
};

// From rank 0.

struct StartWorker {
  WorkerOrders orders;
  double silent_seconds = 30;
  std::uint32_t most_restarts = 10;
  double most_lines_a_second = 1000;
  std::string output_folder;
  /// The program to start; empty: the supervisor's own.
  std::string executable;
};
/// Kills the worker of this generation (0: whichever there is); it is started again if `again`.
struct FenceWorker {
  std::uint32_t generation = 0;
  std::string why;
  bool again = true;
};
struct EndWorkers {
  /// How long a worker may take to end by itself.
  double seconds = 1;
  /// The rank's process ends too.
  bool leave = true;
};
/// The job cannot start, and rank 0 says why; or who asked to join may not.
struct Refused {
  std::string why;
};
/// A piece of what was asked for by DumpAsked.
struct DumpText {
  std::string text;
  bool is_last = false;
};

using ToHub = std::variant<Hello, WorkerStarted, WorkerEnded, OutputText, SupervisorEnded, Beat, JoinAsked, DumpAsked>;
using ToSupervisor = std::variant<StartWorker, FenceWorker, EndWorkers, Refused, Beat, DumpText>;

std::string encode_message(const ToHub& message);
std::string encode_message(const ToSupervisor& message);
/// Each throws Error where the bytes are no message.
ToHub decode_to_hub(std::string_view frame);
ToSupervisor decode_to_supervisor(std::string_view frame);
std::string encode_orders(const WorkerOrders& orders);
WorkerOrders decode_orders(std::string_view bytes);

/// Returns the sentence on a death, without a full stop: "was killed by signal 9 (Killed) while ...".
std::string death_sentence(const Death& death);
/// Whether it ended because the client asked for another process in its place.
bool was_restarted(const Death& death);

}  // namespace weft::launch
