#include "io/formats/picture_file.hpp"

#include "io/formats/chunk_box.hpp"
#include "io/formats/format.hpp"

#include <algorithm>

namespace weft::io {

PictureFile::PictureFile(OpenFile file, const char* format) : file_(std::move(file)) {
  path_ = file_.path();
  format_ = format;
  file_bytes_ = file_.size();
  changed_ns_ = file_.changed_ns();
  groups_.push_back({});
}

void PictureFile::describe(std::int64_t rows, std::int64_t columns, std::int64_t bands, unsigned sample_bytes,
                           const char* filter) {
  Variable one;
  one.path = "image";
  one.type = {ElementKind::Unsigned, sample_bytes, false, sample_bytes == 1 ? "uint8" : "uint16"};
  one.shape = {rows, columns};
  one.dimensions = {"y", "x"};
  if (bands > 1) {
    one.shape.push_back(bands);
    one.dimensions.emplace_back("band");
  }
  one.chunk = one.shape;
  one.filters = {filter};
  one.fill.resize(sample_bytes);
  for (std::size_t axis = 0; axis < one.shape.size(); ++axis) {
    groups_[0].dimensions.push_back({one.dimensions[axis], one.shape[axis], false});
  }
  variables_.push_back(std::move(one));
}

void PictureFile::read(std::size_t variable, const std::vector<std::int64_t>& start,
                       const std::vector<std::int64_t>& extent, std::byte* out,
                       const std::vector<std::int64_t>& strides) const {
  const Variable& one = variables_[variable];
  check_box(*this, one, start, extent);
  if (std::count(extent.begin(), extent.end(), 0) > 0) return;
  const std::vector<std::byte> samples = decode();
  const std::vector<std::int64_t> from = packed_strides(one.shape, one.type.bytes), at(one.shape.size(), 0);
  ChunkPart(at, one.shape, from, {start, extent, out, strides}, one.type.bytes).copy(samples.data());
}

}  // namespace weft::io
