#pragma once

#include <weft/array.hpp>
#include <weft/storage.hpp>

#include <memory>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

namespace weft {

/// How a variable of a file becomes an Array.
struct ReadOptions {
  /// Sizes are rounded up to whole stored chunks; weft chooses where none are given.
  Chunks chunks = {};
  /// Undo CF's packing: `scale_factor`, `add_offset`, and `_FillValue` and `missing_value` as NaN.
  bool decode = true;
  std::string name = {};
};

/// A file whose variables are read as Arrays: HDF5, NetCDF-4, classic NetCDF, or a Zarr store. Its description has been
/// read; data are read by the tasks that need them, each stored chunk once, in parallel.
///
///     Array tas = open_netcdf("tas.nc").array("tas");
///     NDArray mean = client.compute(tas.mean({.axis = 0}));
///
/// Owns: a share of the open file.  Threading: constant; any thread.
class ArrayFile {
 public:
  explicit ArrayFile(std::shared_ptr<const io::StoredFile> file) : file_(std::move(file)) {}

  /// Throws FileError where there is no such variable, or where it does not hold numbers.
  arrays::Array array(const std::string& variable, const ReadOptions& options = {},
                      const std::source_location& where = std::source_location::current()) const;
  /// The variables that hold numbers.
  std::vector<std::string> names() const;
  const io::StoredFile& stored() const { return *file_; }

 private:
  std::shared_ptr<const io::StoredFile> file_;
};

/// Opens a file of any format that weft reads. Throws io::FileError. Tasks on other machines open it by the same name.
ArrayFile open_file(const std::string& path);
inline ArrayFile open_hdf5(const std::string& path) { return open_file(path); }
inline ArrayFile open_netcdf(const std::string& path) { return open_file(path); }
inline ArrayFile open_zarr(const std::string& path) { return open_file(path); }

arrays::Array from_hdf5(const std::string& path, const std::string& variable, const ReadOptions& options = {},
                        const std::source_location& where = std::source_location::current());
arrays::Array from_netcdf(const std::string& path, const std::string& variable, const ReadOptions& options = {},
                          const std::source_location& where = std::source_location::current());
arrays::Array from_zarr(const std::string& path, const std::string& variable, const ReadOptions& options = {},
                        const std::source_location& where = std::source_location::current());

/// How arrays are written to HDF5.
struct WriteOptions {
  /// An existing file is an error otherwise.
  bool overwrite = false;
  /// 0: not packed.
  int deflate = 0;
  /// Each chunk is written by the worker that has it, as a file of its own in a folder beside
  /// ("out.h5.parts-1f2e3d4c"); the file that is asked for is a virtual dataset over them, which HDF5 1.10 and later
  /// reads as one. Otherwise one process writes all chunks into one file.
  bool parts = false;
};
/// Writes arrays as variables of one HDF5 file, `to_hdf5(client, "out.h5", {{"x", x}, {"y", y}})`; it appears when it
/// is complete. Some chunks at a time are computed and written. Bools become bytes, times their counts. Throws
/// io::FileError.
void to_hdf5(const Client& client, const std::string& path,
             const std::vector<std::pair<std::string, arrays::Array>>& variables, const WriteOptions& options = {});
void to_hdf5(const Client& client, const std::string& path, const std::string& name, const arrays::Array& array,
             const WriteOptions& options = {});

}  // namespace weft
