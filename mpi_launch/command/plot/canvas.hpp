#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// Pictures of variables, for `weft plot`.
namespace weft::command::plot {

struct Colour {
  std::uint8_t red = 0, green = 0, blue = 0;
  friend bool operator==(const Colour&, const Colour&) = default;
};
inline constexpr Colour kInk{40, 40, 40}, kPaper{255, 255, 255}, kGrid{225, 225, 225};

struct Point {
  double x = 0, y = 0;
};
enum class Align : std::uint8_t { Left, Middle, Right };

/// Cells of colours, row by row from the top.
struct Cells {
  std::int64_t rows = 0, columns = 0;
  std::vector<Colour> colours;
};

/// What a plot is drawn on. Places are in pixels from the upper left corner.
/// Threading: one thread.
class Canvas {
 public:
  virtual ~Canvas() = default;
  virtual void fill(Point corner, double width, double height, Colour colour) = 0;
  virtual void line(const std::vector<Point>& points, double width, Colour colour) = 0;
  /// `place`: the end or the middle of its base line.
  virtual void text(Point place, std::string_view words, Align align) = 0;
  virtual void cells(Point corner, double width, double height, const Cells& cells) = 0;
  /// The bytes of the picture's file.
  virtual std::vector<std::byte> file() const = 0;

  /// What a text takes, and the height of a capital letter.
  double width_of(std::string_view words) const;
  double letter_height() const { return 7.0 * scale_; }
  int width() const { return width_; }
  int height() const { return height_; }

 protected:
  Canvas(int width, int height) : width_(width), height_(height), scale_(width < 600 || height < 320 ? 1 : 2) {}

  int width_, height_;
  /// Pixels for a point of a letter.
  int scale_;
};

/// By the end of the file's name: ".png" or ".svg". Returns nothing for others.
std::unique_ptr<Canvas> canvas_for(const std::string& path, int width, int height);
std::unique_ptr<Canvas> raster_canvas(int width, int height);
std::unique_ptr<Canvas> svg_canvas(int width, int height);

}  // namespace weft::command::plot
