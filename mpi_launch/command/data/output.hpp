#pragma once

#include <weft/labelled.hpp>
#include <weft/ndarray.hpp>
#include <weft/storage.hpp>
#include <weft/storage_writer.hpp>

#include <optional>
#include <string>
#include <vector>

namespace weft::command::data {

/// How values become the numbers that are stored.
struct Encoding {
  io::ElementType type;
  double scale = 1;
  double offset = 0;
  bool packed = false;
  /// Stands for no value.
  std::optional<double> fill;
};
/// As the variable was packed.
Encoding encoding_like(const io::Variable& variable);
/// Unpacked, of this type; floats have a fill value, that of the variable where it has one of their type.
Encoding plain_encoding(Dtype type, const io::Variable* like);
/// Returns the bytes of values in C order.
std::vector<std::byte> encode_values(const NDArray& values, const Encoding& encoding);

/// The labels of a dimension as a variable of the file. `like`: the variable that they came from.
void declare_labels(io::NetcdfWriter& writer, const Coordinate& labels, const io::Variable* like, bool keep_bounds);
void write_labels(io::NetcdfWriter& writer, const Coordinate& labels, const io::Variable* like);
/// The attributes of a file with a line in front of its history: the time, and the command.
std::vector<io::Attribute> with_history(std::vector<io::Attribute> attributes, const std::string& line);

}  // namespace weft::command::data
