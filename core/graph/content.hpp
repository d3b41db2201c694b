#pragma once

#include <weft/delayed.hpp>

#include <memory>
#include <string>
#include <vector>

namespace weft {

namespace detail {

/// What a call computes: equal calls of pure functions have one and the same Content while one of them, or of what was
/// made from them, exists. Of anything else each task has its own.
/// Owns: a share of what its inputs are, so that those stay comparable after their tasks have gone.
/// Threading: constant; made and ended under the lock of the register.
struct Content {
  Content(std::uint64_t its_number, std::string its_key, std::vector<std::shared_ptr<const Content>> its_inputs)
      : number(its_number), key(std::move(its_key)), inputs(std::move(its_inputs)) {}
  ~Content();
  Content(const Content&) = delete;
  Content& operator=(const Content&) = delete;

  const std::uint64_t number;
  /// The function, its encoded arguments, and the numbers of its inputs; empty for what is compared with nothing.
  const std::string key;
  std::vector<std::shared_ptr<const Content>> inputs;
};

/// Returns what a described call of a pure function computes, on which client. Throws Error where it cannot be encoded.
std::shared_ptr<const Content> content_of(TaskId task, std::uint32_t client);

/// Lets go of the results that are kept for equal calls on a client, and of those that only this keeps.
void forget_pure(std::uint32_t client) noexcept;

}  // namespace detail
}  // namespace weft
