// `weft info`: what files hold.
#include "mpi_launch/command/data/dry_run.hpp"
#include "mpi_launch/command/data/inputs.hpp"
#include "mpi_launch/command/data/selection.hpp"
#include "mpi_launch/command/data/verbs.hpp"

#include <weft/labelled.hpp>
#include <weft/remote.hpp>
#include <weft/storage.hpp>

#include "core/memory/bytes_text.hpp"

#include <algorithm>
#include <filesystem>

namespace weft::command::data {
namespace {

using io::Attribute;
using io::StoredFile;
using io::Variable;

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : between) + word;
  return out;
}

std::string value_text(const Attribute& one, bool json) {
  std::vector<std::string> values;
  for (const std::string& text : one.texts) values.push_back(json_text(text));
  const bool single = one.type.kind == io::ElementKind::Float && one.type.bytes == 4;
  if (one.texts.empty() && !one.integers.empty()) {
    for (const std::int64_t value : one.integers) values.push_back(std::to_string(value));
  } else if (one.texts.empty()) {
    for (const double value : one.reals) values.push_back(json ? json_number(value) : number_words(value, single));
  }
  if (values.size() == 1) return values[0];
  return (json ? "[" : "") + joined(values, ", ") + (json ? "]" : "");
}

/// Where labels begin and end: of coordinates that are cheap to read.
std::string range_of(const StoredFile& file, std::size_t number) {
  const Variable& one = file.variables()[number];
  const bool label = one.dimensions.size() == 1 && one.dimensions[0] == one.path;
  if (!label || !one.type.is_number() || one.type.kind == io::ElementKind::Complex) return {};
  if (one.elements() == 0 || one.elements() > 1'000'000) return {};
  try {
    const Coordinate labels = Coordinate::of_numbers(one.path, file.read_numbers(number), one.attributes);
    return labels.label(0) + " to " + labels.label(labels.size() - 1);
  } catch (const Error&) {
    return {};  // damaged, or times that cannot be understood: the rest of the description stands
  }
}

std::string storage_of(const StoredFile& file, std::size_t number) {
  const Variable& one = file.variables()[number];
  std::string chunks;
  for (const std::int64_t extent : one.chunk) chunks += (chunks.empty() ? "" : " x ") + std::to_string(extent);
  std::string out = chunks.empty() ? "in one piece" : "chunks " + chunks;
  if (!one.filters.empty()) out += "; " + joined(one.filters, ", ");
  std::uint64_t stored = 0;
  try {
    stored = file.stored_bytes(number);
  } catch (const Error& error) {
    return out + "; " + error.what();
  }
  const std::uint64_t bytes = static_cast<std::uint64_t>(one.elements()) * one.type.bytes;
  out += "; " + bytes_text(bytes);
  if (stored != bytes && bytes > 0) out += ", " + bytes_text(stored) + " in the file";
  return out;
}

std::string shape_of(const Variable& one) {
  std::vector<std::string> axes = one.dimensions;
  if (axes.size() != one.shape.size()) {
    axes.clear();
    for (const std::int64_t extent : one.shape) axes.push_back(std::to_string(extent));
  }
  return "(" + joined(axes, ", ") + ")";
}

std::string group_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

void describe_variable(std::string& out, const StoredFile& file, std::size_t number) {
  const Variable& one = file.variables()[number];
  out += "  " + one.type.name + " " + one.path.substr(one.path.rfind('/') + 1) + shape_of(one) + "\n";
  out += "      # " + storage_of(file, number) + "\n";
  const std::string range = range_of(file, number);
  if (!range.empty()) out += "      # " + range + "\n";
  for (const Attribute& attribute : one.attributes) {
    out += "      " + attribute.name + " = " + value_text(attribute, false) + "\n";
  }
}

std::string text_of(const StoredFile& file, const std::vector<std::size_t>& chosen) {
  std::string out = io::shown_path(file.path()) + ": " + file.format() + ", " + bytes_text(file.file_bytes()) + "\n";
  for (const io::Group& group : file.groups()) {
    const bool root = group.path.empty();
    if (!root) out += "group " + group.path + ":\n";
    if (!group.dimensions.empty()) out += "dimensions:\n";
    for (const io::Dimension& one : group.dimensions) {
      out += "  " + one.name + " = " + std::to_string(one.extent) + (one.unlimited ? " (unlimited)" : "") + "\n";
    }
    bool first = true;
    for (const std::size_t number : chosen) {
      if (group_of(file.variables()[number].path) != group.path) continue;
      if (first) out += "variables:\n";
      first = false;
      describe_variable(out, file, number);
    }
    if (!group.attributes.empty()) out += "attributes:\n";
    for (const Attribute& one : group.attributes) out += "  " + one.name + " = " + value_text(one, false) + "\n";
  }
  for (const std::string& remark : file.remarks()) out += "# " + remark + "\n";
  return out;
}

std::string json_attributes(const std::vector<Attribute>& attributes) {
  std::string out = "{";
  for (const Attribute& one : attributes) {
    out += (out.size() > 1 ? "," : "") + json_text(one.name) + ":" + value_text(one, true);
  }
  return out + "}";
}

std::string json_numbers(const std::vector<std::int64_t>& numbers) {
  std::string out = "[";
  for (const std::int64_t one : numbers) out += (out.size() > 1 ? "," : "") + std::to_string(one);
  return out + "]";
}

std::string json_texts(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& one : texts) out += (out.size() > 1 ? "," : "") + json_text(one);
  return out + "]";
}

std::string json_of(const StoredFile& file, const std::vector<std::size_t>& chosen) {
  std::string out = "{\"path\":" + json_text(io::shown_path(file.path())) + ",\"format\":" + json_text(file.format()) +
                    ",\"bytes\":" + std::to_string(file.file_bytes()) + ",\"groups\":[";
  bool first = true;
  for (const io::Group& group : file.groups()) {
    out += std::string(first ? "" : ",") + "{\"path\":" + json_text(group.path) + ",\"dimensions\":[";
    first = false;
    for (std::size_t i = 0; i < group.dimensions.size(); ++i) {
      const io::Dimension& one = group.dimensions[i];
      out += std::string(i == 0 ? "" : ",") + "{\"name\":" + json_text(one.name) +
             ",\"extent\":" + std::to_string(one.extent) + ",\"unlimited\":" + (one.unlimited ? "true" : "false") + "}";
    }
    out += "],\"attributes\":" + json_attributes(group.attributes) + "}";
  }
  out += "],\"variables\":[";
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const Variable& one = file.variables()[chosen[i]];
    out += std::string(i == 0 ? "" : ",") + "{\"path\":" + json_text(one.path) +
           ",\"type\":" + json_text(one.type.name) + ",\"shape\":" + json_numbers(one.shape) +
           ",\"dimensions\":" + json_texts(one.dimensions) + ",\"chunk\":" + json_numbers(one.chunk) +
           ",\"filters\":" + json_texts(one.filters) +
           ",\"stored_bytes\":" + std::to_string(file.stored_bytes(chosen[i])) +
           ",\"attributes\":" + json_attributes(one.attributes) + "}";
  }
  return out + "],\"remarks\":" + json_texts(file.remarks()) + "}\n";
}

/// What files hold together: of a folder, a pattern or a list.
std::string joined_text(const Dataset& data, std::size_t files, const std::vector<std::string>& chosen) {
  std::string out = std::to_string(files) + " files, joined\ndimensions:\n";
  for (const auto& [dim, extent] : data.dims()) {
    out += "  " + dim + " = " + std::to_string(extent);
    const auto labels = data.coordinates().find(dim);
    if (labels != data.coordinates().end() && labels->second.size() > 0) {
      out += "  # " + labels->second.label(0) + " to " + labels->second.label(labels->second.size() - 1);
    }
    out += "\n";
  }
  out += "variables:\n";
  for (const LabelledArray& one : data.variables()) {
    if (!chosen.empty() && std::find(chosen.begin(), chosen.end(), one.name()) == chosen.end()) continue;
    out += "  " + one.data().dtype().name() + " " + one.name() + "(" + joined(one.dims(), ", ") + ")\n      # " +
           bytes_text(static_cast<std::uint64_t>(one.data().nbytes())) + " decoded\n";
    for (const Attribute& one_of : one.attributes()) {
      out += "      " + one_of.name + " = " + value_text(one_of, false) + "\n";
    }
  }
  if (!data.attributes().empty()) out += "attributes:\n";
  for (const Attribute& one : data.attributes()) out += "  " + one.name + " = " + value_text(one, false) + "\n";
  return out;
}

std::string joined_json(const Dataset& data, std::size_t files, const std::vector<std::string>& chosen) {
  std::string out = "{\"files\":" + std::to_string(files) + ",\"dimensions\":[";
  bool first = true;
  for (const auto& [dim, extent] : data.dims()) {
    out += std::string(first ? "" : ",") + "{\"name\":" + json_text(dim) + ",\"extent\":" + std::to_string(extent);
    first = false;
    const auto labels = data.coordinates().find(dim);
    if (labels != data.coordinates().end() && labels->second.size() > 0) {
      out += ",\"first\":" + json_text(labels->second.label(0)) +
             ",\"last\":" + json_text(labels->second.label(labels->second.size() - 1));
    }
    out += "}";
  }
  out += "],\"variables\":[";
  first = true;
  for (const LabelledArray& one : data.variables()) {
    if (!chosen.empty() && std::find(chosen.begin(), chosen.end(), one.name()) == chosen.end()) continue;
    const Shape& shape = one.data().shape();
    out += std::string(first ? "" : ",") + "{\"path\":" + json_text(one.name()) +
           ",\"type\":" + json_text(one.data().dtype().name()) +
           ",\"shape\":" + json_numbers({shape.begin(), shape.end()}) + ",\"dimensions\":" + json_texts(one.dims()) +
           ",\"attributes\":" + json_attributes(one.attributes()) + "}";
    first = false;
  }
  return out + "],\"attributes\":" + json_attributes(data.attributes()) + "}\n";
}

/// Whether a word stands for several files.
bool is_set(const std::string& word) {
  std::error_code ignored;
  if (word == "-" || (word.size() > 1 && word[0] == '@')) return true;
  if (io::is_remote(word)) return false;
  if (std::filesystem::is_directory(word, ignored)) return files_of(word) != std::vector{word};
  return word.find_first_of("*?[") != std::string::npos && !std::filesystem::exists(word, ignored);
}

}  // namespace

int run_info(const Given& given) {
  if (given.dry_run()) {
    DryRun plan;
    for (const std::string& word : given.words()) plan.files += is_set(word) ? input_files({word}).size() : 1;
    plan.lines = "  descriptions and labels only\n";
    return tell(given, plan);
  }
  for (std::size_t i = 0; i < given.words().size(); ++i) {
    if (is_set(given.words()[i])) {
      const std::vector<std::string> paths = input_files({given.words()[i]});
      OpenManyOptions options;
      options.index = given.text("index");
      const Dataset data = open_many(paths, options);
      for (const std::string& name : given.list("var")) require_variable(data, name);
      print((i > 0 && !given.json() ? "\n" : "") + (given.json() ? joined_json(data, paths.size(), given.list("var"))
                                                                 : joined_text(data, paths.size(), given.list("var"))));
      continue;
    }
    const auto file = io::open_stored(given.words()[i]);
    std::vector<std::size_t> chosen;
    for (const std::string& name : given.list("var")) chosen.push_back(file->find(name));
    for (std::size_t number = 0; !given.has("var") && number < file->variables().size(); ++number) {
      chosen.push_back(number);
    }
    print((i > 0 && !given.json() ? "\n" : "") + (given.json() ? json_of(*file, chosen) : text_of(*file, chosen)));
  }
  return 0;
}

}  // namespace weft::command::data
