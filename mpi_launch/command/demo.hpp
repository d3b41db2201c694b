#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weft::command {

struct Shared;

/// Counts the primes below `limit` with a thousand tasks and a tree of sums, on threads or on the ranks of a job;
/// prints the count, which process did how much, and the ledger. `words` are --weft-* options. Returns the exit code.
int run_demo(std::uint64_t limit, const std::vector<std::string>& words, const Shared& shared);

}  // namespace weft::command
