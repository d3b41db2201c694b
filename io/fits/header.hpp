#pragma once

#include <weft/storage.hpp>

#include "io/files/open_file.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// FITS: units of a header of cards of 80 letters and data behind it, both in blocks of 2880 bytes.
namespace weft::io::fits {

inline constexpr std::uint64_t kBlock = 2880;
inline constexpr std::size_t kCard = 80;

/// A line of a header: `NAME = value`.
struct Card {
  enum class Kind : std::uint8_t { Nothing, Text, Integer, Real, Logical };
  std::string name;
  Kind kind = Kind::Nothing;
  std::string text;
  std::int64_t integer = 0;  // of Logical: 1 or 0
  double real = 0;
};

/// The cards of one unit.
/// Owns: them.  Threading: constant after it was read.
class Header {
 public:
  /// Reads the header at `place`. Throws FileError where there is none.
  Header(const OpenFile& file, std::uint64_t place);

  /// Where its data begin, and how long they are, without what fills the last block.
  std::uint64_t data() const { return data_; }
  std::uint64_t data_bytes() const { return data_bytes_; }
  /// Where the next unit would begin.
  std::uint64_t end() const { return end_; }
  const std::vector<Card>& cards() const { return cards_; }

  const Card* find(const std::string& name) const;
  std::string text(const std::string& name) const;
  std::int64_t integer(const std::string& name, std::int64_t otherwise) const;
  double real(const std::string& name, double otherwise) const;
  bool is_true(const std::string& name) const;
  /// The extents that `prefix`1, `prefix`2, ... give, as many as `prefix` says, the last of them first. Throws
  /// FileError where they are none.
  std::vector<std::int64_t> extents(const OpenFile& file, const std::string& prefix) const;
  /// What is not about how the data lie, for people.
  std::vector<Attribute> attributes() const;

 private:
  void read_card(const OpenFile& file, const std::string& line);

  std::vector<Card> cards_;
  std::uint64_t data_ = 0, data_bytes_ = 0, end_ = 0;
};

/// The type of an element of BITPIX bits (below 0: floats). Of kind Other where there is none.
ElementType type_of_bits(std::int64_t bits);
/// Integers that are stored with half of their range taken away are unsigned ones (bytes: signed ones). Turns the type
/// into that, and returns true, where `scale` and `zero` say so.
bool turn_sign(ElementType& type, double scale, double zero);

/// A header for writing: cards, END, and blanks up to a whole block. Throws FileError that names `path` where FITS has
/// no such type.
std::string header_of(const std::string& path, const std::string& type, const std::vector<std::int64_t>& shape,
                      const std::vector<Attribute>& attributes);

}  // namespace weft::io::fits
