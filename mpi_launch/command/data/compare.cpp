// `weft compare`: where two files differ.
#include "mpi_launch/command/data/dry_run.hpp"
#include "mpi_launch/command/data/values.hpp"
#include "mpi_launch/command/data/verbs.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <thread>

namespace weft::command::data {
namespace {

using io::StoredFile;
using io::Variable;

/// Of the doubles that are compared at once.
constexpr std::int64_t kBoxBytes = 8 << 20;

struct Tolerance {
  double relative = 0;
  double absolute = 0;
};

/// What was found of one variable.
struct Difference {
  std::int64_t count = 0;
  /// The largest |a - b|, and where it is; infinite where one value is missing.
  double worst = -1;
  std::int64_t place = 0;
  double a = 0;
  double b = 0;

  void add(const Difference& other) {
    count += other.count;
    if (other.worst > worst || (other.worst == worst && other.place < place)) {
      worst = other.worst;
      place = other.place;
      a = other.a;
      b = other.b;
    }
  }
};

/// One report: a line for people, fields for programs.
struct Report {
  std::string lines;
  std::string json;
  bool differs = false;

  void say(const std::string& variable, const std::string& what, const std::string& fields = {}) {
    differs = true;
    lines += variable + ": " + what + "\n";
    json += (json.empty() ? "" : ",") + std::string("{\"variable\":") + json_text(variable) +
            ",\"difference\":" + json_text(what) + fields + "}";
  }
};

std::string shape_text(const Variable& one) {
  std::string out;
  for (const std::int64_t extent : one.shape) out += (out.empty() ? "" : ", ") + std::to_string(extent);
  return "(" + out + ")";
}

Difference compare_box(const Values& a, const Values& b, const std::vector<std::int64_t>& shape,
                       const std::vector<std::int64_t>& start, const std::vector<std::int64_t>& extent,
                       const Tolerance& tolerance) {
  const std::vector<double> left = a.read_doubles(start, extent), right = b.read_doubles(start, extent);
  std::int64_t elements = 1;
  for (const std::int64_t e : extent) elements *= e;
  const std::size_t parts = elements == 0 ? 1 : left.size() / static_cast<std::size_t>(elements);
  Difference found;
  for (std::size_t i = 0; i < left.size(); ++i) {
    const double x = left[i], y = right[i];
    if (x == y || (std::isnan(x) && std::isnan(y))) continue;
    const double apart = std::isnan(x) || std::isnan(y) ? INFINITY : std::abs(x - y);
    if (apart <= tolerance.absolute + tolerance.relative * std::abs(y)) continue;
    // The place in the whole variable.
    std::int64_t rest = static_cast<std::int64_t>(i / parts), place = 0, stride = 1;
    for (std::size_t axis = extent.size(); axis-- > 0;) {
      place += (start[axis] + rest % extent[axis]) * stride;
      rest /= extent[axis];
      stride *= shape[axis];
    }
    found.add({1, apart, place, x, y});
  }
  return found;
}

/// Boxes of some MiB that follow the chunks of the first file.
std::vector<std::int64_t> box_extent(const Variable& one) {
  std::vector<std::int64_t> extent =
      one.chunk.size() == one.shape.size() ? one.chunk : std::vector<std::int64_t>(one.shape.size(), 1);
  std::int64_t bytes = 8;
  for (std::size_t axis = 0; axis < extent.size(); ++axis) {
    extent[axis] = std::clamp<std::int64_t>(extent[axis], 1, std::max<std::int64_t>(1, one.shape[axis]));
    bytes *= extent[axis];
  }
  for (std::size_t axis = extent.size(); axis-- > 0 && bytes < kBoxBytes;) {
    const std::int64_t pieces = (one.shape[axis] + extent[axis] - 1) / extent[axis];
    const std::int64_t take = std::clamp<std::int64_t>(kBoxBytes / bytes, 1, std::max<std::int64_t>(1, pieces));
    bytes *= take;
    extent[axis] = std::max<std::int64_t>(1, std::min(one.shape[axis], extent[axis] * take));
  }
  return extent;
}

/// Compares boxes on all cores.
Difference compare_values(const StoredFile& a, std::size_t in_a, const StoredFile& b, std::size_t in_b, bool raw,
                          const Tolerance& tolerance) {
  const Variable& one = a.variables()[in_a];
  if (one.elements() == 0) return {};
  const Values left(a, in_a, raw), right(b, in_b, raw);
  const std::vector<std::int64_t> box = box_extent(one);
  std::int64_t boxes = 1;
  for (std::size_t axis = 0; axis < box.size(); ++axis) boxes *= (one.shape[axis] + box[axis] - 1) / box[axis];
  std::atomic<std::int64_t> next{0};
  std::mutex mutex;
  Difference all;
  std::exception_ptr failure;
  const auto work = [&] {
    try {
      for (std::int64_t i = next++; i < boxes; i = next++) {
        std::vector<std::int64_t> start(box.size()), extent(box.size());
        std::int64_t rest = i;
        for (std::size_t axis = box.size(); axis-- > 0;) {
          const std::int64_t pieces = (one.shape[axis] + box[axis] - 1) / box[axis];
          start[axis] = rest % pieces * box[axis];
          extent[axis] = std::min(box[axis], one.shape[axis] - start[axis]);
          rest /= pieces;
        }
        const Difference found = compare_box(left, right, one.shape, start, extent, tolerance);
        const std::scoped_lock lock(mutex);
        all.add(found);
      }
    } catch (...) {
      const std::scoped_lock lock(mutex);
      failure = std::current_exception();
      next = boxes;
    }
  };
  {
    std::vector<std::jthread> threads;
    const std::int64_t count = std::min<std::int64_t>(boxes, std::max(1u, std::thread::hardware_concurrency()));
    for (std::int64_t i = 1; i < count; ++i) threads.emplace_back(work);
    work();
  }
  if (failure) std::rethrow_exception(failure);
  return all;
}

bool same(const io::Attribute& a, const io::Attribute& b) {
  const auto equal = [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); };
  const std::vector<double> left = a.numbers(), right = b.numbers();
  return a.texts == b.texts && std::equal(left.begin(), left.end(), right.begin(), right.end(), equal);
}

void compare_attributes(Report& report, const std::string& whose, const std::vector<io::Attribute>& a,
                        const std::vector<io::Attribute>& b) {
  for (const io::Attribute& one : a) {
    const io::Attribute* const other = io::find_attribute(b, one.name);
    if (other == nullptr) {
      report.say(whose, "only the first has the attribute '" + one.name + "'");
    } else if (!same(one, *other)) {
      report.say(whose, "the attribute '" + one.name + "' differs");
    }
  }
  for (const io::Attribute& one : b) {
    if (io::find_attribute(a, one.name) == nullptr) {
      report.say(whose, "only the second has the attribute '" + one.name + "'");
    }
  }
}

void compare_variable(Report& report, const StoredFile& a, const StoredFile& b, const std::string& name,
                      const Given& given, const Tolerance& tolerance) {
  const std::size_t in_a = a.find(name), in_b = b.find(name);
  const Variable& left = a.variables()[in_a];
  const Variable& right = b.variables()[in_b];
  if (given.has("attributes")) compare_attributes(report, name, left.attributes, right.attributes);
  if (left.shape != right.shape) {
    report.say(name, "the shapes are " + shape_text(left) + " and " + shape_text(right));
    return;
  }
  if (left.dimensions != right.dimensions) report.say(name, "the dimensions have other names");
  if (left.type.is_number() != right.type.is_number() ||
      (left.type.kind == io::ElementKind::Complex) != (right.type.kind == io::ElementKind::Complex)) {
    report.say(name, "the types are " + left.type.name + " and " + right.type.name);
    return;
  }
  if (!left.type.is_number()) {
    if (left.type.kind == io::ElementKind::Other || right.type.kind == io::ElementKind::Other) {
      report.say(name, "holds " + left.type.name + ", which weft does not compare");
      return;
    }
    const std::vector<std::string> x = a.read_text(in_a), y = b.read_text(in_b);
    for (std::size_t i = 0; i < x.size() && i < y.size(); ++i) {
      if (x[i] == y[i]) continue;
      report.say(name, "text " + std::to_string(i) + " is '" + x[i] + "' and '" + y[i] + "'");
      return;
    }
    return;
  }
  const Difference found = compare_values(a, in_a, b, in_b, given.has("raw"), tolerance);
  if (found.count == 0) return;
  std::vector<std::int64_t> place(left.shape.size());
  std::int64_t rest = found.place;
  for (std::size_t axis = place.size(); axis-- > 0;) {
    place[axis] = rest % left.shape[axis];
    rest /= left.shape[axis];
  }
  const std::string total = std::to_string(left.elements());
  std::string indices;
  for (const std::int64_t one : place) indices += (indices.empty() ? "" : ",") + std::to_string(one);
  report.say(name,
             std::to_string(found.count) + " of " + total + " values differ; the worst at " + place_text(left, place) +
                 ": " + number_words(found.a) + " and " + number_words(found.b) +
                 (std::isinf(found.worst) ? "" : ", " + number_words(found.worst) + " apart"),
             ",\"differing\":" + std::to_string(found.count) + ",\"of\":" + total +
                 ",\"worst\":" + json_number(found.worst) + ",\"place\":[" + indices +
                 "],\"a\":" + json_number(found.a) + ",\"b\":" + json_number(found.b));
}

}  // namespace

int run_compare(const Given& given) {
  const Tolerance tolerance{given.number("rtol", 0), given.number("atol", 0)};
  if (!(tolerance.relative >= 0 && tolerance.absolute >= 0)) {
    throw UsageError("weft compare: tolerances are numbers from 0 on");
  }
  const auto a = io::open_stored(given.words()[0]);
  const auto b = io::open_stored(given.words()[1]);
  if (given.dry_run()) {
    DryRun plan;
    for (const std::string& path : given.words()) add_reading(plan, path, given.list("var"));
    plan.peak_bytes = std::min(2 * plan.decoded_bytes,
                               2 * std::max<std::uint64_t>(1, std::thread::hardware_concurrency()) * kBoxBytes);
    return tell(given, plan);
  }
  Report report;
  std::vector<std::string> names = given.list("var");
  if (names.empty()) {
    for (const Variable& one : a->variables()) {
      if (b->has(one.path)) {
        names.push_back(one.path);
      } else {
        report.say(one.path, "only the first file has it");
      }
    }
    for (const Variable& one : b->variables()) {
      if (!a->has(one.path)) report.say(one.path, "only the second file has it");
    }
    if (given.has("attributes") && !a->groups().empty() && !b->groups().empty()) {
      compare_attributes(report, "the file", a->groups()[0].attributes, b->groups()[0].attributes);
    }
  }
  for (const std::string& name : names) compare_variable(report, *a, *b, name, given, tolerance);
  if (given.json()) {
    print(std::string("{\"equal\":") + (report.differs ? "false" : "true") + ",\"differences\":[" + report.json +
          "]}\n");
  } else if (!given.quiet()) {
    print(report.differs ? report.lines : std::to_string(names.size()) + " variables are equal\n");
  }
  return report.differs ? 1 : 0;
}

}  // namespace weft::command::data
