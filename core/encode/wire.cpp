#include <weft/wire.hpp>

#include <weft/encode.hpp>
#include <weft/error.hpp>

#include <fmt/format.h>

#include <cfloat>
#include <cstdlib>
#include <new>

namespace weft {

Writer::~Writer() { std::free(data_); }

void Writer::grow(std::size_t more) {
  constexpr std::size_t kFirstBytes = 256;
  if (more > SIZE_MAX / 4 - size_) throw std::bad_alloc();
  std::size_t wanted = capacity_ < kFirstBytes ? kFirstBytes : capacity_ + capacity_ / 2;
  if (wanted < size_ + more) wanted = size_ + more;
  // realloc moves large blocks by remapping their pages, without a copy.
  void* const grown = std::realloc(data_, wanted);
  if (grown == nullptr) throw std::bad_alloc();
  data_ = static_cast<std::byte*>(grown);
  capacity_ = wanted;
}

void Reader::damaged(std::string_view type, std::string_view what) const {
  throw Error(
      fmt::format("damaged bytes at offset {} of {} while reading {}: {}; they were not written as this type "
                  "by this program, or were changed since",
                  offset_, size_, type, what));
}

void Reader::too_short(std::string_view type, std::size_t needed) const {
  damaged(type, fmt::format("{} bytes are needed and {} are left", needed, remaining()));
}

void Reader::too_many(std::string_view type, std::uint64_t count) const {
  damaged(type, fmt::format("{} elements do not fit in the {} bytes that are left", count, remaining()));
}

namespace detail {

void nested_too_deep(std::string_view type) {
  throw Error(
      fmt::format("a value of {} is nested in itself more than {} levels deep: keep long chains in a "
                  "std::vector to send them",
                  type, kMostLevels));
}

void must_stay(std::string_view type) {
  throw Error(
      fmt::format("a {} cannot leave its process: it is declared weft::local_only; make it inside the task "
                  "that uses it, or send what it is made from",
                  type));
}

void write_long_double(Writer& writer, long double value) {
  // The x87 format leaves six bytes of the sixteen unused, and whatever was in memory there.
  constexpr std::size_t kUsed = LDBL_MANT_DIG == 64 ? 10 : sizeof(long double);
  std::byte* const place = writer.append(sizeof value);
  std::memset(place, 0, sizeof value);
  std::memcpy(place, &value, kUsed);
}

}  // namespace detail
}  // namespace weft
