#include "core/graph/drawing.hpp"

#include <algorithm>
#include <numeric>

namespace weft {
namespace {

constexpr double kGap = 18;
constexpr double kLevelHeight = 74;
constexpr double kLetterWidth = 7.2;
/// Arrows over several levels get a place in each while there are not too many of them.
constexpr std::size_t kMostBends = 4'000;

/// Finds levels, an order in each, and places. Threading: one thread.
///
/// 1. find_back_arrows: arrows that close a cycle take no part in what follows.
/// 2. find_levels: the longest way from a root.
/// 3. add_bends: a place in each level that an arrow passes.
/// 4. order_levels: sweeps to the mean of the neighbours.
/// 5. place: as near to the neighbours as the boxes beside it allow.
class LevelLayout {
 public:
  explicit LevelLayout(const Drawing& drawing) : drawing_(drawing), count_(drawing.nodes.size()) {
    for (const Drawing::Node& node : drawing.nodes) {
      // Letters beyond ASCII take several bytes; the boxes get a little wider for it.
      widths_.push_back(std::max(40.0, static_cast<double>(node.label.size()) * kLetterWidth + 18));
    }
    back_.assign(drawing.arrows.size(), false);
  }

  Layout lay_out() {
    find_back_arrows();
    find_levels();
    add_bends();
    order_levels();
    place();
    return result();
  }

 private:
  void find_back_arrows() {
    std::vector<std::vector<std::pair<std::uint32_t, std::size_t>>> out(count_);
    for (std::size_t a = 0; a < drawing_.arrows.size(); ++a) {
      out[drawing_.arrows[a].from].emplace_back(drawing_.arrows[a].to, a);
    }
    std::vector<char> mark(count_);
    for (std::uint32_t start = 0; start < count_; ++start) {
      if (mark[start] != 0) continue;
      std::vector<std::pair<std::uint32_t, std::size_t>> path{{start, 0}};
      mark[start] = 1;
      while (!path.empty()) {
        auto& [node, next] = path.back();
        if (next == out[node].size()) {
          mark[node] = 2;
          path.pop_back();
          continue;
        }
        const auto [to, arrow] = out[node][next++];
        if (mark[to] == 1) back_[arrow] = true;
        if (mark[to] != 0) continue;
        mark[to] = 1;
        path.emplace_back(to, 0);
      }
    }
  }

  void find_levels() {
    level_.assign(count_, 0);
    std::vector<std::uint32_t> waiting(count_);
    std::vector<std::vector<std::uint32_t>> out(count_);
    for (std::size_t a = 0; a < drawing_.arrows.size(); ++a) {
      if (back_[a]) continue;
      ++waiting[drawing_.arrows[a].to];
      out[drawing_.arrows[a].from].push_back(drawing_.arrows[a].to);
    }
    std::vector<std::uint32_t> ready;
    for (std::uint32_t node = 0; node < count_; ++node) {
      if (waiting[node] == 0) ready.push_back(node);
    }
    for (std::size_t i = 0; i < ready.size(); ++i) {
      for (const std::uint32_t to : out[ready[i]]) {
        level_[to] = std::max(level_[to], level_[ready[i]] + 1);
        if (--waiting[to] == 0) ready.push_back(to);
      }
    }
  }

  void add_bends() {
    bends_.resize(drawing_.arrows.size());
    std::size_t wanted = 0;
    for (std::size_t a = 0; a < drawing_.arrows.size(); ++a) {
      const Drawing::Arrow& arrow = drawing_.arrows[a];
      if (!back_[a] && level_[arrow.to] > level_[arrow.from] + 1) wanted += level_[arrow.to] - level_[arrow.from] - 1;
    }
    above_.resize(count_);
    below_.resize(count_);
    for (std::size_t a = 0; a < drawing_.arrows.size(); ++a) {
      if (back_[a]) continue;
      const Drawing::Arrow& arrow = drawing_.arrows[a];
      std::uint32_t from = arrow.from;
      for (std::uint32_t level = level_[from] + 1; wanted <= kMostBends && level < level_[arrow.to]; ++level) {
        const auto bend = static_cast<std::uint32_t>(level_.size());
        level_.push_back(level);
        widths_.push_back(4);
        above_.emplace_back();
        below_.emplace_back();
        bends_[a].push_back(bend);
        join(from, bend);
        from = bend;
      }
      join(from, arrow.to);
    }
  }

  void join(std::uint32_t from, std::uint32_t to) {
    below_[from].push_back(to);
    above_[to].push_back(from);
  }

  void order_levels() {
    const std::uint32_t levels = level_.empty() ? 0 : *std::max_element(level_.begin(), level_.end()) + 1;
    rows_.resize(levels);
    for (std::uint32_t node = 0; node < level_.size(); ++node) rows_[level_[node]].push_back(node);
    at_.resize(level_.size());
    for (const auto& row : rows_) number(row);
    for (int sweep = 0; sweep < 6; ++sweep) {
      if (sweep % 2 == 0) {
        for (std::size_t level = 1; level < rows_.size(); ++level) sort_by(rows_[level], above_);
      } else {
        for (std::size_t level = rows_.size(); level-- > 0;) sort_by(rows_[level], below_);
      }
    }
  }

  void number(const std::vector<std::uint32_t>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) at_[row[i]] = static_cast<double>(i);
  }

  void sort_by(std::vector<std::uint32_t>& row, const std::vector<std::vector<std::uint32_t>>& neighbours) {
    std::vector<std::pair<double, std::uint32_t>> keys;
    for (const std::uint32_t node : row) keys.emplace_back(mean(at_, neighbours[node], at_[node]), node);
    std::stable_sort(keys.begin(), keys.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (std::size_t i = 0; i < row.size(); ++i) row[i] = keys[i].second;
    number(row);
  }

  static double mean(const std::vector<double>& values, const std::vector<std::uint32_t>& of, double otherwise) {
    if (of.empty()) return otherwise;
    double sum = 0;
    for (const std::uint32_t node : of) sum += values[node];
    return sum / static_cast<double>(of.size());
  }

  void place() {
    x_.assign(level_.size(), 0);
    for (const auto& row : rows_) {
      double total = -kGap;
      for (const std::uint32_t node : row) total += widths_[node] + kGap;
      double x = -total / 2;
      for (const std::uint32_t node : row) {
        x_[node] = x + widths_[node] / 2;
        x += widths_[node] + kGap;
      }
    }
    for (int sweep = 0; sweep < 8; ++sweep) {
      if (sweep % 2 == 0) {
        for (std::size_t level = 1; level < rows_.size(); ++level) move_towards(rows_[level], above_);
      } else {
        for (std::size_t level = rows_.size(); level-- > 0;) move_towards(rows_[level], below_);
      }
    }
  }

  /// The mean of the leftmost and of the rightmost places that keep the order and the gaps.
  void move_towards(const std::vector<std::uint32_t>& row, const std::vector<std::vector<std::uint32_t>>& neighbours) {
    if (row.empty()) return;
    std::vector<double> wanted;
    for (const std::uint32_t node : row) wanted.push_back(mean(x_, neighbours[node], x_[node]));
    std::vector<double> right = wanted;
    std::vector<double> left = wanted;
    const auto apart = [&](std::size_t i) { return (widths_[row[i]] + widths_[row[i + 1]]) / 2 + kGap; };
    for (std::size_t i = 0; i + 1 < row.size(); ++i) right[i + 1] = std::max(right[i + 1], right[i] + apart(i));
    for (std::size_t i = row.size() - 1; i-- > 0;) left[i] = std::min(left[i], left[i + 1] - apart(i));
    for (std::size_t i = 0; i < row.size(); ++i) x_[row[i]] = (left[i] + right[i]) / 2;
  }

  Layout result() const {
    Layout layout;
    double leftmost = 0;
    double rightmost = 0;
    for (std::size_t node = 0; node < x_.size(); ++node) {
      leftmost = std::min(leftmost, x_[node] - widths_[node] / 2);
      rightmost = std::max(rightmost, x_[node] + widths_[node] / 2);
    }
    const auto point = [&](std::uint32_t node) {
      return Layout::Point{x_[node] - leftmost, level_[node] * kLevelHeight + Layout::kBoxHeight / 2};
    };
    for (std::uint32_t node = 0; node < count_; ++node) layout.centres.push_back(point(node));
    layout.widths.assign(widths_.begin(), widths_.begin() + static_cast<std::ptrdiff_t>(count_));
    for (std::size_t a = 0; a < drawing_.arrows.size(); ++a) {
      std::vector<Layout::Point> route{point(drawing_.arrows[a].from)};
      for (const std::uint32_t bend : bends_[a]) route.push_back(point(bend));
      route.push_back(point(drawing_.arrows[a].to));
      layout.routes.push_back(std::move(route));
    }
    layout.width = rightmost - leftmost;
    layout.height = rows_.empty() ? 0 : static_cast<double>(rows_.size() - 1) * kLevelHeight + Layout::kBoxHeight;
    return layout;
  }

  const Drawing& drawing_;
  const std::size_t count_;
  // One entry an arrow.
  std::vector<bool> back_;
  std::vector<std::vector<std::uint32_t>> bends_;
  // One entry a box, then one a bend.
  std::vector<double> widths_;
  std::vector<std::uint32_t> level_;
  std::vector<std::vector<std::uint32_t>> above_;
  std::vector<std::vector<std::uint32_t>> below_;
  std::vector<double> at_;
  std::vector<double> x_;
  std::vector<std::vector<std::uint32_t>> rows_;
};

}  // namespace

Layout lay_out(const Drawing& drawing) { return LevelLayout(drawing).lay_out(); }

}  // namespace weft
