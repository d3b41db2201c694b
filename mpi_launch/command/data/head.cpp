// `weft head`: the first values of variables.
#include "mpi_launch/command/data/dry_run.hpp"
#include "mpi_launch/command/data/values.hpp"
#include "mpi_launch/command/data/verbs.hpp"

#include <weft/labelled.hpp>
#include <weft/ndarray.hpp>

#include <algorithm>
#include <cstring>

namespace weft::command::data {
namespace {

/// Labels and texts one by one, as people write them.
std::vector<std::string> words_of(const io::StoredFile& file, std::size_t number, std::int64_t count, bool raw) {
  const io::Variable& one = file.variables()[number];
  if (!one.type.is_number()) {
    std::vector<std::string> texts = file.read_text(number);
    if (static_cast<std::int64_t>(texts.size()) > count) texts.resize(static_cast<std::size_t>(count));
    return texts;
  }
  const io::Attribute* const units = io::find_attribute(one.attributes, "units");
  if (raw || one.shape.size() != 1 || units == nullptr || units->text().find(" since ") == std::string::npos) return {};
  const std::vector<std::int64_t> extent = {std::min(count, one.shape[0])};
  const Coordinate labels =
      Coordinate::of_numbers(one.path, Values(file, number, raw).read_doubles({0}, extent), one.attributes);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < labels.size(); ++i) out.push_back(labels.label(i));
  return out;
}

void show(std::string& out, const io::StoredFile& file, std::size_t number, std::int64_t count, const Given& given) {
  const io::Variable& one = file.variables()[number];
  const bool json = given.json();
  if (json) {
    out += std::string(out.size() > 1 ? "," : "") + json_text(one.path) + ":";
  } else {
    out += one.type.name + " " + one.path + "(";
    for (std::size_t axis = 0; axis < one.shape.size(); ++axis) {
      out += axis == 0 ? "" : ", ";
      if (one.dimensions.size() == one.shape.size()) out += one.dimensions[axis] + " = ";
      out += std::to_string(one.shape[axis]);
    }
    out += ")\n";
  }
  if (!one.type.is_number() && one.type.kind != io::ElementKind::Text &&
      one.type.kind != io::ElementKind::VariableText) {
    out += json ? "null" : "  (no numbers or text)\n";
    return;
  }
  const std::vector<std::string> words = words_of(file, number, count, given.has("raw"));
  if (!words.empty() || !one.type.is_number()) {
    if (json) out += "[";
    for (std::size_t i = 0; i < words.size(); ++i) {
      out += json ? (i == 0 ? "" : ",") + json_text(words[i]) : (i == 0 ? "" : " ") + words[i];
    }
    out += json ? "]" : "\n";
    return;
  }
  std::vector<std::int64_t> extent = one.shape;
  for (std::int64_t& e : extent) e = std::min(e, count);
  const Values values(file, number, given.has("raw"));
  const std::vector<std::int64_t> start(extent.size(), 0);
  if (json) {
    std::string numbers;
    for (const double value : values.read_doubles(start, extent)) {
      numbers += (numbers.empty() ? "" : ",") + json_number(value);
    }
    out += "[" + numbers + "]";
    return;
  }
  const std::vector<std::byte> bytes = values.read(start, extent);
  NDArray array(values.dtype(), Shape(extent));
  if (!bytes.empty()) std::memcpy(array.mutable_data(), bytes.data(), bytes.size());
  out += array.text() + "\n";
}

}  // namespace

int run_head(const Given& given) {
  const auto file = io::open_stored(given.words()[0]);
  const double wanted = given.number("count", 5);
  if (!(wanted >= 1 && wanted <= 1e9)) throw UsageError("weft head: --count takes a number from 1 on");
  std::vector<std::size_t> chosen;
  for (const std::string& name : given.list("var")) chosen.push_back(file->find(name));
  for (std::size_t i = 0; !given.has("var") && i < file->variables().size(); ++i) chosen.push_back(i);
  if (given.dry_run()) {
    std::vector<std::string> names;
    for (const std::size_t number : chosen) names.push_back(file->variables()[number].path);
    DryRun plan;
    add_reading(plan, given.words()[0], names);
    return tell(given, plan);
  }
  std::string out = given.json() ? "{" : "";
  for (const std::size_t number : chosen) show(out, *file, number, static_cast<std::int64_t>(wanted), given);
  print(out + (given.json() ? "}\n" : ""));
  return 0;
}

}  // namespace weft::command::data
