#include "arrays/ops/matrix.hpp"
#include "arrays/ops/telling.hpp"

#include <weft/ops/elementwise.hpp>
#include <weft/ops/linear_algebra.hpp>
#include <weft/ops/structure.hpp>

#include <algorithm>
#include <map>

namespace weft::arrays {
namespace {

using ops::at_line;

/// Labels: letters as they are; the axes behind "..." are counted from the last one, from this number on.
constexpr int kHidden = 256;

/// What the subscripts say, as one label an axis.
struct Subscripts {
  std::vector<std::vector<int>> inputs;
  std::vector<int> output;
};

/// Reads subscripts. Threading: one thread.
class SubscriptReader {
 public:
  SubscriptReader(std::string_view text, const std::vector<Array>& operands, const std::source_location& where)
      : text_(text), operands_(operands), where_(where) {}

  Subscripts read() {
    std::string plain;
    for (const char c : text_) {
      if (c != ' ') plain += c;
    }
    const std::size_t arrow = plain.find("->");
    const std::string left = plain.substr(0, arrow);
    Subscripts subscripts;
    std::size_t begin = 0;
    for (std::size_t operand = 0;; ++operand) {
      const std::size_t comma = left.find(',', begin);
      if (operand >= operands_.size())
        refuse("it names more operands than the " + std::to_string(operands_.size()) + " given");
      subscripts.inputs.push_back(axes(left.substr(begin, comma - begin), static_cast<int>(operand)));
      if (comma == std::string::npos) break;
      begin = comma + 1;
    }
    if (subscripts.inputs.size() != operands_.size()) {
      refuse("it names " + std::to_string(subscripts.inputs.size()) + " operands, but " +
             std::to_string(operands_.size()) + " are given");
    }
    subscripts.output = arrow == std::string::npos ? implied(subscripts) : axes(plain.substr(arrow + 2), -1);
    check_output(subscripts);
    return subscripts;
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw Error(at_line("einsum", where_) + "\"" + std::string(text_) + "\": " + why);
  }

  /// `operand` -1: of the output.
  std::vector<int> axes(const std::string& word, int operand) {
    std::vector<int> labels;
    std::size_t letters = 0;
    for (const char c : word) letters += c == '.' ? 0 : 1;
    bool dots = false;
    for (std::size_t i = 0; i < word.size(); ++i) {
      const char c = word[i];
      if (c == '.') {
        if (dots || word.compare(i, 3, "...") != 0) refuse("dots come three at a time, once an operand");
        dots = true;
        i += 2;
        std::int64_t hidden = most_hidden_;
        if (operand >= 0) {
          hidden = static_cast<std::int64_t>(operands_[static_cast<std::size_t>(operand)].ndim()) -
                   static_cast<std::int64_t>(letters);
          if (hidden < 0) break;
          most_hidden_ = std::max(most_hidden_, hidden);
        }
        for (std::int64_t axis = hidden; axis-- > 0;) labels.push_back(kHidden + static_cast<int>(axis));
        continue;
      }
      if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) {
        refuse(std::string("'") + c + "' is not a letter, a comma, \"...\" or \"->\"");
      }
      labels.push_back(c);
    }
    if (operand >= 0 && (dots ? letters > operands_[static_cast<std::size_t>(operand)].ndim()
                              : letters != operands_[static_cast<std::size_t>(operand)].ndim())) {
      refuse("operand " + std::to_string(operand) + " has " +
             std::to_string(operands_[static_cast<std::size_t>(operand)].ndim()) + " axes, but '" + word + "' names " +
             std::to_string(letters));
    }
    return labels;
  }

  /// Without an arrow: what stands behind the dots, then the letters that occur once, in the alphabet's order.
  std::vector<int> implied(const Subscripts& subscripts) const {
    std::vector<int> output;
    for (std::int64_t axis = most_hidden_; axis-- > 0;) output.push_back(kHidden + static_cast<int>(axis));
    std::map<int, int> times;
    for (const auto& input : subscripts.inputs) {
      for (const int label : input) ++times[label];
    }
    for (const auto& [label, count] : times) {
      if (label < kHidden && count == 1) output.push_back(label);
    }
    return output;
  }

  void check_output(const Subscripts& subscripts) const {
    for (std::size_t i = 0; i < subscripts.output.size(); ++i) {
      const int label = subscripts.output[i];
      const std::string letter = label < kHidden ? std::string("'") + static_cast<char>(label) + "'" : "\"...\"";
      if (std::find(subscripts.output.begin(), subscripts.output.begin() + static_cast<std::ptrdiff_t>(i), label) !=
          subscripts.output.begin() + static_cast<std::ptrdiff_t>(i)) {
        refuse("the output names " + letter + " twice");
      }
      bool known = false;
      for (const auto& input : subscripts.inputs) {
        known = known || std::find(input.begin(), input.end(), label) != input.end();
      }
      if (!known) refuse("the output names " + letter + ", which no operand has");
    }
  }

  std::string_view text_;
  const std::vector<Array>& operands_;
  const std::source_location& where_;
  std::int64_t most_hidden_ = 0;
};

/// Axes of extent 1 stand for any extent: they are left out where another operand has more.
Array drop_ones(const Array& array, std::vector<int>& labels, const std::map<int, std::int64_t>& extents,
                const std::source_location& where) {
  std::vector<Index> index;
  std::vector<int> kept;
  bool drops = false;
  for (std::size_t axis = 0; axis < labels.size(); ++axis) {
    if (array.shape()[axis] == 1 && extents.at(labels[axis]) != 1) {
      index.emplace_back(0);
      drops = true;
    } else {
      index.emplace_back(slice());
      kept.push_back(labels[axis]);
    }
  }
  if (!drops) return array;
  labels = kept;
  return array.at(index, where);
}

}  // namespace

Array einsum(std::string_view text, const std::vector<Array>& operands, const std::source_location& where) {
  if (operands.empty()) throw Error(at_line("einsum", where) + "needs an operand at least");
  Subscripts subscripts = SubscriptReader(text, operands, where).read();
  std::map<int, std::int64_t> extents;
  Dtype dtype = operands[0].dtype();
  for (std::size_t i = 0; i < operands.size(); ++i) {
    dtype = ops::told("einsum", where, [&] { return promote(dtype, operands[i].dtype()); });
    ops::require_known(*operands[i].node(), "einsum", where);
    for (std::size_t axis = 0; axis < subscripts.inputs[i].size(); ++axis) {
      const std::int64_t extent = operands[i].shape()[axis];
      std::int64_t& known = extents.emplace(subscripts.inputs[i][axis], extent).first->second;
      if (known == 1) known = extent;
      if (extent != known && extent != 1) {
        const int label = subscripts.inputs[i][axis];
        throw Error(at_line("einsum", where) + "\"" + std::string(text) + "\": " +
                    (label < kHidden ? std::string("'") + static_cast<char>(label) + "'" : std::string("\"...\"")) +
                    " has the extents " + std::to_string(known) + " and " + std::to_string(extent));
      }
    }
  }
  const auto needed_after = [&](std::size_t operand, int label) {
    if (std::find(subscripts.output.begin(), subscripts.output.end(), label) != subscripts.output.end()) return true;
    for (std::size_t i = operand + 1; i < operands.size(); ++i) {
      const auto& input = subscripts.inputs[i];
      if (std::find(input.begin(), input.end(), label) != input.end()) return true;
    }
    return false;
  };
  const auto simplified = [&](std::size_t i, const std::vector<int>& other) {
    // Diagonals are taken, and what nobody else names is summed over, before anything is multiplied.
    std::vector<int>& labels = subscripts.inputs[i];
    const Array array = drop_ones(operands[i].astype(dtype, where), labels, extents, where);
    std::vector<int> kept;
    for (const int label : labels) {
      const bool used = needed_after(i, label) || std::find(other.begin(), other.end(), label) != other.end();
      if (used && std::find(kept.begin(), kept.end(), label) == kept.end()) kept.push_back(label);
    }
    const Array simple = kept == labels ? array : ops::arrange(array, labels, kept, where);
    labels = kept;
    return simple;
  };
  Array result = simplified(0, {});
  std::vector<int> labels = subscripts.inputs[0];
  for (std::size_t i = 1; i < operands.size(); ++i) {
    const Array next = simplified(i, labels);
    std::vector<int> kept;
    for (const std::vector<int>* const side : {&labels, &subscripts.inputs[i]}) {
      for (const int label : *side) {
        if (needed_after(i, label) && std::find(kept.begin(), kept.end(), label) == kept.end()) kept.push_back(label);
      }
    }
    // What the present result has alone and nobody needs has been kept for this operand, which dropped it as a one.
    std::vector<int> left;
    for (const int label : labels) {
      const auto& right = subscripts.inputs[i];
      if (needed_after(i, label) || std::find(right.begin(), right.end(), label) != right.end()) left.push_back(label);
    }
    if (left != labels) result = ops::arrange(result, labels, left, where);
    std::vector<int> right;
    for (const int label : subscripts.inputs[i]) {
      if (needed_after(i, label) || std::find(left.begin(), left.end(), label) != left.end()) right.push_back(label);
    }
    const Array other = right == subscripts.inputs[i] ? next : ops::arrange(next, subscripts.inputs[i], right, where);
    result = ops::contract("einsum", result, left, other, right, kept, where);
    labels = kept;
  }
  return labels == subscripts.output ? result : ops::arrange(result, labels, subscripts.output, where);
}

}  // namespace weft::arrays
