#include "core/graph/task_name.hpp"

#include <weft/arena.hpp>
#include <weft/bind.hpp>

#include <cstdio>
#include <string_view>

namespace weft {
namespace {

std::string argument_text(TaskId task) {
  const TaskRecord& record = arena::task(task);
  const TaskType& type = *site(record.site).type;
  std::string text;
  for (std::uint32_t k = 0; k < record.input_count && k < 8; ++k) {
    if (!text.empty()) text += ", ";
    text += "result of " + task_name(arena::edge(record.first_input + k).producer);
  }
  if (record.input_count > 8) text += ", and " + std::to_string(record.input_count - 8) + " more";
  type.describe(record.payload, text);
  return text;
}

/// Returns the name of what a task calls, for people.
std::string function_name(const Site& at) {
  std::string name = spelled_type(at.type->name());
  // A function pointer's type says nothing to a reader; the place does.
  const bool is_lambda = name.find("lambda") != std::string::npos;
  if (!is_lambda && name.find("(*)") == std::string::npos) return name;
  const std::string_view file(at.file);
  const std::size_t slash = file.rfind('/');
  return (is_lambda ? "lambda at " : "function at ") +
         std::string(slash == std::string_view::npos ? file : file.substr(slash + 1)) + ":" + std::to_string(at.line);
}

}  // namespace

std::string spelled_type(const char* pretty_function) {
  std::string_view text(pretty_function);
  const std::size_t with = text.find("T = ");
  if (with == std::string_view::npos) return std::string(text);
  text.remove_prefix(with + 4);
  std::size_t end = text.find_first_of(";");
  if (end == std::string_view::npos) end = text.rfind(']');
  return std::string(text.substr(0, end));
}

std::string task_name(TaskId task) {
  const TaskRecord& record = arena::task(task);
  return task_name_of(task, record.site, (record.word.load(std::memory_order_relaxed) & task_word::kExtra) != 0);
}

std::string task_name_of(TaskId task, std::uint32_t kind, bool has_extra) {
  std::string name;
  if (has_extra) extras::read(task, [&](const TaskExtra& extra) { name = extra.name; });
  if (name.empty() || name.back() == '/') name += function_name(site(kind));
  return name + " #" + std::to_string(task);
}

void describe_task(TaskId task, TaskFailure& failure) {
  const Site& at = site(arena::task(task).site);
  failure.task = task_name(task);
  if (failure.inside) return;
  failure.file = at.file;
  failure.line = at.line;
  failure.arguments = argument_text(task);
}

namespace detail {
namespace {
void separate(std::string& text) {
  if (!text.empty()) text += ", ";
}
}  // namespace

void describe_argument(std::string& text, bool value) {
  separate(text);
  text += value ? "true" : "false";
}
void describe_argument(std::string& text, long long value) {
  separate(text);
  text += std::to_string(value);
}
void describe_argument(std::string& text, unsigned long long value) {
  separate(text);
  text += std::to_string(value);
}
void describe_argument(std::string& text, double value) {
  separate(text);
  char digits[32];
  std::snprintf(digits, sizeof digits, "%g", value);
  text += digits;
}
void describe_argument(std::string& text, const std::string& value) {
  separate(text);
  constexpr std::size_t most = 60;
  text += '"' + (value.size() <= most ? value : value.substr(0, most) + "...") + '"';
}
void describe_argument_type(std::string& text, const char* pretty_function) {
  separate(text);
  text += "a " + spelled_type(pretty_function);
}

}  // namespace detail
}  // namespace weft
