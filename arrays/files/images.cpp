// Pictures as arrays: the binary forms of Netpbm, which every picture program writes.
#include <weft/ops/images.hpp>

#include "arrays/files/stored_arrays.hpp"
#include "arrays/ops/apply.hpp"

#include <weft/error.hpp>
#include <weft/ops/elementwise.hpp>
#include <weft/ops/structure.hpp>

#include <glob.h>

#include <cctype>

namespace weft::arrays {
namespace {

/// What the header of a picture says.
struct Picture {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t colours = 1;
  std::int64_t bytes = 1;
  std::int64_t offset = 0;
};

/// Reads "P5 640 480 255" and what blanks and comments stand between. Throws Error that names the file.
Picture read_header(const std::string& path) {
  const files::OpenedFile file(path, files::OpenedFile::Use::Read);
  std::string head(static_cast<std::size_t>(std::min<std::int64_t>(file.size(), 4096)), '\0');
  file.read(head.data(), head.size(), 0);
  const auto refuse = [&](const char* what) -> void {
    throw Error(path + ": imread reads TIFF, PNG, and binary PGM and PPM pictures (P5, P6); " + what +
                ": convert it, for example with `magick in.png out.ppm`");
  };
  if (head.size() < 2 || head[0] != 'P' || (head[1] != '5' && head[1] != '6')) refuse("this is none");
  std::size_t at = 2;
  const auto number = [&] {
    while (at < head.size() && (std::isspace(static_cast<unsigned char>(head[at])) != 0 || head[at] == '#')) {
      if (head[at] == '#') at = std::min(head.find('\n', at), head.size() - 1);
      ++at;
    }
    std::int64_t value = 0;
    const std::size_t begin = at;
    for (; at < head.size() && std::isdigit(static_cast<unsigned char>(head[at])) != 0 && value < 1'000'000'000; ++at) {
      value = value * 10 + (head[at] - '0');
    }
    if (at == begin) refuse("its header is not complete");
    return value;
  };
  Picture picture;
  picture.colours = head[1] == '6' ? 3 : 1;
  picture.columns = number();
  picture.rows = number();
  const std::int64_t most = number();
  if (most < 1 || most > 65'535) refuse("its largest value is none of 1 to 65535");
  picture.bytes = most < 256 ? 1 : 2;
  picture.offset = static_cast<std::int64_t>(at) + 1;
  if (picture.offset + picture.rows * picture.columns * picture.colours * picture.bytes > file.size()) {
    refuse("it ends too early");
  }
  return picture;
}

std::vector<std::string> matching(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0) paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  return paths;
}

}  // namespace

namespace {

bool is_netpbm(const std::string& path) {
  const files::OpenedFile file(path, files::OpenedFile::Use::Read);
  char head[2] = {};
  if (file.size() >= 2) file.read(head, 2, 0);
  return head[0] == 'P' && (head[1] == '5' || head[1] == '6');
}

Array read_netpbm(const std::string& path, const std::source_location& where) {
  const Picture picture = read_header(path);
  std::vector<std::int64_t> extents{picture.rows, picture.columns};
  if (picture.colours > 1) extents.push_back(picture.colours);
  const Array read =
      files::read_from(path, picture.offset, picture.bytes == 1 ? uint8 : uint16, Shape(extents), Chunks(-1), where);
  // The high byte comes first in the file.
  if (picture.bytes == 1) return read;
  return bitwise_or(left_shift(read, Scalar(8, uint16)), right_shift(read, Scalar(8, uint16)));
}

}  // namespace

Array imread(const std::string& pattern, const std::source_location& where) {
  const std::vector<std::string> paths = matching(pattern);
  if (paths.empty()) throw Error(ops::at_line("imread", where) + "no file has a name like " + pattern);
  std::vector<Array> pictures;
  for (const std::string& path : paths) {
    const Array read =
        is_netpbm(path) ? read_netpbm(path, where) : files::load_stored(path, "image", {.chunks = Chunks(-1)}, where);
    if (!pictures.empty() && (read.shape() != pictures[0].shape() || read.dtype() != pictures[0].dtype())) {
      throw Error(ops::at_line("imread", where) + path + " has the shape " + read.shape().text() + " and " +
                  read.dtype().name() + ", " + paths[0] + " the shape " + pictures[0].shape().text() + " and " +
                  pictures[0].dtype().name());
    }
    pictures.push_back(read);
  }
  return stack(pictures, 0, where);
}

}  // namespace weft::arrays
