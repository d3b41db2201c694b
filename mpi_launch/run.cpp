#include <weft/run.hpp>

#include <weft/error.hpp>
#include <weft/log.hpp>

#include <cstdio>
#include <exception>

namespace weft::detail {

RunSession::RunSession(int& argc, char** argv, const Options& options)
    : client_(new Client(argc, argv, options)), args_(argv + (argc > 0 ? 1 : 0), argv + argc) {}

RunSession::~RunSession() = default;

int RunSession::finish(int code) {
  const bool within_budget = client_->close();
  client_.reset();
  return within_budget || code != 0 ? code : 1;
}

int report_exception() noexcept {
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
