// Deflated bytes with nothing around them.
#include "io/codecs/packers.hpp"
#include "io/files/open_file.hpp"

#include <weft/error.hpp>

#include <algorithm>

#if WEFT_HAS_LIBDEFLATE
#include <libdeflate.h>
#endif

namespace weft::io {

#if WEFT_HAS_LIBDEFLATE
namespace {

libdeflate_result inflate_some(std::span<const std::byte> from, std::span<std::byte> out, std::size_t& got) {
  struct Inflater {
    libdeflate_decompressor* handle = libdeflate_alloc_decompressor();
    ~Inflater() { libdeflate_free_decompressor(handle); }
  };
  thread_local Inflater inflater;
  if (inflater.handle == nullptr) throw MemoryError("no memory for a decompressor");
  return libdeflate_deflate_decompress(inflater.handle, from.data(), from.size(), out.data(), out.size(), &got);
}

}  // namespace

void inflate_raw(const std::string& path, std::span<const std::byte> from, std::span<std::byte> out) {
  std::size_t got = 0;
  if (inflate_some(from, out, got) != LIBDEFLATE_SUCCESS || got != out.size()) fail(path, "deflated bytes are damaged");
}

std::vector<std::byte> inflate_raw_all(const std::string& path, std::span<const std::byte> from, std::size_t most) {
  std::vector<std::byte> out(std::min(most, 4 * from.size() + 1024));
  for (;;) {
    std::size_t got = 0;
    const libdeflate_result result = inflate_some(from, out, got);
    if (result == LIBDEFLATE_SUCCESS) {
      out.resize(got);
      return out;
    }
    if (result != LIBDEFLATE_INSUFFICIENT_SPACE || out.size() == most) fail(path, "deflated bytes are damaged");
    out.resize(std::min(most, 4 * out.size()));
  }
}

void inflate_start(std::span<const std::byte> from, std::span<std::byte> out) {
  // It writes as it goes: where the input or the room ends early, what came before is there.
  std::size_t got = 0;
  static_cast<void>(inflate_some(from, out, got));
}

std::vector<std::byte> deflate_raw(const std::string&, std::span<const std::byte> from, int level) {
  struct Deflater {
    libdeflate_compressor* handle;
    ~Deflater() { libdeflate_free_compressor(handle); }
  } deflater{libdeflate_alloc_compressor(level)};
  if (deflater.handle == nullptr) throw MemoryError("no memory for a compressor");
  std::vector<std::byte> out(libdeflate_deflate_compress_bound(deflater.handle, from.size()));
  out.resize(libdeflate_deflate_compress(deflater.handle, from.data(), from.size(), out.data(), out.size()));
  return out;
}
#else
void inflate_raw(const std::string& path, std::span<const std::byte>, std::span<std::byte>) {
  fail(path, missing_codec({Filter::kDeflate, {}}));
}

std::vector<std::byte> inflate_raw_all(const std::string& path, std::span<const std::byte>, std::size_t) {
  fail(path, missing_codec({Filter::kDeflate, {}}));
}

void inflate_start(std::span<const std::byte>, std::span<std::byte>) {}

std::vector<std::byte> deflate_raw(const std::string& path, std::span<const std::byte>, int) {
  fail(path, "cannot be deflated: this build of weft lacks libdeflate; install libdeflate-dev and build again");
}
#endif

}  // namespace weft::io
