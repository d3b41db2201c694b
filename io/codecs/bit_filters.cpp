// The filters nbit and scaleoffset. Both keep values as a stream of bits, the highest bit of each first.
#include "io/codecs/bit_filters.hpp"

#include "io/files/open_file.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

namespace weft::io {
namespace {

[[noreturn]] void damaged(const std::string& path, const char* filter) {
  fail(path, std::string("a chunk's ") + filter + " bytes are damaged");
}

/// Takes numbers of up to 64 bits from a stream, its end included.
class Bits {
 public:
  explicit Bits(std::span<const std::byte> from) : from_(from) {}

  bool has(std::uint64_t bits) const { return bits <= 8 * std::uint64_t{from_.size()} - at_; }

  std::uint64_t take(unsigned count) {
    std::uint64_t value = 0;
    while (count > 0) {
      const unsigned used = at_ % 8, some = std::min(8 - used, count);
      const auto byte = static_cast<unsigned>(from_[at_ / 8]);
      value = value << some | (byte >> (8 - used - some) & ((1u << some) - 1));
      at_ += some;
      count -= some;
    }
    return value;
  }

 private:
  std::span<const std::byte> from_;
  std::uint64_t at_ = 0;
};

void put(std::uint64_t value, std::byte* out, unsigned bytes, bool big_endian) {
  for (unsigned i = 0; i < bytes; ++i)
    out[big_endian ? bytes - 1 - i : i] = static_cast<std::byte>(value >> 8 * i & 0xff);
}

/// The description of the elements that nbit's values are: atoms, arrays and compounds of them.
class NbitDecoder {
 public:
  NbitDecoder(const std::string& path, const std::vector<std::uint32_t>& values, std::span<const std::byte> from)
      : path_(path), values_(values), bits_(from) {}

  void run(std::span<std::byte> out) {
    const std::uint32_t elements = at(2);
    if (elements == 0 || out.size() % elements != 0) damaged(path_, "nbit");
    const std::size_t each = out.size() / elements;
    std::fill(out.begin(), out.end(), std::byte{0});
    for (std::size_t place = 0; place < out.size(); place += each) {
      std::size_t next = 3;
      element(next, out.subspan(place, each), 0);
    }
  }

 private:
  enum Class : std::uint32_t { Atom = 1, Array = 2, Compound = 3, AsItIs = 4 };

  std::uint32_t at(std::size_t place) const {
    if (place >= values_.size()) damaged(path_, "nbit");
    return values_[place];
  }

  /// Decodes what is described from `next` on, and moves it behind.
  void element(std::size_t& next, std::span<std::byte> out, int depth) {
    if (depth > 16) damaged(path_, "nbit");
    const std::uint32_t kind = at(next), bytes = at(next + 1);
    if (bytes == 0 || bytes > out.size()) damaged(path_, "nbit");
    next += 2;
    switch (kind) {
      case Atom:
        atom(next, out.first(bytes));
        break;
      case Array: {
        const std::uint32_t of = at(next) == AsItIs ? bytes : at(next + 1);
        if (of == 0) damaged(path_, "nbit");
        const std::size_t begin = next;
        for (std::size_t place = 0; place + of <= bytes; place += of) {
          next = begin;
          element(next, out.subspan(place, of), depth + 1);
        }
        break;
      }
      case Compound: {
        const std::uint32_t members = at(next++);
        for (std::uint32_t i = 0; i < members; ++i) {
          const std::uint32_t place = at(next++);
          if (place > bytes) damaged(path_, "nbit");
          element(next, out.subspan(place, bytes - place), depth + 1);
        }
        break;
      }
      case AsItIs:
        if (!bits_.has(8ull * bytes)) damaged(path_, "nbit");
        for (std::size_t i = 0; i < bytes; ++i) out[i] = static_cast<std::byte>(bits_.take(8));
        break;
      default:
        damaged(path_, "nbit");
    }
  }

  void atom(std::size_t& next, std::span<std::byte> out) {
    const bool big_endian = at(next) == 1;
    const std::uint32_t precision = at(next + 1), offset = at(next + 2);
    next += 3;
    if (out.size() > 8 || precision == 0 || precision > 8 * out.size() || offset > 8 * out.size() - precision ||
        !bits_.has(precision)) {
      damaged(path_, "nbit");
    }
    put(bits_.take(precision) << offset, out.data(), static_cast<unsigned>(out.size()), big_endian);
  }

  const std::string& path_;
  const std::vector<std::uint32_t>& values_;
  Bits bits_;
};

/// What a chunk of scaleoffset says before its bits.
struct Scaled {
  unsigned bits = 0;
  std::uint64_t least = 0;
  bool has_fill = false;
  std::uint64_t fill = 0;
  double decimals = 0;
};

template <class T>
T from_bits(std::uint64_t bits) {
  T value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// A float: so many decimal steps above the least one, computed in its own type.
template <class T>
std::uint64_t real(const Scaled& how, T scale, std::uint64_t value) {
  using Whole = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  const T sum = static_cast<T>(static_cast<Whole>(value)) / scale + from_bits<T>(how.least);
  std::uint64_t bits = 0;
  std::memcpy(&bits, &sum, sizeof sum);
  return bits;
}

}  // namespace

void unpack_nbit(const std::string& path, const Filter& filter, std::span<const std::byte> from,
                 std::span<std::byte> out) {
  if (filter.values.size() < 5) damaged(path, "nbit");
  if (filter.values[1] != 0) {
    // All bits matter: nothing was packed.
    if (from.size() != out.size()) damaged(path, "nbit");
    std::copy(from.begin(), from.end(), out.begin());
    return;
  }
  NbitDecoder(path, filter.values, from).run(out);
}

void unpack_scaleoffset(const std::string& path, const Filter& filter, std::span<const std::byte> from,
                        std::span<std::byte> out) {
  constexpr std::size_t kHead = 21;
  const std::vector<std::uint32_t>& values = filter.values;
  if (values.size() < 8 || from.size() < 5) damaged(path, "scaleoffset");
  const bool is_float = values[3] == 1;
  const unsigned bytes = values[4];
  const bool big_endian = values[6] == 1;
  const bool known = is_float ? bytes == 4 || bytes == 8 : bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
  if (!known || out.size() % bytes != 0) damaged(path, "scaleoffset");
  if (is_float && values[0] != 0) fail(path, "a variable is packed by scaleoffset's E-scaling, which nobody writes");
  const std::size_t count = out.size() / bytes;
  Scaled how;
  how.bits = static_cast<unsigned>(Bits(from).take(8)) | static_cast<unsigned>(from[1]) << 8;
  if (from[2] != std::byte{0} || from[3] != std::byte{0} || how.bits > 8 * bytes) damaged(path, "scaleoffset");
  const auto least_bytes = std::min<std::size_t>(8, static_cast<std::size_t>(from[4]));
  if (from.size() < 5 + least_bytes) damaged(path, "scaleoffset");
  for (std::size_t i = least_bytes; i-- > 0;) how.least = how.least << 8 | static_cast<std::uint64_t>(from[5 + i]);
  const std::span<const std::byte> packed = from.subspan(std::min(kHead, from.size()));
  Bits stream(packed);
  if (!stream.has(std::uint64_t{how.bits} * count)) damaged(path, "scaleoffset");
  how.has_fill = values[7] == 1;
  for (std::size_t i = 0; i < 2 && 8 + i < values.size(); ++i) how.fill |= std::uint64_t{values[8 + i]} << 32 * i;
  how.decimals = static_cast<double>(static_cast<std::int32_t>(values[1]));
  const std::uint64_t none = how.bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << how.bits) - 1;
  const bool as_is = how.bits == 8 * bytes;
  const float scale4 = std::pow(10.0f, static_cast<float>(how.decimals));
  const double scale8 = std::pow(10.0, how.decimals);
  for (std::size_t i = 0; i < count; ++i) {
    std::uint64_t value = 0;
    if (as_is) {
      // Whole values lie as in the memory of who wrote them.
      std::memcpy(&value, packed.data() + i * bytes, bytes);
    } else {
      value = stream.take(how.bits);
      if (how.has_fill && value == none) {
        value = how.fill;
      } else if (is_float) {
        value = bytes == 4 ? real(how, scale4, value) : real(how, scale8, value);
      } else {
        value += how.least;
      }
    }
    put(value, out.data() + i * bytes, bytes, big_endian);
  }
}

}  // namespace weft::io
