#include "mpi_launch/command/plot/canvas.hpp"

#include "mpi_launch/command/plot/letters.hpp"

namespace weft::command::plot {

double Canvas::width_of(std::string_view words) const {
  return static_cast<double>(letters_of(words).size()) * kLetterStep * scale_;
}

std::unique_ptr<Canvas> canvas_for(const std::string& path, int width, int height) {
  if (path.ends_with(".png")) return raster_canvas(width, height);
  if (path.ends_with(".svg")) return svg_canvas(width, height);
  return nullptr;
}

}  // namespace weft::command::plot
