#include "bench/work.hpp"

#include <weft/this_task.hpp>

#include <optional>

namespace weft::bench {

GridWork grid_work;
const Client* nested_client = nullptr;

namespace {

template <class... Inputs>
Payload execute(GridPoint at, const Inputs&... inputs) {
  const Payload all[sizeof...(Inputs) + 1] = {inputs..., Payload{}};
  return execute_point(*grid_work.pattern, at.step, at.point, all, static_cast<int>(sizeof...(Inputs)),
                       grid_work.iterations);
}

std::uint64_t chunk_word(std::uint64_t index, std::uint64_t position) {
  return (index + 1) * 0x9E3779B97F4A7C15ULL ^ position * 0xBF58476D1CE4E5B9ULL;
}

}  // namespace

Payload grid_task_0(GridPoint at) { return execute(at); }
Payload grid_task_1(GridPoint at, const Payload& a) { return execute(at, a); }
Payload grid_task_2(GridPoint at, const Payload& a, const Payload& b) { return execute(at, a, b); }
Payload grid_task_3(GridPoint at, const Payload& a, const Payload& b, const Payload& c) { return execute(at, a, b, c); }
Payload grid_task_4(GridPoint at, const Payload& a, const Payload& b, const Payload& c, const Payload& d) {
  return execute(at, a, b, c, d);
}
Payload grid_task_5(GridPoint at, const Payload& a, const Payload& b, const Payload& c, const Payload& d,
                    const Payload& e) {
  return execute(at, a, b, c, d, e);
}
Payload grid_task_many(GridPoint at, const std::vector<Payload>& inputs) {
  return execute_point(*grid_work.pattern, at.step, at.point, inputs.data(), static_cast<int>(inputs.size()),
                       grid_work.iterations);
}

std::int64_t set_grid_work(GridSetting setting) {
  static std::optional<Pattern> pattern;
  pattern.emplace(static_cast<PatternKind>(setting.kind), setting.width, setting.steps, setting.radix);
  grid_work = {&*pattern, setting.iterations};
  return setting.iterations;
}

std::uint64_t nested_fibonacci(std::uint64_t n) {
  if (n < 2) return n;
  const Client& client = nested_client != nullptr ? *nested_client : this_task::client();
  const Future<std::uint64_t> left = client.submit(&nested_fibonacci, n - 1);
  const Future<std::uint64_t> right = client.submit(&nested_fibonacci, n - 2);
  return left.result() + right.result();
}

Words make_chunk(std::uint64_t index, std::uint64_t count) {
  Words chunk(count);
  std::uint64_t* const words = chunk.data();
  for (std::uint64_t i = 0; i < count; ++i) words[i] = chunk_word(index, i);
  return chunk;
}

std::uint64_t chunk_digest(const Words& chunk) {
  const std::uint64_t* const words = chunk.data();
  std::uint64_t digest = 0;
  for (std::uint64_t i = 0; i < chunk.size(); ++i) digest += words[i] * (2 * i + 1);
  return digest;
}

std::uint64_t expected_digest(std::uint64_t index, std::uint64_t count) {
  std::uint64_t digest = 0;
  for (std::uint64_t i = 0; i < count; ++i) digest += chunk_word(index, i) * (2 * i + 1);
  return digest;
}

std::uint64_t add_digests(std::uint64_t left, std::uint64_t right) { return left + right; }

}  // namespace weft::bench
