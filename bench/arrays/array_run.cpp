#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "bench/arrays/array_cases.hpp"
#include "bench/metg.hpp"

namespace weft::bench {

std::vector<Option> array_options(const char* n, const char* chunk, const std::vector<Option>& more) {
  std::vector<Option> options = {{"n", n, "extent of the array"}, {"chunk", chunk, "extent of a chunk"}};
  options.insert(options.end(), more.begin(), more.end());
  options.insert(options.end(), {kScheduler, kThreads, {"repeat", "3", "warm repetitions; one cold comes before"}});
  return options;
}

ArrayRun::ArrayRun(const Case& self, const Arguments& arguments)
    : self_(self),
      arguments_(arguments),
      n_(arguments.integer("n", 1)),
      chunk_(arguments.integer("chunk", 1)),
      client_(client_options(arguments)) {
  keep_freed_memory();
}

Array ArrayRun::materialise(const Array& array) const {
  Array kept = client_.persist(array);
  // One element of each chunk: there once the chunk is.
  std::vector<arrays::Index> corners;
  for (const std::vector<std::int64_t>& sizes : kept.chunks()) {
    corners.emplace_back(slice(none, none, *std::max_element(sizes.begin(), sizes.end())));
  }
  static_cast<void>(client_.compute(sum(kept.at(corners))));
  return kept;
}

Array ArrayRun::input(const Shape& shape, const Chunks& chunks, std::uint64_t seed) {
  const Array made = random::uniform(shape, {.chunks = chunks, .seed = seed});
  const std::string kind = arguments_.text("input");
  if (kind == "random") return made;
  if (kind != "persisted") throw std::invalid_argument("--input is random or persisted, not '" + kind + "'");
  return materialise(made);
}

void ArrayRun::measure(const std::function<double()>& once, double expected, double relative_error) {
  const std::int64_t repeat = arguments_.integer("repeat", 1);
  for (std::int64_t i = 0; i <= repeat; ++i) {
    const double start = seconds_now();
    const double result = once();
    const double seconds = seconds_now() - start;
    if (!(std::fabs(result - expected) <= relative_error * std::max(1.0, std::fabs(expected)))) {
      wrong_result(std::string(self_.name) + " gave " + std::to_string(result) + ", not about " +
                   std::to_string(expected));
    }
    if (i == 0)
      cold_ = seconds;
    else
      samples_.add(seconds);
  }
}

void ArrayRun::print(const Output& output, double bytes, const std::function<void(Line&)>& more) const {
  Line line(self_.name);
  line.param("n", n_).param("chunk", chunk_).param("scheduler", arguments_.text("scheduler"));
  line.param("threads", client_.slots()).param("repeat", arguments_.integer("repeat", 1));
  line.seconds(samples_).number("seconds_cold", cold_);
  if (bytes > 0) line.number("gb_per_s", bytes / samples_.min() / 1e9);
  if (more) more(line);
  output.print(line.peak());
}

}  // namespace weft::bench
