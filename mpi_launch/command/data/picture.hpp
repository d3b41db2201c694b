#pragma once

#include "mpi_launch/command/data/output.hpp"

#include <weft/labelled.hpp>

#include <map>
#include <string>
#include <vector>

namespace weft::command::data {

/// A variable as pictures: (rows, columns), with pages before and bands behind.
struct Picture {
  arrays::Array array;
  bool with_bands = false;
  /// Where rows and columns lie on a map, where their labels are evenly apart.
  bool mapped = false;
  double first_x = 0, step_x = 1, first_y = 0, step_y = 1;
  /// Labels are degrees of latitude and longitude.
  bool degrees = false;
};

/// Throws Error, naming `path`, where the variable has no such form.
Picture picture_of(const std::string& path, const LabelledArray& source, const arrays::Array& values,
                   const std::map<std::string, Coordinate>& labels);
/// What TiffWriter is to write of a variable and its file: the map, what stands for no value, scale and offset.
std::vector<io::Attribute> picture_attributes(const std::vector<io::Attribute>& attributes, const Encoding& encoding,
                                              const std::vector<io::Attribute>& of_file, const Picture& picture);

}  // namespace weft::command::data
