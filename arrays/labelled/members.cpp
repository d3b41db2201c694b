// Ensembles: what differs in the names of files becomes dimensions.
#include <weft/members.hpp>

#include "arrays/labelled/combined.hpp"
#include "arrays/labelled/operations.hpp"
#include "arrays/ops/telling.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <regex>
#include <set>

namespace weft {
namespace {

using labelled::Where;

/// A pattern with names, as the shell's and as an expression that gives the parts of a path that the names stand for.
struct Pattern {
  std::string glob, expression;
  std::vector<std::string> names;
  /// Which name each group of the expression is.
  std::vector<std::size_t> groups;

  explicit Pattern(const std::string& text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      if (c == '{') {
        const std::size_t end = text.find('}', i);
        if (end == std::string::npos || end == i + 1) throw Error("'" + text + "': a '{' needs a name and a '}'");
        if (i > 0 && text[i - 1] == '}') {
          throw Error("'" + text + "': where one name ends and the next begins cannot be told: put something between");
        }
        name(text.substr(i + 1, end - i - 1));
        i = end;
      } else if (c == '*' || c == '?') {
        glob += c;
        expression += c == '*' ? "[^/]*" : "[^/]";
      } else if (c == '[') {
        const std::size_t end = text.find(']', i + 1);
        if (end == std::string::npos) throw Error("'" + text + "': a '[' needs a ']'");
        glob += text.substr(i, end - i + 1);
        expression += "[^/]";
        i = end;
      } else {
        glob += c;
        if (std::string("\\^$.|+()]}").find(c) != std::string::npos) expression += '\\';
        expression += c;
      }
    }
    if (names.empty()) throw Error("'" + text + "' has no {name}: open_many joins files that are no ensemble");
  }

 private:
  void name(const std::string& one) {
    glob += '*';
    expression += "([^/]+?)";
    const auto known = std::find(names.begin(), names.end(), one);
    groups.push_back(static_cast<std::size_t>(known - names.begin()));
    if (known == names.end()) names.push_back(one);
  }
};

/// The files of each run, by the texts that the names stand for.
using Runs = std::map<std::vector<std::string>, std::vector<std::string>>;

Runs runs_of(const Pattern& pattern) {
  const std::regex expression(pattern.expression);
  Runs runs;
  for (const std::string& path : files_of(pattern.glob)) {
    std::smatch found;
    if (!std::regex_match(path, found, expression)) continue;
    std::vector<std::string> texts(pattern.names.size());
    bool same = true;
    for (std::size_t i = 0; i < pattern.groups.size(); ++i) {
      std::string& text = texts[pattern.groups[i]];
      same = same && (text.empty() || text == found[i + 1].str());
      text = found[i + 1].str();
    }
    if (same) runs[texts].push_back(path);
  }
  if (runs.empty()) throw Error("'" + pattern.glob + "': no file has such a name");
  return runs;
}

struct Labels {
  Coordinate coordinate;
  /// As they stand in paths, in the coordinate's order.
  std::vector<std::string> texts;
};

Labels labels_of(const std::string& name, const Runs& runs, std::size_t place) {
  std::set<std::string> different;
  for (const auto& [texts, paths] : runs) different.insert(texts[place]);
  Labels out;
  out.texts.assign(different.begin(), different.end());
  std::map<std::string, double> numbers;
  for (const std::string& text : out.texts) {
    double number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failed != std::errc() || end != text.data() + text.size()) {
      out.coordinate = Coordinate::of_texts(name, out.texts);
      return out;
    }
    numbers[text] = number;
  }
  std::stable_sort(out.texts.begin(), out.texts.end(),
                   [&](const std::string& a, const std::string& b) { return numbers[a] < numbers[b]; });
  std::vector<double> values;
  for (const std::string& text : out.texts) {
    if (!values.empty() && values.back() == numbers[text]) {
      throw Error("'" + text + "' and another text are the same number of '" + name + "'");
    }
    values.push_back(numbers[text]);
  }
  out.coordinate = Coordinate::of_numbers(name, std::move(values));
  return out;
}

std::string run_text(const std::vector<std::string>& names, const std::vector<std::string>& texts) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) out += (i == 0 ? "" : ", ") + names[i] + " " + texts[i];
  return out;
}

/// Whether it says what labels mean, not what a run has computed.
bool is_bounds(const Dataset& set, const std::string& name) {
  for (const auto& [dim, labels] : set.coordinates()) {
    for (const io::Attribute& one : labels.attributes()) {
      if (one.name == "bounds" && one.texts == std::vector<std::string>{name}) return true;
    }
  }
  return false;
}

LabelledArray missing_like(const LabelledArray& like, const Where& where) {
  const arrays::Array data = labelled::floating(like.data(), where);
  std::vector<AxisChunks> chunks;
  for (const auto& sizes : like.data().chunks()) chunks.emplace_back(sizes);
  return labelled::with_data(like, arrays::full(data.shape(), Scalar(std::numeric_limits<double>::quiet_NaN()),
                                                {.dtype = data.dtype(), .chunks = Chunks(std::move(chunks))}, where));
}

/// Puts the runs together, one dimension after the other.
class Together {
 public:
  Together(const Pattern& pattern, const Runs& runs, const MembersOptions& options, const Where& where)
      : pattern_(pattern), options_(options), where_(where) {
    for (std::size_t i = 0; i < pattern.names.size(); ++i) labels_.push_back(labels_of(pattern.names[i], runs, i));
    for (const auto& [texts, paths] : runs) sets_.emplace(texts, open_many(paths));
    for (const auto& [dim, extent] : sets_.begin()->second.dims()) {
      if (std::find(pattern.names.begin(), pattern.names.end(), dim) != pattern.names.end()) {
        throw Error("'" + runs.begin()->second.front() + "' has a dimension '" + dim + "' already: another {name}");
      }
    }
  }

  Dataset all() const {
    const Dataset& first = sets_.begin()->second;
    std::vector<LabelledArray> out;
    for (const LabelledArray& one : first.variables()) {
      std::vector<std::string> texts;
      out.push_back(is_bounds(first, one.name()) ? one : joined(one, texts));
    }
    return {std::move(out), first.attributes()};
  }

 private:
  /// All runs whose texts begin so.
  LabelledArray joined(const LabelledArray& like, std::vector<std::string>& texts) const {
    if (texts.size() == labels_.size()) return run(like, texts);
    const Labels& along = labels_[texts.size()];
    std::vector<LabelledArray> parts;
    for (const std::string& text : along.texts) {
      texts.push_back(text);
      parts.push_back(joined(like, texts));
      texts.pop_back();
    }
    return concat(parts, along.coordinate, where_);
  }

  LabelledArray run(const LabelledArray& like, const std::vector<std::string>& texts) const {
    const std::string name = run_text(pattern_.names, texts);
    const auto found = sets_.find(texts);
    if (found == sets_.end()) {
      if (options_.fill) return missing_like(like, where_);
      throw Error("there is no file of " + name + ", which others have: {.fill = true} takes NaN for it");
    }
    if (!found->second.has(like.name())) throw Error("the run of " + name + " has no '" + like.name() + "'");
    const LabelledArray& array = found->second[like.name()];
    labelled::check_alike(like, array, "the run of " + name, {});
    return array;
  }

  const Pattern& pattern_;
  const MembersOptions options_;
  const Where where_;
  std::vector<Labels> labels_;
  std::map<std::vector<std::string>, Dataset> sets_;
};

}  // namespace

Dataset open_members(const std::string& pattern, const MembersOptions& options, const Where& where) {
  return arrays::ops::told("open_members", where, [&] {
    const Pattern known(pattern);
    const Runs runs = runs_of(known);
    return Together(known, runs, options, where).all();
  });
}

}  // namespace weft
