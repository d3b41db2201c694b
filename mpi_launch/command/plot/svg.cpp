// Pictures of shapes, for pages and for print.
#include "mpi_launch/command/plot/canvas.hpp"

#include "core/diagnostics/write_file.hpp"
#include "io/formats/png_writer.hpp"

#include <fmt/format.h>

#include <cstring>

namespace weft::command::plot {
namespace {

std::string colour_text(Colour colour) {
  return fmt::format("#{:02x}{:02x}{:02x}", colour.red, colour.green, colour.blue);
}

std::string base64(const std::vector<std::byte>& bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t three = 0;
    for (std::size_t k = 0; k < 3; ++k)
      three = three << 8 | (i + k < bytes.size() ? static_cast<std::uint32_t>(bytes[i + k]) : 0);
    for (int k = 0; k < 4; ++k) out += kDigits[three >> (18 - 6 * k) & 63];
  }
  for (std::size_t k = bytes.size() % 3; k > 0 && k < 3; ++k) out[out.size() - (3 - k)] = '=';
  return out;
}

class Svg final : public Canvas {
 public:
  Svg(int width, int height) : Canvas(width, height) { fill({0, 0}, width, height, kPaper); }

  void fill(Point corner, double width, double height, Colour colour) override {
    body_ += fmt::format("<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" fill=\"{}\"/>\n", corner.x,
                         corner.y, width, height, colour_text(colour));
  }
  void line(const std::vector<Point>& points, double width, Colour colour) override {
    body_ += fmt::format("<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-linecap=\"round\" points=\"",
                         colour_text(colour), width);
    for (const Point& one : points) body_ += fmt::format("{:.2f},{:.2f} ", one.x, one.y);
    // A line of no length shows by its round ends.
    if (points.size() == 1) body_ += fmt::format("{:.2f},{:.2f}", points[0].x, points[0].y);
    body_ += "\"/>\n";
  }
  void text(Point place, std::string_view words, Align align) override {
    const char* const anchor = align == Align::Left ? "start" : align == Align::Right ? "end" : "middle";
    body_ += fmt::format(
        "<text x=\"{:.2f}\" y=\"{:.2f}\" font-family=\"sans-serif\" font-size=\"{}\" text-anchor=\"{}\" "
        "fill=\"{}\">{}</text>\n",
        place.x, place.y, 9 * scale_, anchor, colour_text(kInk), html_text(words));
  }
  void cells(Point corner, double width, double height, const Cells& cells) override {
    std::vector<std::uint8_t> bytes;
    for (const Colour& one : cells.colours) bytes.insert(bytes.end(), {one.red, one.green, one.blue});
    body_ += fmt::format(
        "<image x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" preserveAspectRatio=\"none\" "
        "image-rendering=\"pixelated\" href=\"data:image/png;base64,{}\"/>\n",
        corner.x, corner.y, width, height, base64(io::png_bytes(cells.rows, cells.columns, bytes)));
  }
  std::vector<std::byte> file() const override {
    const std::string text = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
        "viewBox=\"0 0 {0} {1}\">\n{2}</svg>\n",
        width_, height_, body_);
    std::vector<std::byte> bytes(text.size());
    std::memcpy(bytes.data(), text.data(), text.size());
    return bytes;
  }

 private:
  std::string body_;
};

}  // namespace

std::unique_ptr<Canvas> svg_canvas(int width, int height) { return std::make_unique<Svg>(width, height); }

}  // namespace weft::command::plot
