// JPEG pictures keep to what every reader of files promises. They are made by libjpeg.
#include "tests/contracts/stored_file.hpp"

#include <gmock/gmock.h>

#include <jpeglib.h>
#include <cstdio>
#include <cstdlib>

namespace weft::io {
namespace {

/// A picture of one colour comes back as it was, whatever the quality.
std::string even_picture(int colours, int value) {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* memory = nullptr;
  unsigned long bytes = 0;
  jpeg_mem_dest(&jpeg, &memory, &bytes);
  jpeg.image_width = 20;
  jpeg.image_height = 12;
  jpeg.input_components = colours;
  jpeg.in_color_space = colours == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_start_compress(&jpeg, TRUE);
  std::vector<unsigned char> row(static_cast<std::size_t>(20 * colours), static_cast<unsigned char>(value));
  while (jpeg.next_scanline < jpeg.image_height) {
    unsigned char* line = row.data();
    jpeg_write_scanlines(&jpeg, &line, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  const std::string out(reinterpret_cast<char*>(memory), bytes);
  std::free(memory);
  return out;
}

std::vector<StoredSample> samples() {
  std::vector<StoredSample> all;
  for (const int colours : {1, 3}) {
    all.push_back({"jpeg_" + std::to_string(colours),
                   [colours](const TestFolder& at) { return at.file("a.jpg", even_picture(colours, 128)); }, "image",
                   std::vector<double>(static_cast<std::size_t>(240 * colours), 128)});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Jpeg, StoredFileContract, testing::ValuesIn(samples()), name_of_sample);

TEST(JpegTest, APictureThatBreaksOffIsRefused) {
  const TestFolder folder;
  const std::string bytes = even_picture(3, 77);
  const std::string path = folder.file("cut.jpg", bytes.substr(0, bytes.size() - 20));
  EXPECT_THAT([&] { open_stored(path)->read_numbers(0); },
              testing::ThrowsMessage<FileError>(testing::HasSubstr("cut.jpg': is damaged")));
}

}  // namespace
}  // namespace weft::io
