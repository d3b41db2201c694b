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

/// A piece of a variable that is in a file of its own, where it is called as the variable.
struct VariablePart {
  /// As the file of the variable names it: seen from its folder.
  std::string file;
  std::vector<std::int64_t> start;
  std::vector<std::int64_t> extent;
};

/// The folder beside a file that keeps its parts, "out.nc.parts-1f2e3d4c": a new one for each time the file is written,
/// so that the parts of the old file stand until the new one has its name.
/// Owns: the folder, until `keep`: it is removed with all that is in it where the file is not finished.  Threading: one
/// thread.
class PartsFolder {
 public:
  /// Throws FileError where the folder of `path` cannot be written.
  explicit PartsFolder(const std::string& path);
  ~PartsFolder();
  PartsFolder(const PartsFolder&) = delete;
  PartsFolder& operator=(const PartsFolder&) = delete;

  /// Where the part `number` of a variable is written, and as the file names it.
  std::string path_of(const std::string& variable, std::size_t number) const;
  std::string name_of(const std::string& variable, std::size_t number) const;
  /// The file has its name: the folder stays, without what workers that were lost left unfinished in it.
  void keep();

 private:
  const std::string path_;
  const std::string name_;
  bool kept_ = false;
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
  /// A variable whose values are in other files, which write_part wrote: a virtual dataset (HDF5 1.10 and later).
  void variable(const NewVariable& variable, const std::vector<VariablePart>& parts);
  /// Writes a box of elements in C order and this machine's byte order.
  void write(const std::string& variable, const std::vector<std::int64_t>& start,
             const std::vector<std::int64_t>& extent, const std::byte* data);
  /// Puts a chunk in its place that pack_chunk packed with the variable's own `chunk`, `deflate` and `shuffle`.
  void write_packed(const std::string& variable, const std::vector<std::int64_t>& start,
                    const std::vector<std::byte>& packed);
  void write_text(const std::string& variable, const std::vector<std::string>& values);
  /// Makes the file appear, and removes parts of files that had its name before. `parts`: those it has.
  void finish(PartsFolder* parts = nullptr);

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

/// Writes a part of a variable as a file of its own, in packed chunks, or as one piece where `deflate` is 0: by any
/// thread of any process, each its own parts at the same time. It appears when it is complete; written again, it is
/// replaced. `data`: the part's elements in C order. Throws FileError naming `path`.
void write_part(const std::string& path, const NewVariable& variable, const std::vector<std::int64_t>& extent,
                const std::byte* data);

/// Returns an attribute of text, or of numbers.
Attribute text_attribute(std::string name, std::string text);
Attribute number_attribute(std::string name, double value);

}  // namespace weft::io
