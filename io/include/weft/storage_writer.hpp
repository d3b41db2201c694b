#pragma once

#include <weft/storage.hpp>

#include <cstddef>
#include <cstdint>
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
  /// Puts a chunk in its place that pack_chunk packed with the variable's own `chunk`, `deflate` and `shuffle`.
  void write_packed(const std::string& variable, const std::vector<std::int64_t>& start,
                    const std::vector<std::byte>& packed);
  void write_text(const std::string& variable, const std::vector<std::string>& values);
  /// Makes the file appear.
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Returns whether this build can write NetCDF-4.
bool can_write_netcdf();

/// How a variable's chunks are packed. A plain struct, so that tasks can take it along.
struct ChunkPacking {
  std::vector<std::int64_t> chunk;
  std::uint32_t element_bytes = 0;
  int deflate = 4;
  bool shuffle = true;
};
/// Packs a chunk for NetcdfWriter::write_packed: by any thread of any process, many at once, while one process has the
/// file. `data`: a box of `extent` in C order, smaller than the chunk where the variable ends. Throws FileError naming
/// `path`.
std::vector<std::byte> pack_chunk(const std::string& path, const ChunkPacking& packing,
                                  const std::vector<std::int64_t>& extent, const std::byte* data);
/// Returns whether this build can do so.
bool can_pack_chunks();

/// Returns an attribute of text, or of numbers.
Attribute text_attribute(std::string name, std::string text);
Attribute number_attribute(std::string name, double value);

}  // namespace weft::io
