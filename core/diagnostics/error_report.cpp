#include "core/diagnostics/error_report.hpp"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <string_view>
#include <utility>

#include <cxxabi.h>

#include <fmt/format.h>

namespace weft {

namespace {

constexpr std::size_t kInputsShown = 8;
constexpr std::size_t kDependentsShown = 12;

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

// Demangled names spell out what no user wrote.
std::string tidy(std::string name) {
  replace_all(name, "std::__cxx11::", "std::");
  replace_all(name, "std::__1::", "std::");
  replace_all(name, "std::basic_string<char, std::char_traits<char>, std::allocator<char> >", "std::string");
  replace_all(name, "std::basic_string_view<char, std::char_traits<char> >", "std::string_view");
  for (std::size_t at = name.find(", std::allocator<"); at != std::string::npos;
       at = name.find(", std::allocator<", at)) {
    int depth = 0;
    std::size_t end = name.find('<', at);
    do {
      if (name[end] == '<') ++depth;
      if (name[end] == '>') --depth;
      ++end;
    } while (depth > 0 && end < name.size());
    name.erase(at, end - at);
  }
  replace_all(name, " >", ">");
  return name;
}

// "outer; caused by: inner" down to the innermost of std::throw_with_nested.
void append_nested(std::string& text, const std::exception& exception, int depth) {
  constexpr int kDeepest = 16;
  const char* const what = exception.what();
  text += what != nullptr ? what : "(null)";
  const auto* const nested = dynamic_cast<const std::nested_exception*>(&exception);
  if (nested == nullptr || nested->nested_ptr() == nullptr || depth == kDeepest) return;
  text += "; caused by: ";
  try {
    nested->rethrow_nested();
  } catch (const std::exception& inner) {
    append_nested(text, inner, depth + 1);
  } catch (...) {
    text += describe(std::current_exception()).message;
  }
}

std::string place(const SourceStep& step) {
  return step.line > 0 ? fmt::format("{}:{}", step.file, step.line) : step.file;
}

void append_detail(std::string& text, std::string_view label, std::string_view detail) {
  fmt::format_to(std::back_inserter(text), "\n  {:<11} {}", label, detail);
}

std::string operations_text(const std::vector<SourceStep>& operations) {
  std::string out;
  for (const SourceStep& step : operations) {
    if (!out.empty()) out += " > ";
    out += step.name;
    if (!step.file.empty()) out += fmt::format(" ({})", place(step));
  }
  return out;
}

std::string dependents_text(const Failure& failure) {
  std::string out;
  std::uint64_t hidden = failure.more_dependents;
  for (std::size_t i = 0; i < failure.dependents.size(); ++i) {
    if (i >= kDependentsShown) {
      ++hidden;
      continue;
    }
    if (!out.empty()) out += " > ";
    out += failure.dependents[i];
  }
  if (hidden > 0) out += fmt::format("{}and {} more", out.empty() ? "" : ", ", hidden);
  return out;
}

std::string place_of_run(const Failure& failure) {
  std::string out = failure.worker;
  if (failure.slot >= 0) out += fmt::format("{}slot {}", out.empty() ? "" : ", ", failure.slot);
  if (failure.attempts_allowed > 1 || failure.attempt > 1) {
    out += fmt::format("{}attempt {} of {}", out.empty() ? "" : ", ", failure.attempt, failure.attempts_allowed);
  }
  return out;
}

}  // namespace

std::string readable_type(const std::type_info& type) { return readable_symbol(type.name()); }

std::string readable_symbol(const char* mangled) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(mangled, nullptr, nullptr, &status), std::free);
  return status == 0 && text ? tidy(text.get()) : mangled;
}

Thrown describe(const std::exception_ptr& exception) {
  if (!exception) return {"", "no exception"};
  const auto current_type = [] {
    const std::type_info* const type = abi::__cxa_current_exception_type();
    return type != nullptr ? readable_type(*type) : std::string("unknown type");
  };
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& error) {
    Thrown thrown{readable_type(typeid(error)), ""};
    // The type that std::throw_with_nested makes up is not the one the user named.
    constexpr std::string_view kNested = "std::_Nested_exception<";
    if (thrown.type.substr(0, kNested.size()) == kNested && thrown.type.back() == '>') {
      thrown.type = thrown.type.substr(kNested.size(), thrown.type.size() - kNested.size() - 1);
    }
    append_nested(thrown.message, error, 0);
    return thrown;
  } catch (const std::string& text) {
    return {"std::string", text};
  } catch (const char* text) {
    return {"const char*", text != nullptr ? text : "(null)"};
  } catch (int value) {
    return {"int", fmt::format("{}", value)};
  } catch (long value) {
    return {"long", fmt::format("{}", value)};
  } catch (double value) {
    return {"double", fmt::format("{}", value)};
  } catch (...) {
    std::string type = current_type();
    std::string message = fmt::format("an object of type {}, which is not a std::exception and has no text", type);
    return {std::move(type), std::move(message)};
  }
}

std::string failure_text(const Failure& failure) {
  std::string text = fmt::format("task '{}' failed: {}", failure.task.empty() ? "unnamed" : failure.task,
                                 failure.thrown.message.empty() ? "(no message)" : failure.thrown.message);
  if (!failure.thrown.type.empty()) text += fmt::format(" ({})", failure.thrown.type);
  if (!failure.at.file.empty()) append_detail(text, "at", place(failure.at));
  if (!failure.operations.empty()) append_detail(text, "operations", operations_text(failure.operations));
  for (std::size_t i = 0; i < failure.inputs.size() && i < kInputsShown; ++i) {
    append_detail(text, fmt::format("input {}", i), failure.inputs[i]);
  }
  if (failure.inputs.size() > kInputsShown) {
    append_detail(text, "inputs", fmt::format("and {} more", failure.inputs.size() - kInputsShown));
  }
  std::string_view label = "thrown in";
  for (std::string_view left = failure.stack; !left.empty(); label = "") {
    const std::size_t end = std::min(left.find('\n'), left.size());
    append_detail(text, label, left.substr(0, end));
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  const std::string needed_by = dependents_text(failure);
  if (!needed_by.empty()) append_detail(text, "needed by", needed_by);
  const std::string ran_on = place_of_run(failure);
  if (!ran_on.empty()) append_detail(text, "ran on", ran_on);
  if (failure.can_rerun) append_detail(text, "to debug", "rerun_locally(future) runs it again in this thread");
  return text;
}

}  // namespace weft
