// `weft plot`: a line or a map of a variable.
//
// 1. `chosen` opens the files, selects, and leaves the variable with one dimension or two. 2. Its values are computed.
// 3. `draw_line` or `draw_map` lays the picture out. 4. `write_picture` puts the file in its place.
#include "mpi_launch/command/plot/plot.hpp"

#include "core/memory/bytes_text.hpp"
#include "io/files/name_beside.hpp"
#include "mpi_launch/command/data/inputs.hpp"
#include "mpi_launch/command/data/reduction.hpp"
#include "mpi_launch/command/data/selection.hpp"
#include "mpi_launch/command/data/verbs.hpp"
#include "mpi_launch/command/plot/axis.hpp"
#include "mpi_launch/command/plot/canvas.hpp"
#include "mpi_launch/command/plot/colours.hpp"
#include "mpi_launch/start/ranks.hpp"

#include <weft/arrays.hpp>
#include <weft/client.hpp>
#include <weft/file_groups.hpp>
#include <weft/labelled.hpp>
#include <weft/ndarray.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>

namespace weft::command::data {
namespace {

using namespace plot;

constexpr std::int64_t kMostLine = 4'000'000;

/// A variable with the places that were taken of its other dimensions.
struct Chosen {
  LabelledArray array;
  std::string places;
};

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  std::int64_t missing = 0;
  bool empty() const { return !(low <= high); }
};

Range range_of(const std::vector<double>& values) {
  Range range;
  for (const double value : values) {
    if (!std::isfinite(value)) {
      ++range.missing;
      continue;
    }
    range.low = std::min(range.low, value);
    range.high = std::max(range.high, value);
  }
  return range;
}

/// The only variable of numbers that has dimensions, unless one is named.
const LabelledArray& variable_of(const Dataset& data, const std::string& name) {
  if (!name.empty()) {
    require_variable(data, name);
    return data[name];
  }
  const std::set<std::string> describing = describing_variables(data);
  const LabelledArray* found = nullptr;
  std::string names;
  for (const LabelledArray& one : data.variables()) {
    if (describing.count(one.name()) != 0 || one.dims().empty()) continue;
    names += (names.empty() ? "" : ", ") + one.name();
    // A line beside maps only goes with them.
    if (found == nullptr || one.dims().size() > found->dims().size()) found = &one;
  }
  if (found == nullptr) throw Error("there is no variable of numbers with dimensions to plot");
  std::size_t equals = 0;
  for (const LabelledArray& one : data.variables()) {
    equals += describing.count(one.name()) == 0 && one.dims().size() == found->dims().size() ? 1 : 0;
  }
  if (equals > 1) throw UsageError("weft plot: name the variable to plot: " + names);
  return *found;
}

std::string label_at(const LabelledArray& one, const std::string& dim, std::size_t place) {
  const auto labels = one.coordinates().find(dim);
  return labels == one.coordinates().end() ? std::to_string(place) : labels->second.label(place);
}

/// Leaves at most two dimensions: of the others the first place is taken.
Chosen flat(LabelledArray array) {
  std::string places;
  const auto take_first = [&](const std::string& dim, bool by_itself) {
    places += (places.empty() ? "" : ", ") + dim + " = " + label_at(array, dim, 0) +
              (by_itself && array.extent(dim) > 1 ? " (the first of " + std::to_string(array.extent(dim)) + ")" : "");
    array = array.isel(dim, std::int64_t{0});
  };
  for (const std::string& dim : std::vector<std::string>(array.dims())) {
    if (array.extent(dim) == 1 && array.dims().size() > 1) take_first(dim, false);
  }
  while (array.dims().size() > 2) take_first(array.dims().back() == "band" ? "band" : array.dims().front(), true);
  for (const std::string& dim : array.dims()) {
    if (array.extent(dim) == 0) throw Error("'" + array.name() + "' has no values: '" + dim + "' is empty");
  }
  if (array.dims().empty() || array.data().size() == 1)
    throw Error("'" + array.name() + "' is one value: weft head shows it");
  if (array.data().dtype().is_complex())
    throw Error("'" + array.name() + "' holds complex numbers: --expr 'a = abs(" + array.name() +
                ")' makes a plot of them");
  return {array, places};
}

/// What would lie closer together than pixels is left out: every so many are taken.
LabelledArray thinned(LabelledArray array, int width, int height) {
  const auto step_for = [](std::int64_t extent, std::int64_t most) { return std::max<std::int64_t>(1, extent / most); };
  if (array.dims().size() == 1) {
    const std::int64_t step = step_for(array.extent(array.dims()[0]), kMostLine);
    return step == 1 ? array : array.isel(array.dims()[0], slice(none, none, step));
  }
  const std::int64_t most[] = {2 * height, 2 * width};
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string dim = array.dims()[i];
    const std::int64_t step = step_for(array.extent(dim), most[i]);
    if (step > 1) array = array.isel(dim, slice(none, none, step));
  }
  return array;
}

class PlotJob {
 public:
  explicit PlotJob(const Given& given) : given_(given), out_(given.words().back()) {
    read_size();
    canvas_ = canvas_for(out_, width_, height_);
    if (canvas_ == nullptr) throw UsageError("weft plot: '" + out_ + "' must end with .png or .svg");
    if (given.has("colors") && colour_map(given.text("colors")) == nullptr) {
      throw UsageError("weft plot: there are no colors '" + given.text("colors") + "'; there are " +
                       colour_map_names());
    }
  }

  int run(const Client* client) {
    if (!given_.has("overwrite") && ::access(out_.c_str(), F_OK) == 0) {
      throw Error("'" + out_ + "' exists: --overwrite replaces it");
    }
    const Chosen chosen = choose();
    const LabelledArray array = thinned(chosen.array, width_, height_);
    if (given_.dry_run()) return tell_plan(chosen.array, array);
    const NDArray computed = client->compute(array.data().astype(float64));
    const std::vector<double> values = computed.to_vector<double>();
    const Range range = range_of(values);
    title(chosen);
    array.dims().size() == 1 ? draw_line(array, values, range) : draw_map(array, values, range);
    write_picture();
    tell_result(chosen.array, range);
    return 0;
  }

 private:
  void read_size() {
    if (!given_.has("size")) return;
    const std::string text = given_.text("size");
    const std::size_t cross = text.find('x');
    const auto number = [&](std::size_t begin, std::size_t end, int& out) {
      const auto [last, error] = std::from_chars(text.data() + begin, text.data() + end, out);
      return error == std::errc() && last == text.data() + end && out >= 100 && out <= 20'000;
    };
    if (cross == std::string::npos || !number(0, cross, width_) || !number(cross + 1, text.size(), height_)) {
      throw UsageError("weft plot: --size takes pixels as 960x540, from 100x100 on, and '" + text + "' is none");
    }
  }

  Chosen choose() const {
    const auto& words = given_.words();
    const std::vector<std::string> paths = input_files({words[0]});
    const std::string join = paths.size() > 1 ? given_.text("join") : "";
    const ChosenVariables wanted("weft plot",
                                 words.size() == 3 ? std::vector<std::string>{words[1]} : std::vector<std::string>{});
    Dataset data = open_group(paths, wanted.group, {join, given_.text("duplicates"), given_.text("index")});
    for (const std::string& words_of : given_.all("sel")) data = select_labels(data, words_of);
    for (const std::string& words_of : given_.all("isel")) data = select_places(data, words_of);
    std::vector<std::string> dims;
    for (const auto& [dim, extent] : data.dims()) dims.push_back(dim);
    if (given_.has("where")) data = keep_where(data, given_.text("where"), dims);
    std::string made;
    for (const std::string& expression : given_.all("expr")) std::tie(data, made) = with_expression(data, expression);
    return flat(variable_of(data, wanted.names.empty() ? made : wanted.names[0]));
  }

  double line_height() const { return canvas_->letter_height() * 1.8; }

  void title(const Chosen& chosen) {
    const LabelledArray& one = chosen.array;
    std::string name = attribute_of(one.attributes(), "long_name");
    if (name.empty()) name = attribute_of(one.attributes(), "standard_name");
    unit_ = attribute_of(one.attributes(), "units");
    std::string text = given_.has("title") ? given_.text("title") : name.empty() ? one.name() : name;
    if (!given_.has("title") && !unit_.empty()) text += " [" + unit_ + "]";
    const double gap = canvas_->letter_height();
    top_ = gap;
    for (const std::string& line : {text, chosen.places}) {
      if (line.empty()) continue;
      top_ += line_height();
      canvas_->text({gap, top_ - 0.6 * gap}, shortened(line, canvas_->width() - 2 * gap), Align::Left);
    }
    top_ += gap;
  }
  std::string shortened(std::string line, double most) const {
    if (canvas_->width_of(line) <= most) return line;
    while (!line.empty() && canvas_->width_of(line + "...") > most) line.pop_back();
    return line + "...";
  }

  const Coordinate* labels_of(const LabelledArray& array, const std::string& dim) const {
    const auto found = array.coordinates().find(dim);
    return found == array.coordinates().end() ? nullptr : &found->second;
  }
  Axis axis(const LabelledArray& array, std::size_t number, bool spaced, double room) const {
    const std::string& dim = array.dims()[number];
    const Coordinate* const labels = labels_of(array, dim);
    const double each = labels != nullptr && (labels->is_time() || !labels->texts().empty()) ? 12 : 8;
    const double size = number + 1 == array.dims().size() ? canvas_->width_of("0") * each : 3 * line_height();
    return axis_of(dim, array.extent(dim), labels, spaced, std::clamp(static_cast<int>(room / size), 2, 12));
  }
  static std::string axis_words(const Axis& axis) {
    const bool plain = axis.unit.empty() || axis.unit.find(" since ") != std::string::npos;
    return plain ? axis.name : axis.name + " [" + axis.unit + "]";
  }
  double widest(const std::vector<Tick>& ticks) const {
    double most = 0;
    for (const Tick& tick : ticks) most = std::max(most, canvas_->width_of(tick.text));
    return most;
  }
  double number_option(const char* name, double otherwise) const { return given_.number(name, otherwise); }

  /// The edges of the plot itself, in pixels.
  void plot_frame(double left, double top, double right, double bottom) {
    box_ = {left, top, right, bottom};
    frame(left, top, right, bottom);
  }
  void frame(double left, double top, double right, double bottom) {
    canvas_->line({{left, top}, {right, top}, {right, bottom}, {left, bottom}, {left, top}}, 1, kInk);
  }
  /// Marks below, and their words as far as they do not run into each other.
  void x_ticks(const Axis& axis, double bottom, const std::function<double(double)>& x) {
    const double gap = canvas_->letter_height();
    std::vector<std::pair<double, const Tick*>> marks;
    for (const Tick& tick : axis.ticks) marks.emplace_back(x(tick.at), &tick);
    std::sort(marks.begin(), marks.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    double free = -1e9;
    for (const auto& [at, tick] : marks) {
      canvas_->line({{at, bottom}, {at, bottom + gap * 0.4}}, 1, kInk);
      const double half = canvas_->width_of(tick->text) / 2;
      if (at - half < free) continue;
      free = at + half + canvas_->width_of(" ");
      canvas_->text({std::min(at, canvas_->width() - half), bottom + gap * 1.8}, tick->text, Align::Middle);
    }
  }

  void draw_line(const LabelledArray& array, const std::vector<double>& values, const Range& range) {
    const double gap = canvas_->letter_height();
    double low = range.empty() ? 0 : range.low, high = range.empty() ? 1 : range.high;
    const double pad = high > low ? (high - low) * 0.05 : std::max(std::abs(low) * 0.05, 0.5);
    low = number_option("min", low - pad);
    high = number_option("max", high + pad);
    if (!(high > low)) throw UsageError("weft plot: --min must be less than --max");
    const double bottom = canvas_->height() - 4.2 * gap;
    const std::vector<Tick> y_marks =
        round_ticks(low, high, std::clamp(static_cast<int>((bottom - top_) / (3 * line_height())), 2, 10));
    const double left = gap * 1.5 + widest(y_marks), right = canvas_->width() - 2 * gap;
    const Axis x_axis = axis(array, 0, true, right - left);
    const double last = std::max(1e-9, *std::max_element(x_axis.places.begin(), x_axis.places.end()));
    const auto x = [&](double place) { return left + place / last * (right - left); };
    const auto y = [&](double value) { return bottom - (value - low) / (high - low) * (bottom - top_); };
    for (const Tick& tick : y_marks) {
      canvas_->line({{left, y(tick.at)}, {right, y(tick.at)}}, 1, kGrid);
      canvas_->text({left - gap * 0.5, y(tick.at) + gap * 0.5}, tick.text, Align::Right);
    }
    draw_strokes(x_axis, values, x, [&](double value) { return std::clamp(y(value), top_, bottom); });
    plot_frame(left, top_, right, bottom);
    x_ticks(x_axis, bottom, x);
    canvas_->text({(left + right) / 2, canvas_->height() - gap * 0.7}, axis_words(x_axis), Align::Middle);
  }

  /// Gaps where values are missing. Of what falls into one column of pixels the first, least, greatest and last count.
  void draw_strokes(const Axis& axis, const std::vector<double>& values, const std::function<double(double)>& x,
                    const std::function<double(double)>& y) {
    constexpr Colour kStroke{30, 90, 160};
    std::vector<Point> stroke, column;
    const auto end_column = [&] {
      if (column.size() > 4) {
        const auto less = [](const Point& a, const Point& b) { return a.y < b.y; };
        const auto [least, most] = std::minmax_element(column.begin(), column.end(), less);
        stroke.insert(stroke.end(), {column.front(), *least, *most, column.back()});
      } else {
        stroke.insert(stroke.end(), column.begin(), column.end());
      }
      column.clear();
    };
    const auto end_stroke = [&] {
      end_column();
      if (!stroke.empty()) canvas_->line(stroke, 1.6, kStroke);
      stroke.clear();
    };
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!std::isfinite(values[i])) {
        end_stroke();
        continue;
      }
      const Point next{x(axis.places[i]), y(values[i])};
      if (!column.empty() && std::floor(next.x) != std::floor(column.front().x)) end_column();
      column.push_back(next);
    }
    end_stroke();
  }

  void draw_map(const LabelledArray& array, const std::vector<double>& values, const Range& range) {
    const double gap = canvas_->letter_height();
    const double height = canvas_->height() - 4.2 * gap - top_;
    const Axis rows = axis(array, 0, false, height);
    double low = range.empty() ? 0 : range.low, high = range.empty() ? 1 : range.high;
    const bool both_signs = low < 0 && high > 0 && !given_.has("min") && !given_.has("max");
    if (both_signs) high = std::max(-low, high), low = -high;
    low = number_option("min", low);
    high = number_option("max", high);
    if (low > high) throw UsageError("weft plot: --min must be less than --max");
    const ColourMap& colours = *colour_map(given_.text("colors", both_signs ? "balance" : "dusk"));
    const std::vector<Tick> bar =
        round_ticks(low, high, std::clamp(static_cast<int>(height / (3 * line_height())), 2, 8));
    const double left = gap * 1.5 + widest(rows.ticks), bar_width = 1.5 * gap;
    const double right = canvas_->width() - (3.5 * gap + bar_width + widest(bar));
    const Axis columns = axis(array, 1, false, right - left);
    const auto [wide, tall] = fitted(rows, columns, array, right - left, height);
    const double end = left + wide, bottom = top_ + tall;

    const auto count_rows = array.extent(array.dims()[0]), count_columns = array.extent(array.dims()[1]);
    // Labels grow upwards and to the right; rows without labels go down, as pictures do.
    const bool rows_flip = rows.labelled && rows.rising, columns_flip = columns.labelled && !columns.rising;
    Cells cells{count_rows, count_columns, {}};
    cells.colours.reserve(values.size());
    for (std::int64_t row = 0; row < count_rows; ++row) {
      const std::int64_t from = rows_flip ? count_rows - 1 - row : row;
      for (std::int64_t column = 0; column < count_columns; ++column) {
        const std::int64_t at = columns_flip ? count_columns - 1 - column : column;
        const double value = values[static_cast<std::size_t>(from * count_columns + at)];
        cells.colours.push_back(!std::isfinite(value) ? kMissing
                                                      : colours.at(high > low ? (value - low) / (high - low) : 0.5));
      }
    }
    canvas_->cells({left, top_}, wide, tall, cells);
    plot_frame(left, top_, end, bottom);
    for (const Tick& tick : rows.ticks) {
      const double share = (tick.at + 0.5) / static_cast<double>(count_rows);
      const double y = top_ + (rows_flip ? 1 - share : share) * tall;
      canvas_->line({{left - gap * 0.4, y}, {left, y}}, 1, kInk);
      canvas_->text({left - gap * 0.7, y + gap * 0.5}, tick.text, Align::Right);
    }
    x_ticks(columns, bottom, [&](double place) {
      const double share = (place + 0.5) / static_cast<double>(count_columns);
      return left + (columns_flip ? 1 - share : share) * wide;
    });
    const std::string names = axis_words(columns) + "   (upwards: " + axis_words(rows) + ")";
    canvas_->text({(left + end) / 2, bottom + gap * 3.5}, rows_flip || rows.labelled ? names : axis_words(columns),
                  Align::Middle);
    draw_bar({end + gap, top_}, bar_width, tall, low, high, colours, bar, range.missing > 0);
  }

  /// Cells are squares where both sides have the same unit, as degrees, or are pixels.
  static std::pair<double, double> fitted(const Axis& rows, const Axis& columns, const LabelledArray& array,
                                          double width, double height) {
    const auto size = [&](const Axis& axis, std::size_t number) {
      return axis.extent ? *axis.extent : static_cast<double>(array.extent(array.dims()[number]));
    };
    const auto is_degrees = [](const Axis& axis) { return axis.extent && axis.unit.starts_with("degree"); };
    const bool pixels = !rows.labelled && !columns.labelled;
    const bool same = rows.extent && columns.extent && rows.unit == columns.unit;
    if (!pixels && !same && !(is_degrees(rows) && is_degrees(columns))) return {width, height};
    const double each = std::min(width / size(columns, 1), height / size(rows, 0));
    const double wide = each * size(columns, 1), tall = each * size(rows, 0);
    // A strip of a few pixels shows nothing.
    if (wide < width / 8 || tall < height / 8) return {width, height};
    return {wide, tall};
  }

  void draw_bar(Point corner, double width, double height, double low, double high, const ColourMap& colours,
                const std::vector<Tick>& ticks, bool with_missing) {
    const double gap = canvas_->letter_height();
    Cells cells{256, 1, {}};
    for (int i = 255; i >= 0; --i) cells.colours.push_back(colours.at(i / 255.0));
    canvas_->cells(corner, width, height, cells);
    frame(corner.x, corner.y, corner.x + width, corner.y + height);
    for (const Tick& tick : ticks) {
      const double y = corner.y + height * (high > low ? 1 - (tick.at - low) / (high - low) : 0.5);
      canvas_->line({{corner.x + width, y}, {corner.x + width + gap * 0.4, y}}, 1, kInk);
      canvas_->text({corner.x + width + gap * 0.7, y + gap * 0.5}, tick.text, Align::Left);
    }
    if (!with_missing) return;
    canvas_->fill({corner.x, corner.y + height + gap}, width, gap, kMissing);
    canvas_->text({corner.x + width + gap * 0.7, corner.y + height + 2 * gap}, "none", Align::Left);
  }

  void write_picture() const {
    const std::vector<std::byte> bytes = canvas_->file();
    const std::string beside = io::name_beside(out_);
    std::FILE* const file = std::fopen(beside.c_str(), "wbx");
    bool whole = file != nullptr && std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
    if (file != nullptr) whole = std::fclose(file) == 0 && whole;
    if (whole && std::rename(beside.c_str(), out_.c_str()) == 0) return;
    const std::string why = std::strerror(errno);
    if (file != nullptr) ::unlink(beside.c_str());
    throw Error("'" + out_ + "' cannot be written: " + why);
  }

  static std::string shape_words(const LabelledArray& array, const char* between) {
    std::string text;
    for (const std::string& dim : array.dims())
      text += (text.empty() ? "" : between) + std::to_string(array.extent(dim));
    return text;
  }

  int tell_plan(const LabelledArray& whole, const LabelledArray& thin) const {
    const std::uint64_t bytes = static_cast<std::uint64_t>(thin.data().nbytes());
    const std::uint64_t peak = arrays::plan({thin.data().astype(float64)}).peak_bytes;
    if (given_.json()) {
      print("{\"variable\":" + json_text(whole.name()) + ",\"shape\":[" + shape_words(whole, ",") +
            "],\"decoded_bytes\":" + std::to_string(bytes) + ",\"peak_bytes\":" + std::to_string(peak) +
            ",\"width\":" + std::to_string(width_) + ",\"height\":" + std::to_string(height_) + "}\n");
    } else {
      print("'" + whole.name() + "' of " + shape_words(whole, " x ") + " values, " + bytes_text(bytes) +
            " of them drawn; at most " + bytes_text(peak) + " of arrays in memory at once; a picture of " +
            std::to_string(width_) + " x " + std::to_string(height_) + " pixels\n");
    }
    return 0;
  }

  void tell_result(const LabelledArray& array, const Range& range) const {
    if (given_.json()) {
      print("{\"output\":" + json_text(out_) + ",\"variable\":" + json_text(array.name()) + ",\"shape\":[" +
            shape_words(array, ",") + "],\"min\":" + json_number(range.low) + ",\"max\":" + json_number(range.high) +
            ",\"missing\":" + std::to_string(range.missing) + ",\"box\":[" + json_number(box_[0]) + "," +
            json_number(box_[1]) + "," + json_number(box_[2]) + "," + json_number(box_[3]) + "]}\n");
    } else if (!given_.quiet()) {
      const std::string values =
          range.empty() ? "no value is there"
                        : "from " + number_words(range.low, true) + " to " + number_words(range.high, true);
      std::fprintf(stderr, "weft plot: %s, %s values, %s, %lld missing; wrote %s\n", array.name().c_str(),
                   shape_words(array, " x ").c_str(), values.c_str(), static_cast<long long>(range.missing),
                   out_.c_str());
    }
  }

  const Given& given_;
  const std::string out_;
  int width_ = 960, height_ = 540;
  std::unique_ptr<Canvas> canvas_;
  std::string unit_;
  std::array<double, 4> box_{};
  /// Where the plot begins below the title.
  double top_ = 0;
};

}  // namespace

int run_plot(const Given& given) {
  PlotJob job(given);
  if (given.dry_run()) return launch::read_ranks().rank == 0 ? job.run(nullptr) : 0;
  return run_with_client(given, [&](Client& client) { return job.run(&client); });
}

}  // namespace weft::command::data
