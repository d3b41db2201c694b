// Arrays as pictures of FITS: a header, and the numbers behind it, each chunk written by the task that has it.
#include <weft/fits_writer.hpp>
#include <weft/ops/fits.hpp>
#include <weft/remote.hpp>

#include "arrays/files/stored_arrays.hpp"
#include "arrays/ops/apply.hpp"

namespace weft::arrays {
namespace files {
namespace {

struct WriteFitsRegion {
  std::int64_t operator()(const std::string& path, const std::string& type, std::int64_t offset,
                          const std::vector<std::int64_t>& shape, const ChunkRegion& region,
                          const Buffer& chunk) const {
    std::vector<std::byte> values(chunk.data(), chunk.data() + chunk.size());
    const std::size_t element = io::encode_fits(type, values);
    write_box({path, OpenedFile::Use::Write}, {offset, shape, element}, region.start, region.extent, values.data());
    return 1;
  }
};

}  // namespace
}  // namespace files

void save_fits(const Client& client, const Array& array, const std::string& path, const std::source_location& where) {
  const std::string type = array.dtype().name();
  std::string header;
  try {
    header = io::fits_header(path, type, array.shape().vector(), {});
  } catch (const io::FileError& error) {
    throw io::FileError(ops::at_line("save_fits", where) + error.what());
  }
  files::in_place_of(path, [&](const std::string& part) {
    const auto offset = static_cast<std::int64_t>(header.size());
    files::begin_file(part, header, io::fits_data_bytes(array.nbytes()));
    const auto write = delayed(files::WriteFitsRegion{}, where);
    std::vector<Delayed<std::int64_t>> tasks;
    for (const auto& [region, chunk] : detail::chunks_with_regions(array)) {
      tasks.push_back(write(part, type, offset, array.shape().vector(), region, chunk));
    }
    detail::wait_for(client, tasks);
    tasks.clear();
    files::OpenedFile(part, files::OpenedFile::Use::Write).finish();
  });
}

Array load_fits(const std::string& path, const LoadOptions& options, const std::source_location& where) {
  const auto file = io::open_stored(path);
  for (const io::Variable& one : file->variables()) {
    if (one.path.find('/') == std::string::npos) return files::load_stored(path, one.path, options, where);
  }
  throw io::FileError("'" + io::shown_path(path) + "': holds no picture; open_file gives the columns of its tables");
}

}  // namespace weft::arrays
