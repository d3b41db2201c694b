// PNG: one picture, deflated as a whole, each row as differences from its neighbours.
#include "io/codecs/filters.hpp"
#include "io/files/cursor.hpp"
#include "io/formats/format.hpp"
#include "io/formats/picture_file.hpp"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>

namespace weft::io {
namespace {

constexpr char kSignature[] = "\x89PNG\r\n\x1a\n";
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 32;
constexpr unsigned kPalette = 3;

/// The places of an interlaced picture's seven passes, and their steps.
struct Pass {
  std::int64_t row, column, rows, columns;
};
constexpr Pass kPasses[] = {{0, 0, 8, 8}, {0, 4, 8, 8}, {4, 0, 8, 4}, {0, 2, 4, 4},
                            {2, 0, 4, 2}, {0, 1, 2, 2}, {1, 0, 2, 1}};
constexpr Pass kWhole[] = {{0, 0, 1, 1}};

/// What a row's byte is the difference from, of the bytes to the left, above, and above to the left.
std::uint8_t nearest(int left, int above, int corner) {
  const int guess = left + above - corner;
  const int a = std::abs(guess - left), b = std::abs(guess - above), c = std::abs(guess - corner);
  return static_cast<std::uint8_t>(a <= b && a <= c ? left : b <= c ? above : corner);
}

/// Owns: the open file, and the colours of a palette.  Threading: constant; any thread.
class PngFile final : public PictureFile {
 public:
  explicit PngFile(OpenFile file) : PictureFile(std::move(file), "PNG") {
    read_chunks();
    describe(rows_, columns_, samples_out(), depth_ == 16 ? 2 : 1, "deflate");
  }

  std::uint64_t stored_bytes(std::size_t) const override {
    std::uint64_t bytes = 0;
    for (const auto& [place, size] : pieces_) bytes += size;
    return bytes;
  }

 private:
  /// Samples of a pixel as they are stored, and as they are given: palettes become colours.
  std::int64_t samples() const { return colours_ == 2 ? 3 : colours_ == 4 ? 2 : colours_ == 6 ? 4 : 1; }
  std::int64_t samples_out() const { return colours_ == kPalette ? (palette_alpha_.empty() ? 3 : 4) : samples(); }

  void read_chunks() {
    std::uint64_t place = 8;
    bool described = false;
    for (;;) {
      std::byte head[8];
      file_.read(place, head, sizeof head);
      Cursor cursor(path_, head, sizeof head, true);
      const std::uint64_t bytes = cursor.u32();
      const std::string kind = cursor.text(4);
      place += 8;
      if (bytes + 4 > file_.size() - place) file_.fail("is truncated: its part " + kind + " is not whole");
      if (!described && kind != "IHDR") file_.fail("does not begin with its extents: it is damaged");
      if (kind == "IHDR") {
        described = true;
        read_header(place, bytes);
      } else if (kind == "PLTE" || (kind == "tRNS" && colours_ == kPalette)) {
        std::vector<std::byte>& to = kind == "PLTE" ? palette_ : palette_alpha_;
        to.resize(std::min<std::uint64_t>(bytes, 768));
        file_.read(place, to.data(), to.size());
      } else if (kind == "IDAT") {
        pieces_.emplace_back(place, bytes);
      } else if (kind == "IEND") {
        break;
      }
      place += bytes + 4;
    }
    if (pieces_.empty()) file_.fail("has no picture in it: it is damaged");
    if (colours_ == kPalette && palette_.size() < 3) file_.fail("has no palette: it is damaged");
  }

  void read_header(std::uint64_t place, std::uint64_t bytes) {
    std::byte data[13];
    if (bytes != sizeof data) file_.fail("has a damaged description");
    file_.read(place, data, sizeof data);
    Cursor cursor(path_, data, sizeof data, true);
    columns_ = cursor.u32();
    rows_ = cursor.u32();
    depth_ = cursor.u8();
    colours_ = cursor.u8();
    const unsigned packing = cursor.u8(), filtering = cursor.u8();
    interlaced_ = cursor.u8() == 1;
    const bool small = colours_ == 0 || colours_ == kPalette;
    const bool known = colours_ <= 6 && colours_ != 1 && colours_ != 5 && std::has_single_bit(depth_) && depth_ <= 16 &&
                       (depth_ >= 8 || small) && (depth_ < 16 || colours_ != kPalette);
    if (!known || packing != 0 || filtering != 0 || rows_ < 1 || columns_ < 1 || rows_ > 0x7fffffff ||
        columns_ > 0x7fffffff) {
      file_.fail("has a description that no picture has: it is damaged");
    }
  }

  std::uint64_t row_bytes(std::int64_t columns) const {
    return (static_cast<std::uint64_t>(columns * samples()) * depth_ + 7) / 8;
  }

  std::span<const Pass> passes() const {
    return interlaced_ ? std::span<const Pass>(kPasses) : std::span<const Pass>(kWhole);
  }

  std::vector<std::byte> decode() const override {
    const std::string missing = missing_codec({Filter::kDeflate, {}});
    if (!missing.empty()) file_.fail("'image' " + missing);
    std::uint64_t packed_bytes = stored_bytes(0), raw_bytes = 0;
    for (const Pass& pass : passes()) {
      const std::int64_t rows = (rows_ - pass.row + pass.rows - 1) / pass.rows;
      const std::int64_t columns = (columns_ - pass.column + pass.columns - 1) / pass.columns;
      if (rows > 0 && columns > 0) raw_bytes += static_cast<std::uint64_t>(rows) * (1 + row_bytes(columns));
    }
    // Deflate packs a thousandfold at best. The pixels themselves are counted too: more of them would not fit the sum.
    if (static_cast<std::uint64_t>(rows_ * columns_) > kMostBytes || raw_bytes > kMostBytes ||
        raw_bytes / 1100 > packed_bytes + 16)
      file_.fail("has far too few bytes for its extents, or too many: it is damaged");
    std::vector<std::byte> packed(packed_bytes), raw(raw_bytes);
    std::size_t done = 0;
    for (const auto& [place, bytes] : pieces_) {
      file_.read(place, packed.data() + done, bytes);
      done += bytes;
    }
    undo_filters(path_, {{Filter::kDeflate, {}}}, 0, packed, raw);
    const auto element = static_cast<std::size_t>(depth_ == 16 ? 2 : 1);
    std::vector<std::byte> out(static_cast<std::size_t>(rows_ * columns_ * samples_out()) * element);
    std::span<std::byte> left = raw;
    for (const Pass& pass : passes()) {
      const std::int64_t rows = (rows_ - pass.row + pass.rows - 1) / pass.rows;
      const std::int64_t columns = (columns_ - pass.column + pass.columns - 1) / pass.columns;
      if (rows < 1 || columns < 1) continue;
      const std::uint64_t bytes = row_bytes(columns);
      std::vector<std::byte> before(bytes);
      for (std::int64_t row = 0; row < rows; ++row) {
        std::byte* const line = left.data() + 1;
        undo_differences(static_cast<unsigned>(left[0]), line, before.data(), bytes);
        put_row(line, pass, row, columns, out.data());
        std::memcpy(before.data(), line, bytes);
        left = left.subspan(1 + bytes);
      }
    }
    return out;
  }

  void undo_differences(unsigned kind, std::byte* line, const std::byte* above, std::uint64_t bytes) const {
    if (kind > 4) file_.fail("has a row that no picture has: it is damaged");
    const std::uint64_t pixel = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(samples()) * depth_ / 8);
    for (std::uint64_t i = 0; i < bytes && kind != 0; ++i) {
      const int left = i < pixel ? 0 : static_cast<int>(line[i - pixel]);
      const int up = static_cast<int>(above[i]), corner = i < pixel ? 0 : static_cast<int>(above[i - pixel]);
      const int from = kind == 1 ? left : kind == 2 ? up : kind == 3 ? (left + up) / 2 : nearest(left, up, corner);
      line[i] = static_cast<std::byte>(static_cast<int>(line[i]) + from);
    }
  }

  /// Puts a row of a pass where its pixels belong.
  void put_row(const std::byte* line, const Pass& pass, std::int64_t row, std::int64_t columns, std::byte* out) const {
    const std::size_t element = depth_ == 16 ? 2 : 1;
    const std::int64_t many = samples();
    const auto sample_at = [&](std::int64_t i) {
      if (depth_ >= 8) return static_cast<unsigned>(line[i]);
      const auto bit = static_cast<unsigned>(i) * depth_;
      return static_cast<unsigned>(line[bit / 8]) >> (8 - depth_ - bit % 8) & ((1u << depth_) - 1);
    };
    for (std::int64_t column = 0; column < columns; ++column) {
      const std::int64_t pixel = (pass.row + row * pass.rows) * columns_ + pass.column + column * pass.columns;
      std::byte* const to = out + static_cast<std::size_t>(pixel * samples_out()) * element;
      for (std::int64_t i = 0; i < many; ++i) {
        if (depth_ == 16) {
          // The high byte comes first in the file.
          const auto* const from = line + 2 * (column * many + i);
          const auto value =
              static_cast<std::uint16_t>(static_cast<unsigned>(from[0]) << 8 | static_cast<unsigned>(from[1]));
          std::memcpy(to + 2 * i, &value, 2);
          continue;
        }
        const unsigned value = sample_at(column * many + i);
        if (colours_ != kPalette) {
          to[i] = static_cast<std::byte>(value);
          continue;
        }
        for (std::size_t c = 0; c < 3; ++c)
          to[c] = 3 * value + c < palette_.size() ? palette_[3 * value + c] : std::byte{0};
        if (!palette_alpha_.empty()) to[3] = value < palette_alpha_.size() ? palette_alpha_[value] : std::byte{0xff};
      }
    }
  }

  std::int64_t rows_ = 0, columns_ = 0;
  unsigned depth_ = 8, colours_ = 0;
  bool interlaced_ = false;
  std::vector<std::byte> palette_, palette_alpha_;
  /// Places and sizes of the deflated bytes.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> pieces_;
};

bool probe_png(std::span<const std::byte> head) {
  return head.size() >= 8 && std::memcmp(head.data(), kSignature, 8) == 0;
}

std::shared_ptr<const StoredFile> open_png(OpenFile file) { return std::make_shared<PngFile>(std::move(file)); }

}  // namespace

const Format kPng{"PNG", probe_png, nullptr, open_png};

}  // namespace weft::io
