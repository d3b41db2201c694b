#pragma once

#include <weft/client.hpp>

#include <concepts>
#include <string>
#include <vector>

namespace weft {

namespace launch {
class Deadline;
}

/// What is left of the command line after weft took its --weft-* options; the program's name is not among them.
using Args = std::vector<std::string>;

namespace detail {

/// Makes clients find the ranks of a job; true. Called once, before `main`.
bool install_launcher();
inline const bool launcher_installed = install_launcher();

/// Holds what `run` opens and closes around a program's body.
/// Owns: the client.  Threading: the thread that called `run`.
class RunSession {
 public:
  RunSession(int& argc, char** argv, const Options& options);
  ~RunSession();
  RunSession(const RunSession&) = delete;
  RunSession& operator=(const RunSession&) = delete;

  Client& client() { return *client_; }
  const Args& args() const { return args_; }
  /// Closes the client and returns the exit code: 1 when the body threw, or when the budget a task is enforced and
  /// broken.
  int finish(int code);

 private:
  void watch_time();

  std::unique_ptr<Client> client_;
  Args args_;
  std::unique_ptr<launch::Deadline> deadline_;
};

/// Prints the exception that is being handled, once, and returns the exit code: 1, or 75 ("resume me") where the body
/// was stopped because the time of its batch job is nearly over.
int report_exception() noexcept;

}  // namespace detail

/// Runs `body(client, args)` with a client opened from the command line and returns the program's exit code. What the
/// body throws is printed once and gives 1; an int the body returns is the exit code. Under mpirun or srun the body
/// runs on rank 0 alone; on the other ranks the call does not return. Shortly before the end of a batch job's time the
/// client is closed, and the exit code is 75: run me again.
template <class Body>
int run(int argc, char** argv, Body&& body, const Options& options = {}) {
  static_assert(std::invocable<Body&, Client&, const Args&>,
                "weft: run: the body must be callable as body(weft::Client&, weft::Args)");
  try {
    detail::RunSession session(argc, argv, options);
    if constexpr (std::convertible_to<std::invoke_result_t<Body&, Client&, const Args&>, int>) {
      return session.finish(body(session.client(), session.args()));
    } else {
      body(session.client(), session.args());
      return session.finish(0);
    }
  } catch (...) {
    return detail::report_exception();
  }
}

}  // namespace weft
