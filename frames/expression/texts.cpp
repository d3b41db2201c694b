#include "frames/expression/operand.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <regex>

namespace weft::frames {
namespace {

bool begins_letter(char byte) { return (byte & 0xc0) != 0x80; }

std::int64_t letter_count(std::string_view text) { return std::count_if(text.begin(), text.end(), begins_letter); }

/// Returns the byte at which a letter begins, or the end.
std::size_t byte_of(std::string_view text, std::int64_t letter) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (begins_letter(text[at]) && letter-- == 0) return at;
  }
  return at;
}

std::string_view sliced(std::string_view text, std::int64_t first, std::int64_t end) {
  if (first < 0 || end < 0) {
    const std::int64_t count = letter_count(text);
    if (first < 0) first = std::max<std::int64_t>(0, first + count);
    if (end < 0) end += count;
  }
  if (end <= first) return {};
  const std::size_t from = byte_of(text, first);
  const std::string_view rest = text.substr(from);
  return end == INT64_MAX ? rest : rest.substr(0, byte_of(rest, end - first));
}

std::string_view stripped(std::string_view text, std::string_view letters, bool left, bool right) {
  if (letters.empty()) letters = " \t\n\r\f\v";
  while (left && !text.empty() && letters.find(text.front()) != std::string_view::npos) text.remove_prefix(1);
  while (right && !text.empty() && letters.find(text.back()) != std::string_view::npos) text.remove_suffix(1);
  return text;
}

char lower(char one) { return one >= 'A' && one <= 'Z' ? static_cast<char>(one - 'A' + 'a') : one; }
char upper(char one) { return one >= 'a' && one <= 'z' ? static_cast<char>(one - 'a' + 'A') : one; }

std::regex pattern_of(const std::string& pattern) {
  try {
    return std::regex(pattern, std::regex::ECMAScript | std::regex::optimize);
  } catch (const std::regex_error& error) {
    throw Error("'" + pattern + "' is no regular expression: " + error.what());
  }
}

/// Tells whether a pattern means itself, so that no machine is needed for it.
bool is_plain(std::string_view pattern) { return pattern.find_first_of("\\^$.|?*+()[]{}") == std::string_view::npos; }

template <class F>
Column told(const Column& texts, F holds) {
  Column result(ColumnType::Bool, texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i)
    result.data<std::uint8_t>()[i] = !texts.is_missing(i) && holds(texts.text(i)) ? 1 : 0;
  return result;
}

/// Makes a text of each, appended to all others.
template <class F>
Column rewritten(const Column& texts, F append) {
  Chunk<std::int64_t> ends(texts.size());
  std::string all;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    append(texts.text(i), all);
    ends[i] = static_cast<std::int64_t>(all.size());
  }
  Buffer bytes = all.empty() ? Buffer() : Buffer::allocate(all.size());
  if (!all.empty()) std::copy(all.begin(), all.end(), reinterpret_cast<char*>(bytes.data()));
  Column result = Column::strings(std::move(ends), std::move(bytes));
  result.share_marks_of(texts);
  return result;
}

void replace_all(std::string_view text, const std::string& what, const std::string& by, std::string& all) {
  if (what.empty()) return static_cast<void>(all.append(text));
  for (std::size_t at = 0; (at = text.find(what)) != std::string_view::npos; text.remove_prefix(at + what.size()))
    all.append(text.substr(0, at)).append(by);
  all.append(text);
}

Column conditions(const ColumnStep& step, const Column& texts) {
  const std::string& what = step.text;
  if (step.op == ColumnOp::StartsWith)
    return told(texts, [&](std::string_view text) { return text.starts_with(what); });
  if (step.op == ColumnOp::EndsWith) return told(texts, [&](std::string_view text) { return text.ends_with(what); });
  if (step.op == ColumnOp::Contains && (step.first == 0 || is_plain(what)))
    return told(texts, [&](std::string_view text) { return text.find(what) != std::string_view::npos; });
  const std::regex pattern = pattern_of(what);
  const bool whole = step.op == ColumnOp::Matches;
  return told(texts, [&](std::string_view text) {
    return whole ? std::regex_match(text.begin(), text.end(), pattern)
                 : std::regex_search(text.begin(), text.end(), pattern);
  });
}

Column replaced(const ColumnStep& step, const Column& texts) {
  if (step.first == 0 || is_plain(step.text))
    return rewritten(texts,
                     [&](std::string_view text, std::string& all) { replace_all(text, step.text, step.other, all); });
  const std::regex pattern = pattern_of(step.text);
  return rewritten(texts, [&](std::string_view text, std::string& all) {
    std::regex_replace(std::back_inserter(all), text.begin(), text.end(), pattern, step.other);
  });
}

}  // namespace

Column text_part(const ColumnStep& step, const Column& texts) {
  if (texts.type() == ColumnType::Category) {
    // Once for each category. A row without one is missing, or, of conditions, false.
    const Column of_list = text_part(step, texts.category_list());
    std::vector<std::uint32_t> at(texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) at[i] = static_cast<std::uint32_t>(texts.data<std::int32_t>()[i]);
    Column result = of_list.take(at);
    if (result.type() == ColumnType::Bool) result.drop_marks();
    return result;
  }
  if (step.op == ColumnOp::Length) {
    Column result(ColumnType::Int64, texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) result.data<std::int64_t>()[i] = letter_count(texts.text(i));
    result.share_marks_of(texts);
    return result;
  }
  if (step.op == ColumnOp::Lower || step.op == ColumnOp::Upper) {
    char (*const change)(char) = step.op == ColumnOp::Lower ? &lower : &upper;
    return rewritten(texts, [change](std::string_view text, std::string& all) {
      for (const char one : text) all += change(one);
    });
  }
  if (step.op == ColumnOp::Strip || step.op == ColumnOp::LeftStrip || step.op == ColumnOp::RightStrip) {
    return rewritten(texts, [&step](std::string_view text, std::string& all) {
      all += stripped(text, step.text, step.op != ColumnOp::RightStrip, step.op != ColumnOp::LeftStrip);
    });
  }
  if (step.op == ColumnOp::SliceText)
    return rewritten(texts,
                     [&step](std::string_view text, std::string& all) { all += sliced(text, step.first, step.end); });
  return step.op == ColumnOp::ReplaceText ? replaced(step, texts) : conditions(step, texts);
}

}  // namespace weft::frames
