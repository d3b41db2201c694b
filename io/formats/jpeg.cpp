// JPEG: one picture, as libjpeg (libjpeg-turbo) gives it.
#include "io/formats/format.hpp"
#include "io/formats/picture_file.hpp"

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
class JpegFile final : public PictureFile {
 public:
  explicit JpegFile(OpenFile file) : PictureFile(std::move(file), "JPEG") {
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
    const int bands = jpeg.num_components;
    describe(jpeg.image_height, jpeg.image_width, bands == 1 || bands == 4 ? bands : 3, 1, "JPEG");
  }

  std::uint64_t stored_bytes(std::size_t) const override { return file_bytes_; }

 private:
  std::vector<std::byte> decode() const override {
    const Variable& one = variables_[0];
    const std::vector<std::byte> bytes = bytes_of(file_bytes_);
    const std::size_t bands = one.shape.size() > 2 ? static_cast<std::size_t>(one.shape[2]) : 1;
    const std::size_t row_bytes = static_cast<std::size_t>(one.shape[1]) * bands;
    // A picture takes a bit or so of each pixel at least, of each block of 64 in the worst case.
    const std::uint64_t whole = static_cast<std::uint64_t>(one.shape[0]) * row_bytes;
    if (whole / 2000 > bytes.size() + 16) file_.fail("has far too few bytes for its extents: it is damaged");
    Decoder decoder;
    if (!read_head(decoder, bytes.data(), bytes.size())) refuse(decoder);
    decoder.jpeg.out_color_space = bands == 1 ? JCS_GRAYSCALE : bands == 3 ? JCS_RGB : JCS_CMYK;
    if (decoder.jpeg.image_height != one.shape[0] || decoder.jpeg.image_width != one.shape[1]) {
      file_.fail("changed after it was opened; open it again");
    }
    std::vector<std::byte> pixels(whole);
    if (!read_rows(decoder, pixels.data(), row_bytes)) refuse(decoder);
    return pixels;
  }

  std::vector<std::byte> bytes_of(std::uint64_t count) const {
    std::vector<std::byte> bytes(count);
    file_.read(0, bytes.data(), bytes.size());
    return bytes;
  }
  [[noreturn]] void refuse(const Decoder& decoder) const {
    file_.fail(std::string("is damaged, or no JPEG that is read: ") + decoder.message);
  }
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
