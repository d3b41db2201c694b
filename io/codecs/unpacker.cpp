#include "io/codecs/unpacker.hpp"

#include "core/diagnostics/assert.hpp"
#include "io/codecs/filters.hpp"
#include "io/files/open_file.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <cstring>

#if WEFT_HAS_LIBDEFLATE
#include <libdeflate.h>
#endif
#if WEFT_HAS_ZSTD
#include <zstd.h>
#endif

namespace weft::io {
namespace {

constexpr std::size_t kPacked = std::size_t{256} << 10;

}  // namespace

class Unpacker::Kind {
 public:
  Kind(std::string path, Source source) : path_(std::move(path)), source_(std::move(source)) {}
  virtual ~Kind() = default;
  virtual std::size_t read(std::span<std::byte> out) = 0;

 protected:
  [[noreturn]] void damaged(const char* codec) const {
    fail(path_, std::string("its ") + codec + " bytes are damaged, or the file ends too early");
  }
  /// Reads on behind the packed bytes there are; returns false at the end of the file.
  bool more(std::size_t most) {
    packed_.erase(packed_.begin(), packed_.begin() + static_cast<std::ptrdiff_t>(used_));
    used_ = 0;
    const std::size_t before = packed_.size();
    packed_.resize(before + most);
    const std::size_t got = source_(std::span(packed_).subspan(before));
    packed_.resize(before + got);
    return got != 0;
  }

  const std::string path_;
  const Source source_;
  std::vector<std::byte> packed_;
  std::size_t used_ = 0;
};

#if WEFT_HAS_LIBDEFLATE
/// Members are unpacked whole: what unpacks them needs all of a member at once.
class Unpacker::Gzip : public Kind {
 public:
  using Kind::Kind;
  ~Gzip() override { libdeflate_free_decompressor(handle_); }

  std::size_t read(std::span<std::byte> out) override {
    std::size_t written = 0;
    while (written < out.size()) {
      if (given_ == size_ && !next_member()) break;
      const std::size_t count = std::min(out.size() - written, size_ - given_);
      if (count != 0) std::memcpy(out.data() + written, text_.get() + given_, count);
      given_ += count;
      written += count;
    }
    return written;
  }

 private:
  bool next_member() {
    if (handle_ == nullptr) throw MemoryError("no memory for a decompressor");
    given_ = size_ = 0;
    if (used_ == packed_.size() && !more(kPacked)) return false;
    for (;;) {
      std::size_t in = 0, got = 0;
      const libdeflate_result result = libdeflate_gzip_decompress_ex(
          handle_, packed_.data() + used_, packed_.size() - used_, text_.get(), room_, &in, &got);
      if (result == LIBDEFLATE_SUCCESS) {
        used_ += in;
        size_ = got;
        return true;
      }
      if (result == LIBDEFLATE_INSUFFICIENT_SPACE) {
        room_ = std::max({2 * room_, 4 * (packed_.size() - used_), 4 * kPacked});
        text_ = std::make_unique_for_overwrite<std::byte[]>(room_);
      } else if (!more(std::max(kPacked, packed_.size()))) {
        // The whole file may be behind us; zeros that fill up its end are no member.
        if (std::all_of(packed_.begin(), packed_.end(), [](std::byte one) { return one == std::byte{0}; }))
          return false;
        damaged("gzip");
      }
    }
  }

  libdeflate_decompressor* const handle_ = libdeflate_alloc_decompressor();
  std::unique_ptr<std::byte[]> text_;
  std::size_t room_ = 0;
  std::size_t size_ = 0;
  std::size_t given_ = 0;
};
#endif

#if WEFT_HAS_ZSTD
class Unpacker::Zstd : public Kind {
 public:
  using Kind::Kind;
  ~Zstd() override { ZSTD_freeDCtx(handle_); }

  std::size_t read(std::span<std::byte> out) override {
    if (handle_ == nullptr) throw MemoryError("no memory for a decompressor");
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    while (to.pos < to.size) {
      if (used_ == packed_.size() && !more(kPacked)) {
        if (within_frame_) damaged("zstd");
        break;
      }
      ZSTD_inBuffer in{packed_.data(), packed_.size(), used_};
      const std::size_t left = ZSTD_decompressStream(handle_, &to, &in);
      if (ZSTD_isError(left) != 0) damaged("zstd");
      used_ = in.pos;
      within_frame_ = left != 0;
    }
    return to.pos;
  }

 private:
  ZSTD_DCtx* const handle_ = ZSTD_createDCtx();
  bool within_frame_ = false;
};
#endif

Packing packing_of(std::span<const std::byte> first) {
  const auto begins = [&](std::initializer_list<unsigned> bytes) {
    return first.size() >= bytes.size() &&
           std::equal(bytes.begin(), bytes.end(), first.begin(),
                      [](unsigned a, std::byte b) { return a == static_cast<unsigned>(b); });
  };
  if (begins({0x1f, 0x8b, 8})) return Packing::Gzip;
  if (begins({0x28, 0xb5, 0x2f, 0xfd})) return Packing::Zstd;
  return Packing::None;
}

Unpacker::Unpacker(std::string path, Packing packing, Source source) {
  const Filter filter{packing == Packing::Zstd ? Filter::kZstd : Filter::kGzip, {}};
  const std::string missing = missing_codec(filter);
  if (!missing.empty()) fail(path, missing);
#if WEFT_HAS_LIBDEFLATE
  if (packing == Packing::Gzip) kind_ = std::make_unique<Gzip>(std::move(path), std::move(source));
#endif
#if WEFT_HAS_ZSTD
  if (packing == Packing::Zstd) kind_ = std::make_unique<Zstd>(std::move(path), std::move(source));
#endif
  WEFT_ASSERT(kind_ != nullptr, "only packed files are unpacked");
}

Unpacker::~Unpacker() = default;

std::size_t Unpacker::read(std::span<std::byte> out) { return kind_->read(out); }

}  // namespace weft::io
