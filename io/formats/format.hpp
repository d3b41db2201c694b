#pragma once

#include <weft/storage.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace weft::io {

class OpenFile;

/// A file format: one file of this folder, and its line in formats.cpp.
struct Format {
  const char* name;
  /// Tells by the first bytes of a file (up to 4 KiB) whether it is of this format.
  bool (*probe)(std::span<const std::byte> head);
  std::shared_ptr<const StoredFile> (*open)(const std::string& path);
  /// The same from the file that was opened to look at it: formats that have this are opened once.
  std::shared_ptr<const StoredFile> (*take)(OpenFile file) = nullptr;
};

/// A file whose values come from other files, too. Its `file_bytes` and `changed_ns` count all of them, so that a
/// change of any is one.
class HasOthers {
 public:
  virtual ~HasOthers() = default;
  virtual std::size_t others() const = 0;
  virtual bool others_changed() const = 0;
  /// Bytes and time of the file alone.
  struct OwnState {
    std::uint64_t bytes = 0;
    std::int64_t changed_ns = 0;
  };
  virtual OwnState own_state() const = 0;
};
/// Nothing where the file is all.
const HasOthers* others_of(const StoredFile& file);

extern const Format kHdf5;
extern const Format kNetcdfClassic;
extern const Format kGrib;
extern const Format kNpy;
extern const Format kNpz;
extern const Format kTiff;
extern const Format kPng;
extern const Format kFits;
extern const Format kJpeg;

/// Zarr is a folder, told by the description in it.
std::shared_ptr<const StoredFile> open_zarr(const std::string& path);
/// The file that says what is at `path`: of a Zarr store its description, else the file itself. Throws FileError for
/// other folders.
std::string described_by(const std::string& path);
/// Returns whether an address is that of a Zarr store. Where its name does not tell (`.zarr` in it, or no ending at
/// all), it is asked.
bool is_remote_store(const std::string& path);

/// Copies a box between memories with strides in bytes; both have elements of `element_bytes`.
void copy_box(std::byte* to, const std::int64_t* to_strides, const std::byte* from, const std::int64_t* from_strides,
              const std::int64_t* extent, std::size_t ndim, std::size_t element_bytes);
/// Writes one element to each place of a box.
void fill_box(std::byte* to, const std::int64_t* strides, const std::int64_t* extent, std::size_t ndim,
              const std::byte* element, std::size_t element_bytes);
/// Returns the strides in bytes of elements in C order.
std::vector<std::int64_t> packed_strides(const std::vector<std::int64_t>& extent, std::size_t element_bytes);

/// Reads a box of an array of `shape` that lies in C order at `place` of the file. What lies near is read at once.
void read_contiguous(const OpenFile& file, std::uint64_t place, const std::vector<std::int64_t>& shape,
                     std::size_t element_bytes, const std::vector<std::int64_t>& start,
                     const std::vector<std::int64_t>& extent, std::byte* out, const std::vector<std::int64_t>& strides);
/// Throws FileError where the box does not lie in the variable.
void check_box(const StoredFile& file, const Variable& variable, const std::vector<std::int64_t>& start,
               const std::vector<std::int64_t>& extent);
/// As StoredFile::read gives them: turns the bytes of each element of a box round.
void swap_box(std::byte* data, const std::vector<std::int64_t>& strides, const std::vector<std::int64_t>& extent,
              const ElementType& type);
/// The same for texts whose characters have four bytes each.
void swap_wide_text(std::byte* data, const std::vector<std::int64_t>& strides, const std::vector<std::int64_t>& extent,
                    std::uint32_t element_bytes);
/// Returns texts of a fixed number of bytes, or of characters of four bytes (`wide`), without the zeros behind them.
std::vector<std::string> texts_of(const std::vector<std::byte>& bytes, std::uint32_t element_bytes, bool wide);

}  // namespace weft::io
