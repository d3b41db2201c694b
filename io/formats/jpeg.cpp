// JPEG: one picture, as libjpeg (libjpeg-turbo) gives it.
#include "io/files/open_file.hpp"
#include "io/formats/chunk_box.hpp"
#include "io/formats/format.hpp"

#include <algorithm>
#include <cstring>

#if WEFT_HAS_JPEG
#include <csetjmp>
#include <cstdio>
// It names FILE without including its header.
#include <jpeglib.h>
#endif

namespace weft::io {
namespace {

#if WEFT_HAS_JPEG

constexpr std::uint64_t kMostFileBytes = std::uint64_t{1} << 31;

/// The library's state, which leaves by a jump where the bytes are damaged. Nothing with a destructor may live between
/// setjmp and the calls.
struct Decoder {
  jpeg_decompress_struct jpeg{};
  jpeg_error_mgr errors{};
  std::jmp_buf back;
  char message[JMSG_LENGTH_MAX] = {};

  Decoder() {
    jpeg.err = ::jpeg_std_error(&errors);
    errors.error_exit = [](j_common_ptr info) {
      auto* const self = reinterpret_cast<Decoder*>(info->client_data);
      self->errors.format_message(info, self->message);
      std::longjmp(self->back, 1);
    };
    // Warnings say that data are damaged: grey places in a picture are no answer.
    errors.emit_message = [](j_common_ptr info, int level) {
      if (level < 0) info->err->error_exit(info);
    };
    jpeg.client_data = this;
  }
  ~Decoder() { ::jpeg_destroy_decompress(&jpeg); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
};

/// Returns whether the header could be read.
bool read_head(Decoder& decoder, const std::byte* data, std::size_t bytes) {
  if (setjmp(decoder.back) != 0) return false;
  ::jpeg_create_decompress(&decoder.jpeg);
  decoder.jpeg.client_data = &decoder;
  ::jpeg_mem_src(&decoder.jpeg, const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(data)), bytes);
  ::jpeg_read_header(&decoder.jpeg, TRUE);
  return true;
}

/// Decodes all rows, which lie one behind the other. Returns whether all came.
bool read_rows(Decoder& decoder, std::byte* out, std::size_t row_bytes) {
  if (setjmp(decoder.back) != 0) return false;
  ::jpeg_start_decompress(&decoder.jpeg);
  while (decoder.jpeg.output_scanline < decoder.jpeg.output_height) {
    auto* row = reinterpret_cast<unsigned char*>(out + decoder.jpeg.output_scanline * row_bytes);
    ::jpeg_read_scanlines(&decoder.jpeg, &row, 1);
  }
  ::jpeg_finish_decompress(&decoder.jpeg);
  return true;
}

/// Owns: the open file.  Threading: constant; any thread.
class JpegFile final : public StoredFile {
 public:
  explicit JpegFile(OpenFile file) : file_(std::move(file)) {
    path_ = file_.path();
    format_ = "JPEG";
    file_bytes_ = file_.size();
    changed_ns_ = file_.changed_ns();
    groups_.push_back({});
    if (file_bytes_ > kMostFileBytes) file_.fail("is too long for a JPEG picture");
    // Extents stand behind thumbnails and profiles, mostly near the beginning.
    std::vector<std::byte> bytes = bytes_of(std::min<std::uint64_t>(file_bytes_, 64 << 10));
    auto decoder = std::make_unique<Decoder>();
    if (!read_head(*decoder, bytes.data(), bytes.size())) {
      bytes = bytes_of(file_bytes_);
      decoder = std::make_unique<Decoder>();
      if (!read_head(*decoder, bytes.data(), bytes.size())) refuse(*decoder);
    }
    const jpeg_decompress_struct& jpeg = decoder->jpeg;
    Variable one;
    one.path = "image";
    one.type = {ElementKind::Unsigned, 1, false, "uint8"};
    one.shape = {jpeg.image_height, jpeg.image_width};
    one.dimensions = {"y", "x"};
    if (jpeg.num_components != 1) {
      one.shape.push_back(jpeg.num_components == 4 ? 4 : 3);
      one.dimensions.emplace_back("band");
    }
    one.chunk = one.shape;
    one.filters = {"JPEG"};
    one.fill.resize(1);
    for (std::size_t axis = 0; axis < one.shape.size(); ++axis) {
      groups_[0].dimensions.push_back({one.dimensions[axis], one.shape[axis], false});
    }
    variables_.push_back(std::move(one));
  }

  void read(std::size_t variable, const std::vector<std::int64_t>& start, const std::vector<std::int64_t>& extent,
            std::byte* out, const std::vector<std::int64_t>& strides) const override {
    const Variable& one = variables_[variable];
    check_box(*this, one, start, extent);
    if (std::count(extent.begin(), extent.end(), 0) > 0) return;
    const std::vector<std::byte> bytes = bytes_of(file_bytes_);
    const std::vector<std::int64_t> from = packed_strides(one.shape, 1);
    const auto row_bytes = static_cast<std::size_t>(from[0]);
    // A picture takes a bit or so of each pixel at least, of each block of 64 in the worst case.
    const std::uint64_t whole = static_cast<std::uint64_t>(one.shape[0]) * row_bytes;
    if (whole / 2000 > bytes.size() + 16) file_.fail("has far too few bytes for its extents: it is damaged");
    Decoder decoder;
    if (!read_head(decoder, bytes.data(), bytes.size())) refuse(decoder);
    const std::size_t bands = one.shape.size() > 2 ? static_cast<std::size_t>(one.shape[2]) : 1;
    decoder.jpeg.out_color_space = bands == 1 ? JCS_GRAYSCALE : bands == 3 ? JCS_RGB : JCS_CMYK;
    if (decoder.jpeg.image_height != one.shape[0] || decoder.jpeg.image_width != one.shape[1]) {
      file_.fail("changed after it was opened; open it again");
    }
    std::vector<std::byte> pixels(whole);
    if (!read_rows(decoder, pixels.data(), row_bytes)) refuse(decoder);
    const std::vector<std::int64_t> at(one.shape.size(), 0);
    ChunkPart(at, one.shape, from, {start, extent, out, strides}, 1).copy(pixels.data());
  }

  std::vector<std::string> read_text(std::size_t) const override { file_.fail("'image' holds numbers, not text"); }
  std::uint64_t stored_bytes(std::size_t) const override { return file_bytes_; }

 private:
  std::vector<std::byte> bytes_of(std::uint64_t count) const {
    std::vector<std::byte> bytes(count);
    file_.read(0, bytes.data(), bytes.size());
    return bytes;
  }
  [[noreturn]] void refuse(const Decoder& decoder) const {
    file_.fail(std::string("is damaged, or no JPEG that is read: ") + decoder.message);
  }

  OpenFile file_;
};

std::shared_ptr<const StoredFile> open_jpeg(OpenFile file) { return std::make_shared<JpegFile>(std::move(file)); }

#else

std::shared_ptr<const StoredFile> open_jpeg(OpenFile file) {
  file.fail("is a JPEG picture, which this build of weft does not read (libjpeg-dev when it is built)");
}

#endif

bool probe_jpeg(std::span<const std::byte> head) {
  return head.size() >= 3 && std::memcmp(head.data(), "\xff\xd8\xff", 3) == 0;
}

}  // namespace

const Format kJpeg{"JPEG", probe_jpeg, nullptr, open_jpeg};

}  // namespace weft::io
