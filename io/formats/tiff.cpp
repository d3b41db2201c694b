// TIFF, BigTIFF and GeoTIFF: pages of the same kind are one variable.
#include "io/codecs/filters.hpp"
#include "io/formats/chunk_box.hpp"
#include "io/formats/format.hpp"
#include "io/tiff/pages.hpp"

#include <algorithm>
#include <cstring>
#include <tuple>

namespace weft::io {
namespace {

using tiff::Page;

bool same_kind(const Page& a, const Page& b) {
  const auto kind = [](const Page& page) {
    return std::tie(page.rows, page.columns, page.samples, page.planes, page.type.name, page.bits, page.piece_rows,
                    page.piece_columns, page.reduced, page.mask);
  };
  return kind(a) == kind(b);
}

template <class T>
std::vector<std::byte> bytes_of(const std::vector<T>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {bytes.begin(), bytes.end()};
}

/// Puts a number as an element of the type, where it is one.
std::vector<std::byte> element_of(const ElementType& type, double value) {
  std::vector<std::byte> out(type.bytes);
  const auto put = [&](auto number) { std::memcpy(out.data(), &number, sizeof number); };
  if (type.kind == ElementKind::Float && type.bytes == 4) put(static_cast<float>(value));
  if (type.kind == ElementKind::Float && type.bytes == 8) put(value);
  const bool whole = value >= -0x1p63 && value < 0x1p63;
  if (whole && (type.kind == ElementKind::Integer || type.kind == ElementKind::Unsigned)) {
    const auto number = static_cast<std::int64_t>(value);
    std::memcpy(out.data(), &number, std::min<std::size_t>(8, out.size()));
  }
  return out;
}

/// Owns: the open file, what its pages say, and labels.  Threading: constant; any thread.
class TiffFile final : public StoredFile {
 public:
  explicit TiffFile(OpenFile file) : file_(std::move(file)) {
    path_ = file_.path();
    format_ = "TIFF";
    file_bytes_ = file_.size();
    changed_ns_ = file_.changed_ns();
    groups_.push_back({});
    std::vector<Source> kinds;
    for (Page& page : tiff::read_pages(file_)) {
      const auto found = std::find_if(kinds.begin(), kinds.end(),
                                      [&](const Source& kind) { return same_kind(kind.pages.front(), page); });
      Source& kind = found == kinds.end() ? kinds.emplace_back() : *found;
      kind.pages.push_back(std::move(page));
    }
    for (Source& kind : kinds) add(std::move(kind));
  }

  void read(std::size_t variable, const std::vector<std::int64_t>& start, const std::vector<std::int64_t>& extent,
            std::byte* out, const std::vector<std::int64_t>& strides) const override {
    const Variable& one = variables_[variable];
    const Source& source = sources_[variable];
    check_box(*this, one, start, extent);
    if (source.pages.empty()) {
      const std::vector<std::int64_t> from = packed_strides(one.shape, one.type.bytes);
      copy_box(out, strides.data(), source.labels.data() + start[0] * from[0], from.data(), extent.data(), 1,
               one.type.bytes);
      return;
    }
    if (source.pages.size() == 1) return read_page(variable, 0, {start, extent, out, strides});
    const auto inner = [](const std::vector<std::int64_t>& all) {
      return std::vector<std::int64_t>(all.begin() + 1, all.end());
    };
    const std::vector<std::int64_t> in_start = inner(start), in_extent = inner(extent), in_strides = inner(strides);
    for (std::int64_t i = 0; i < extent[0]; ++i) {
      read_page(variable, static_cast<std::size_t>(start[0] + i),
                {in_start, in_extent, out + i * strides[0], in_strides});
    }
  }

  std::vector<std::string> read_text(std::size_t variable) const override {
    file_.fail("'" + variables_[variable].path + "' holds " + variables_[variable].type.name + ", not text");
  }

  std::uint64_t stored_bytes(std::size_t variable) const override {
    std::uint64_t bytes = sources_[variable].labels.size();
    for (const Page& page : sources_[variable].pages) {
      for (const std::uint64_t one : page.bytes) bytes += one;
    }
    return bytes;
  }

 private:
  /// Pages of one kind, or labels.
  struct Source {
    std::vector<Page> pages;
    std::vector<std::byte> labels;
  };

  /// A name that no variable has yet: "image", "image_2".
  std::string free_name(const std::string& wanted) const {
    std::string name = wanted;
    for (int number = 2; has(name); ++number) name = wanted + "_" + std::to_string(number);
    return name;
  }

  void add(Source source) {
    const Page& first = source.pages.front();
    Variable variable;
    variable.path = free_name(first.mask ? "mask" : first.reduced ? "overview" : "image");
    // The axes of the first picture have plain names, those of others end as the variable does.
    const std::string ending = variables_.empty() ? "" : "_" + variable.path;
    const bool plain =
        std::all_of(source.pages.begin(), source.pages.end(), [](const Page& page) { return page.plain(); });
    const auto axis = [&](const char* name, std::int64_t extent, std::int64_t chunk) {
      variable.dimensions.push_back(name + ending);
      variable.shape.push_back(extent);
      if (!plain) variable.chunk.push_back(chunk);
      groups_[0].dimensions.push_back({name + ending, extent, false});
    };
    if (source.pages.size() > 1) axis("page", std::ssize(source.pages), 1);
    if (first.planes) axis("band", first.samples, 1);
    axis("y", first.rows, first.piece_rows);
    axis("x", first.columns, first.piece_columns);
    if (!first.planes && first.samples > 1) axis("band", first.samples, first.samples);
    variable.type = first.type;
    variable.attributes = first.attributes;
    variable.fill = element_of(first.type, first.no_data.value_or(0));
    if (first.no_data) {
      Attribute fill;
      fill.name = "_FillValue";
      fill.type = {ElementKind::Float, 8, false, "float64"};
      fill.reals = {*first.no_data};
      variable.attributes.push_back(std::move(fill));
    }
    if (first.compression != tiff::kNone) variable.filters.push_back(words_of(first));
    const std::size_t place = variables_.size();
    const std::optional<Page::Axis> x = first.x, y = first.y;
    const std::int64_t rows = first.rows, columns = first.columns;
    variables_.push_back(std::move(variable));
    sources_.push_back(std::move(source));
    if (place != 0 || !x || !y) return;
    add_labels("y", *y, rows);
    add_labels("x", *x, columns);
  }

  static std::string words_of(const Page& page) {
    std::string text = page.compression == tiff::kLzw        ? "lzw"
                       : page.compression == tiff::kPackBits ? "packbits"
                       : page.compression == tiff::kZstd     ? "zstd"
                       : page.obstacle.empty()               ? "deflate"
                                                             : page.obstacle.substr(page.obstacle.rfind(' ') + 1);
    if (page.predictor != 1) text += ", predictor " + std::to_string(page.predictor);
    return text;
  }

  void add_labels(const std::string& name, const Page::Axis& axis, std::int64_t count) {
    // Labels of a picture that is wider than any are left to whoever reads it.
    constexpr std::int64_t kMostLabels = 1 << 24;
    if (count > kMostLabels) return;
    std::vector<double> values(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = axis.first + static_cast<double>(i) * axis.step;
    Variable variable;
    variable.path = name;
    variable.type = {ElementKind::Float, 8, false, "float64"};
    variable.shape = {count};
    variable.dimensions = {name};
    variable.fill.resize(8);
    variables_.push_back(std::move(variable));
    sources_.push_back({{}, bytes_of(values)});
  }

  void read_page(std::size_t variable, std::size_t number, const OpenBox& box) const {
    const Variable& one = variables_[variable];
    const Page& page = sources_[variable].pages[number];
    const std::size_t element = one.type.bytes;
    const std::size_t skipped = one.shape.size() - box.start.size();
    if (!page.obstacle.empty())
      file_.fail("'" + one.path + "' " + page.obstacle +
                 ", which weft does not read; gdal_translate or tiffcp rewrite it");
    if (one.chunk.empty()) {
      const std::vector<std::int64_t> shape(one.shape.begin() + static_cast<std::ptrdiff_t>(skipped), one.shape.end());
      return read_contiguous(file_, page.places[0], shape, element, box.start, box.extent, box.out, box.strides);
    }
    if (page.compression == tiff::kZstd || page.compression == tiff::kDeflate ||
        page.compression == tiff::kOldDeflate) {
      const std::string missing =
          missing_codec({page.compression == tiff::kZstd ? Filter::kZstd : Filter::kDeflate, {}});
      if (!missing.empty()) file_.fail("'" + one.path + "' " + missing);
    }
    const std::vector<std::int64_t> chunk(one.chunk.begin() + static_cast<std::ptrdiff_t>(skipped), one.chunk.end());
    const std::vector<std::int64_t> chunk_strides = packed_strides(chunk, element);
    std::uint64_t bytes = element;
    for (const std::int64_t extent : chunk) bytes *= static_cast<std::uint64_t>(extent);
    each_cell(chunk, box.start, box.extent, [&](const std::vector<std::int64_t>& at) {
      const ChunkPart part(at, chunk, chunk_strides, box, element);
      const std::int64_t row = at[page.planes ? 1 : 0], column = at[page.planes ? 2 : 1];
      const std::int64_t plane = page.planes ? at[0] : 0;
      const auto piece = static_cast<std::size_t>((plane * page.pieces_down() + row) * page.pieces_across() + column);
      if (page.places[piece] == 0 || page.bytes[piece] == 0) return part.fill(one.fill.data());
      const std::int64_t rows =
          page.tiled ? page.piece_rows : std::min(page.piece_rows, page.rows - row * page.piece_rows);
      // No packing makes less of so much; a damaged size is not worth the memory that it asks for.
      if (bytes / 70000 > page.bytes[piece] + 16) file_.fail("a piece of '" + one.path + "' is far too small");
      if (page.bytes[piece] > file_.size())
        file_.fail("a piece of '" + one.path + "' lies beyond the end: the file is truncated or damaged");
      const std::span<std::byte> packed = stored_memory(page.bytes[piece]);
      file_.read(page.places[piece], packed.data(), packed.size());
      part.put(bytes, [&](std::span<std::byte> decoded) { tiff::decode_piece(path_, page, rows, packed, decoded); });
    });
  }

  OpenFile file_;
  std::vector<Source> sources_;
};

bool probe_tiff(std::span<const std::byte> head) {
  if (head.size() < 8) return false;
  const auto is = [&](const char* bytes) { return std::memcmp(head.data(), bytes, 4) == 0; };
  return is("II*\0") || is("MM\0*") || is("II+\0") || is("MM\0+");
}

std::shared_ptr<const StoredFile> open_tiff(OpenFile file) { return std::make_shared<TiffFile>(std::move(file)); }

}  // namespace

const Format kTiff{"TIFF", probe_tiff, nullptr, open_tiff};

}  // namespace weft::io
