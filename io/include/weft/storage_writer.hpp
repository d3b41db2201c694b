#pragma once

#include <weft/storage.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weft::io {

/// A variable of a file that is being written.
struct NewVariable {
  std::string name;
  /// Numbers, or VariableText.
  ElementType type;
  std::vector<std::string> dimensions;
  /// Chosen where it is empty: 1 to 16 MiB.
  std::vector<std::int64_t> chunk = {};
  /// 0: not packed.
  int deflate = 4;
  bool shuffle = true;
  /// What stands for no value: written as _FillValue.
  std::optional<double> fill = {};
  std::vector<Attribute> attributes = {};
};

/// Writes a NetCDF-4 file. It appears under its name when it is complete, or not at all: until `finish` its bytes are
/// in a file beside it, which is removed where something fails.
///
/// First dimensions, then variables (those that are named as a dimension are its labels), then their values.
/// Owns: the file beside.  Threading: one thread at a time.
class NetcdfWriter {
 public:
  /// Throws FileError where `path` exists, unless `overwrite`, or where the folder cannot be written, or where this
  /// build lacks the HDF5 library.
  NetcdfWriter(const std::string& path, bool overwrite);
  ~NetcdfWriter();
  NetcdfWriter(const NetcdfWriter&) = delete;
  NetcdfWriter& operator=(const NetcdfWriter&) = delete;

  void attribute(const Attribute& attribute);
  void dimension(const std::string& name, std::int64_t extent);
  void variable(const NewVariable& variable);
  /// Writes a box of elements in C order and this machine's byte order.
  void write(const std::string& variable, const std::vector<std::int64_t>& start,
             const std::vector<std::int64_t>& extent, const std::byte* data);
  void write_text(const std::string& variable, const std::vector<std::string>& values);
  /// Makes the file appear.
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Returns whether this build can write NetCDF-4.
bool can_write_netcdf();

/// Returns an attribute of text, or of numbers.
Attribute text_attribute(std::string name, std::string text);
Attribute number_attribute(std::string name, double value);

}  // namespace weft::io
