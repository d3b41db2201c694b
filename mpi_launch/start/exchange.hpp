#pragma once

#include "mpi_launch/start/ranks.hpp"

#include <string>

namespace weft::launch {

/// What rank 0 tells all others before anything else: where it listens, and the secret of the job.
struct Meeting {
  std::string endpoint;
  std::string secret;
  /// How links are encrypted, as `tls_terms` writes it; with the job's own certificate and key if it made one.
  std::string tls = {};
  /// For who joins the job once it runs: the program that workers are to be, and where its scheduler is reached.
  std::string executable = {};
  std::string scheduler_address = {};

  bool running() const { return !scheduler_address.empty(); }
};

/// Hands rank 0's meeting to every rank through MPI, which is started for this and finished at once (MPI_Finalize),
/// unless the application has started it: then it is left as it is. `mine` is rank 0's. Throws Error where there is no
/// MPI in this build, or it counts other ranks than the launcher's variables.
Meeting meet_by_mpi(const Ranks& ranks, const Meeting& mine);

/// Tells whether this build has MPI in it, and which.
std::string mpi_version_text();

/// Tells whether the application has MPI open now, so that a process which ends must finish it.
bool mpi_is_open();
/// Finishes MPI if the application has it open: for ranks that never come back to the application.
void finish_applications_mpi();

/// Hands the meeting over through a file that all nodes see: rank 0 writes it (mode 0600, whole or not at all), the
/// others wait for it. Throws Error after `seconds`.
Meeting meet_by_file(const Ranks& ranks, const Meeting& mine, const std::string& path, double seconds);

/// Returns what an address file holds, and reads it; an empty endpoint where it is not complete. `where` is for errors.
std::string meeting_text(const Meeting& meeting);
Meeting parse_meeting(const std::string& text, const std::string& where);
/// Writes an address file (mode 0600, whole or not at all).
void write_meeting(const Meeting& meeting, const std::string& path);
/// Reads the address file of a job that runs, for who joins it; waits for it at most so long, and says so on the
/// standard error when that takes more than a second. Throws Error.
Meeting read_running(const std::string& path, double seconds);

/// Returns the file by which the ranks of this job step meet where nothing else is told: in the folder the job was
/// started from. Empty where nothing tells the jobs apart.
std::string meeting_file(const HostView& host = {});

}  // namespace weft::launch
