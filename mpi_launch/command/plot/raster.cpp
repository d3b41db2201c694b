// Pictures of pixels.
#include "mpi_launch/command/plot/canvas.hpp"
#include "mpi_launch/command/plot/letters.hpp"

#include "io/formats/png_writer.hpp"

#include <algorithm>
#include <cmath>

namespace weft::command::plot {
namespace {

class Raster final : public Canvas {
 public:
  Raster(int width, int height)
      : Canvas(width, height), pixels_(static_cast<std::size_t>(width) * static_cast<std::size_t>(height), kPaper) {}

  void fill(Point corner, double width, double height, Colour colour) override {
    for (int y = pixel(corner.y); y < pixel(corner.y + height); ++y) {
      for (int x = pixel(corner.x); x < pixel(corner.x + width); ++x) put(x, y, colour, 1);
    }
  }

  void line(const std::vector<Point>& points, double width, Colour colour) override {
    for (std::size_t i = 1; i < points.size(); ++i) segment(points[i - 1], points[i], width, colour);
    if (points.size() == 1) segment(points[0], points[0], width * 2, colour);
  }

  void text(Point place, std::string_view words, Align align) override {
    const double whole = width_of(words);
    int x = pixel(place.x - (align == Align::Left ? 0 : align == Align::Right ? whole : whole / 2));
    const int y = pixel(place.y) - 7 * scale_;
    for (const std::uint64_t letter : letters_of(words)) {
      for (int row = 0; row < kLetterRows; ++row) {
        for (int column = 0; column < kLetterColumns; ++column) {
          if (!has_point(letter, row, column)) continue;
          fill({static_cast<double>(x + column * scale_), static_cast<double>(y + row * scale_)}, scale_, scale_, kInk);
        }
      }
      x += kLetterStep * scale_;
    }
  }

  void cells(Point corner, double width, double height, const Cells& cells) override {
    for (int y = pixel(corner.y); y < pixel(corner.y + height); ++y) {
      const auto row = place_of(y, corner.y, height, cells.rows);
      for (int x = pixel(corner.x); x < pixel(corner.x + width); ++x) {
        const auto column = place_of(x, corner.x, width, cells.columns);
        put(x, y, cells.colours[static_cast<std::size_t>(row * cells.columns + column)], 1);
      }
    }
  }

  std::vector<std::byte> file() const override {
    std::vector<std::uint8_t> bytes;
    bytes.reserve(pixels_.size() * 3);
    for (const Colour& one : pixels_) bytes.insert(bytes.end(), {one.red, one.green, one.blue});
    return io::png_bytes(height_, width_, bytes);
  }

 private:
  static int pixel(double place) { return static_cast<int>(std::lround(place)); }
  /// The cell in which the middle of a pixel lies.
  static std::int64_t place_of(int at, double begin, double size, std::int64_t count) {
    const auto place = static_cast<std::int64_t>(std::floor((at + 0.5 - begin) / size * static_cast<double>(count)));
    return std::clamp<std::int64_t>(place, 0, count - 1);
  }

  void put(int x, int y, Colour colour, double share) {
    if (x < 0 || y < 0 || x >= width_ || y >= height_ || share <= 0) return;
    Colour& there =
        pixels_[static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(x)];
    const auto mix = [share](std::uint8_t below, std::uint8_t above) {
      return static_cast<std::uint8_t>(std::lround(below + (above - below) * std::min(share, 1.0)));
    };
    there = {mix(there.red, colour.red), mix(there.green, colour.green), mix(there.blue, colour.blue)};
  }

  /// Each pixel by how much of it the line covers.
  void segment(Point a, Point b, double width, Colour colour) {
    const double reach = width / 2 + 1, length = std::hypot(b.x - a.x, b.y - a.y);
    for (int y = pixel(std::min(a.y, b.y) - reach); y <= pixel(std::max(a.y, b.y) + reach); ++y) {
      for (int x = pixel(std::min(a.x, b.x) - reach); x <= pixel(std::max(a.x, b.x) + reach); ++x) {
        const double px = x + 0.5 - a.x, py = y + 0.5 - a.y;
        const double along =
            length == 0 ? 0 : std::clamp((px * (b.x - a.x) + py * (b.y - a.y)) / (length * length), 0.0, 1.0);
        put(x, y, colour, width / 2 + 0.5 - std::hypot(px - along * (b.x - a.x), py - along * (b.y - a.y)));
      }
    }
  }

  std::vector<Colour> pixels_;
};

}  // namespace

std::unique_ptr<Canvas> raster_canvas(int width, int height) { return std::make_unique<Raster>(width, height); }

}  // namespace weft::command::plot
