#include "core/graph/drawing.hpp"

#include "core/graph/task_name.hpp"
#include "core/memory/bytes_text.hpp"

#include <weft/arena.hpp>
#include <weft/task_type.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>

namespace weft {
namespace {

using State = Outline::State;
constexpr std::array<const char*, 4> kStateNames = {"described", "running", "finished", "failed"};

std::string counted(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::ptrdiff_t at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), ",");
  }
  return text;
}

std::string shortened(const std::string& text, std::size_t most) {
  return text.size() <= most ? text : text.substr(0, most - 3) + "...";
}

/// Returns "mix, main.cpp:12", or the name alone where it is the place.
std::string with_place(const std::string& name, const std::string& file, std::uint32_t line) {
  const std::string place = file.substr(file.rfind('/') + 1) + ":" + std::to_string(line);
  return file.empty() || name == place ? name : shortened(name, 40) + ", " + place;
}

/// Turns an outline into boxes and arrows. Threading: one thread.
class Drawer {
 public:
  Drawer(const Outline& outline, const PictureOptions& options) : outline_(outline), options_(options) {
    drawing_.title = options.title;
    drawing_.colour = options.colour;
  }

  Drawing draw() && {
    name_groups();
    if (outline_.tasks.size() + outline_.layers.size() <= options_.most_nodes) {
      draw_tasks();
    } else {
      draw_kinds();
    }
    draw_layers();
    join_parts();
    for (const auto& [ends, count] : arrows_) drawing_.arrows.push_back({ends.first, ends.second, count});
    return std::move(drawing_);
  }

 private:
  bool by_state() const { return options_.colour == PictureOptions::Colour::State; }

  void name_groups() {
    if (by_state()) {
      for (const char* const name : kStateNames) drawing_.groups.push_back({name, 0});
      return;
    }
    for (const Outline::Kind& kind : outline_.kinds) {
      drawing_.groups.push_back({with_place(kind.name, kind.file, kind.line), 0});
    }
    for (const Outline::Layer& layer : outline_.layers) {
      drawing_.groups.push_back({with_place(layer.name, layer.file, layer.line), layer.tasks});
    }
  }

  std::uint32_t group_of(const Outline::Task& task) const {
    return by_state() ? static_cast<std::uint32_t>(task.state) : task.kind;
  }

  std::string tip_of(const Outline::Kind& kind) const {
    std::string tip = kind.name;
    if (!kind.file.empty()) tip += "\n" + kind.file + ":" + std::to_string(kind.line);
    return tip + "\ngives " + shortened(kind.result, 80);
  }

  void draw_tasks() {
    for (std::size_t task = 0; task < outline_.tasks.size(); ++task) {
      const Outline::Task& at = outline_.tasks[task];
      const Outline::Kind& kind = outline_.kinds[at.kind];
      Drawing::Node node{shortened(kind.name, 28), tip_of(kind), group_of(at), at.state, false};
      node.tip += ", " + bytes_text(at.bytes) + (kind.estimated && at.state != State::Finished ? " or more" : "");
      if (const std::string arguments = arguments_of(task); !arguments.empty()) node.tip += "\nwith " + arguments;
      node.tip += std::string("\n") + kStateNames[static_cast<std::size_t>(at.state)];
      ++drawing_.groups[node.group].tasks;
      drawing_.nodes.push_back(std::move(node));
      for (std::uint64_t k = outline_.first_input[task]; k < outline_.first_input[task + 1]; ++k) {
        ++arrows_[{outline_.inputs[k], static_cast<std::uint32_t>(task)}];
      }
    }
    node_of_kind_ = false;
  }

  /// Plain arguments are read back while the task still has them.
  std::string arguments_of(std::size_t task) const {
    if (outline_.ids.empty() || outline_.tasks[task].state != State::Described) return "";
    const TaskRecord& record = arena::task(outline_.ids[task]);
    std::string text;
    site(record.site).type->describe(record.payload, text);
    return shortened(text, 120);
  }

  void draw_kinds() {
    std::vector<std::array<std::uint64_t, 4>> states(outline_.kinds.size());
    std::vector<std::uint64_t> bytes(outline_.kinds.size());
    for (std::size_t task = 0; task < outline_.tasks.size(); ++task) {
      const Outline::Task& at = outline_.tasks[task];
      ++states[at.kind][static_cast<std::size_t>(at.state)];
      bytes[at.kind] += at.bytes;
      for (std::uint64_t k = outline_.first_input[task]; k < outline_.first_input[task + 1]; ++k) {
        ++arrows_[{outline_.tasks[outline_.inputs[k]].kind, at.kind}];
      }
    }
    for (std::size_t number = 0; number < outline_.kinds.size(); ++number) {
      const Outline::Kind& kind = outline_.kinds[number];
      const auto [described, running, finished, failed] = states[number];
      const std::uint64_t tasks = described + running + finished + failed;
      const State state = failed != 0         ? State::Failed
                          : running != 0      ? State::Running
                          : finished == tasks ? State::Finished
                                              : State::Described;
      Drawing::Node node{shortened(kind.name, 24) + " \u00d7 " + counted(tasks), tip_of(kind), 0, state, tasks > 1};
      node.tip += "\n" + counted(tasks) + " tasks, " + bytes_text(bytes[number]) + " in all";
      for (std::size_t i = 0; i < kStateNames.size(); ++i) {
        if (states[number][i] != 0) node.tip += "\n" + counted(states[number][i]) + " " + kStateNames[i];
      }
      node.group = by_state() ? static_cast<std::uint32_t>(state) : static_cast<std::uint32_t>(number);
      drawing_.groups[node.group].tasks += tasks;
      drawing_.nodes.push_back(std::move(node));
    }
    node_of_kind_ = true;
  }

  void draw_layers() {
    first_layer_ = static_cast<std::uint32_t>(drawing_.nodes.size());
    for (std::size_t number = 0; number < outline_.layers.size(); ++number) {
      const Outline::Layer& layer = outline_.layers[number];
      Drawing::Node node{layer.name + " \u00d7 " + counted(layer.tasks), layer.name, 0, State::Described, true};
      if (!layer.file.empty()) node.tip += "\n" + layer.file + ":" + std::to_string(layer.line);
      node.tip += "\na layer of " + counted(layer.tasks) + " tasks, " + bytes_text(layer.result_bytes) + " each";
      node.group = by_state() ? 0 : static_cast<std::uint32_t>(outline_.kinds.size() + number);
      drawing_.nodes.push_back(std::move(node));
      for (const std::uint32_t source : layer.sources) {
        arrows_[{first_layer_ + source, first_layer_ + static_cast<std::uint32_t>(number)}] += layer.tasks;
      }
    }
  }

  void join_parts() {
    for (const Outline::Part& part : outline_.parts) {
      const std::uint32_t to = node_of_kind_ ? outline_.tasks[part.task].kind : part.task;
      arrows_[{first_layer_ + part.layer, to}] += part.values;
    }
  }

  const Outline& outline_;
  const PictureOptions& options_;
  Drawing drawing_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> arrows_;
  std::uint32_t first_layer_ = 0;
  bool node_of_kind_ = false;
};

}  // namespace

Drawing draw(const Outline& outline, const PictureOptions& options) { return Drawer(outline, options).draw(); }

std::string fill_of(const Drawing& drawing, std::uint32_t group) {
  // Told apart also by readers who see few colours: the light ones of a palette made for that, then steps around.
  static constexpr std::array<const char*, 10> kKinds = {"#a6cee3", "#fdbf6f", "#b2df8a", "#fb9a99", "#cab2d6",
                                                         "#ffff99", "#80b1d3", "#d9d9d9", "#fccde5", "#8dd3c7"};
  static constexpr std::array<const char*, 4> kStates = {"#e4e4e4", "#ffe08a", "#a8ddb5", "#f4877f"};
  if (drawing.colour == PictureOptions::Colour::State) return kStates[group % kStates.size()];
  if (group < kKinds.size()) return kKinds[group];
  const double turn = std::fmod(group * 0.618034, 1.0) * 6;
  const auto channel = [&](double shift) {
    const double at = std::fmod(turn + shift, 6.0);
    const double level = at < 1 ? at : at < 3 ? 1 : at < 4 ? 4 - at : 0;
    return static_cast<unsigned>(160 + 80 * level);
  };
  char text[8];
  std::snprintf(text, sizeof text, "#%02x%02x%02x", channel(2), channel(0), channel(4));
  return text;
}

}  // namespace weft
