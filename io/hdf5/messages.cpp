// What the messages of an object's header say: extents, types, filters, layouts.
#include "io/hdf5/structure.hpp"

#include <cmath>
#include <cstring>
#include <limits>

namespace weft::io::hdf5 {

std::int64_t Dataspace::elements() const {
  if (null) return 0;
  std::int64_t count = 1;
  for (const std::int64_t extent : extents) {
    if (__builtin_mul_overflow(count, extent, &count)) return std::numeric_limits<std::int64_t>::max();
  }
  return count;
}

Dataspace parse_dataspace(const Source& source, Cursor cursor) {
  Dataspace space;
  const unsigned version = cursor.u8();
  const unsigned rank = cursor.u8();
  const unsigned flags = cursor.u8();
  if (version == 1) {
    cursor.skip(5);
  } else if (version == 2) {
    space.null = cursor.u8() == 2;
  } else {
    source.unknown("has a dataspace of version " + std::to_string(version));
  }
  if (rank > 32) source.damaged("a variable has more than 32 axes");
  const auto extents = [&](std::vector<std::int64_t>& out, bool unlimited) {
    for (unsigned axis = 0; axis < rank; ++axis) {
      const std::uint64_t value = source.length(cursor);
      const std::uint64_t all =
          source.length_bytes >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << 8 * source.length_bytes) - 1;
      if (unlimited && value == all) {
        out.push_back(-1);
      } else if (value > std::uint64_t{1} << 62) {
        source.damaged("a variable has an impossible extent");
      } else {
        out.push_back(static_cast<std::int64_t>(value));
      }
    }
  };
  extents(space.extents, false);
  if ((flags & 1) != 0) {
    extents(space.most, true);
  } else {
    space.most = space.extents;
  }
  return space;
}

namespace {

std::string plain_name(const char* kind, std::uint32_t bytes) { return kind + std::to_string(8 * bytes); }

/// Whether a float is laid out as this machine's are.
bool is_ieee(std::uint32_t bytes, unsigned precision, unsigned offset, unsigned exponent_at, unsigned exponent_bits,
             unsigned mantissa_at, unsigned mantissa_bits, std::uint32_t bias) {
  if (offset != 0 || mantissa_at != 0 || precision != 8 * bytes || exponent_at != mantissa_bits) return false;
  if (bytes == 2) return exponent_bits == 5 && mantissa_bits == 10 && bias == 15;
  if (bytes == 4) return exponent_bits == 8 && mantissa_bits == 23 && bias == 127;
  return bytes == 8 && exponent_bits == 11 && mantissa_bits == 52 && bias == 1023;
}

struct Header {
  unsigned version;
  std::uint32_t bits;
  std::uint32_t bytes;
};

void parse_compound(const Source& source, Cursor& cursor, const Header& header, int depth, Datatype& type) {
  type.element.name = "compound {";
  const unsigned members = header.bits & 0xffff;
  bool complex = members == 2;
  for (unsigned i = 0; i < members; ++i) {
    const std::uint64_t begin = cursor.place();
    const std::string name = cursor.zero_ended();
    if (header.version < 3) {
      const std::uint64_t over = (cursor.place() - begin) % 8;
      if (over != 0) cursor.skip(8 - over);
    }
    const std::uint64_t offset = cursor.number(header.version < 3 ? 4 : bytes_for(header.bytes));
    if (header.version == 1) cursor.skip(1 + 3 + 4 + 4 + 16);
    Datatype member = parse_datatype(source, cursor, depth + 1);
    type.element.name += (i == 0 ? "" : ", ") + name + ": " + member.element.name;
    complex = complex && !member.field && member.element.kind == ElementKind::Float && name == (i == 0 ? "r" : "i") &&
              offset == i * member.element.bytes && header.bytes == 2 * member.element.bytes &&
              member.element.bytes >= 4;
    if (complex) type.element.swapped = member.element.swapped;
    if (offset > header.bytes || member.element.bytes > header.bytes - offset)
      source.damaged("a member of a compound lies beyond its end");
    type.base.push_back(std::move(member));
    type.names.push_back(name);
    type.places.push_back(offset);
  }
  type.element.name += "}";
  type.element.swapped = type.element.swapped && complex;
  if (complex) {
    type.element.kind = ElementKind::Complex;
    type.element.name = plain_name("complex", header.bytes);
  }
}

void parse_enumeration(const Source& source, Cursor& cursor, const Header& header, int depth, Datatype& type) {
  const Datatype base = parse_datatype(source, cursor, depth + 1);
  const unsigned members = header.bits & 0xffff;
  std::vector<std::string> names;
  for (unsigned i = 0; i < members; ++i) {
    const std::uint64_t begin = cursor.place();
    names.push_back(cursor.zero_ended());
    if (header.version < 3) {
      const std::uint64_t over = (cursor.place() - begin) % 8;
      if (over != 0) cursor.skip(8 - over);
    }
  }
  cursor.skip(static_cast<std::uint64_t>(members) * base.element.bytes);
  type.element = base.element;
  type.field = base.field;
  if (members == 2 && base.element.bytes == 1 && names[0] == "FALSE" && names[1] == "TRUE") {
    type.element.kind = ElementKind::Boolean;
    type.element.name = "bool";
  } else {
    type.element.name = "enum " + base.element.name;
  }
}

void parse_array(const Source& source, Cursor& cursor, const Header& header, int depth, Datatype& type) {
  const unsigned rank = cursor.u8();
  if (header.version < 3) cursor.skip(3);
  std::string extents;
  for (unsigned axis = 0; axis < rank; ++axis) {
    type.extents.push_back(cursor.u32());
    extents += (axis == 0 ? "" : ", ") + std::to_string(type.extents.back());
  }
  if (header.version < 3) cursor.skip(4ull * rank);
  type.base.push_back(parse_datatype(source, cursor, depth + 1));
  std::uint64_t bytes = type.base[0].element.bytes;
  for (const std::int64_t extent : type.extents) {
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(extent), &bytes)) bytes = 0;
  }
  if (bytes != header.bytes) source.damaged("a type is an array of another size than its elements take");
  type.element.name = "array (" + extents + ") of " + type.base[0].element.name;
}

}  // namespace

Datatype parse_datatype(const Source& source, Cursor& cursor, int depth) {
  using Class = Datatype::Class;
  if (depth > 16) source.damaged("a type contains itself");
  Datatype type;
  const unsigned first = cursor.u8();
  Header header{first >> 4, static_cast<std::uint32_t>(cursor.number(3)), cursor.u32()};
  type.kind = static_cast<Class>(first & 15);
  type.element.bytes = header.bytes;
  if (header.bytes == 0 && type.kind != Class::Text) source.damaged("a type has elements of no bytes");
  const bool big = (header.bits & 1) != 0;
  switch (type.kind) {
    case Class::Integer:
    case Class::Bits: {
      const unsigned offset = cursor.u16(), precision = cursor.u16();
      const bool is_signed = (header.bits & 8) != 0 && type.kind == Class::Integer;
      type.element.swapped = big && header.bytes > 1;
      type.element.name = plain_name(is_signed ? "int" : "uint", header.bytes);
      const bool whole = header.bytes == 1 || header.bytes == 2 || header.bytes == 4 || header.bytes == 8;
      const bool full = offset == 0 && precision == 8 * header.bytes;
      const bool inside = precision > 0 && precision <= 8 * header.bytes && offset <= 8 * header.bytes - precision;
      if (whole && (full || (inside && type.kind == Class::Integer))) {
        type.element.kind = is_signed ? ElementKind::Integer : ElementKind::Unsigned;
        if (!full) type.field = Datatype::Field{.offset = offset, .precision = precision};
      } else {
        type.element.name += " of " + std::to_string(precision) + " bits";
      }
      break;
    }
    case Class::Float: {
      const unsigned offset = cursor.u16(), precision = cursor.u16();
      const unsigned exponent_at = cursor.u8(), exponent_bits = cursor.u8();
      const unsigned mantissa_at = cursor.u8(), mantissa_bits = cursor.u8();
      const std::uint32_t bias = cursor.u32();
      type.element.swapped = big;
      type.element.name = plain_name("float", header.bytes);
      if ((header.bits & 0x40) == 0 &&
          is_ieee(header.bytes, precision, offset, exponent_at, exponent_bits, mantissa_at, mantissa_bits, bias)) {
        type.element.kind = ElementKind::Float;
      } else {
        type.element.name += " of another layout";
        const unsigned sign = header.bits >> 8 & 0xff, all = 8 * header.bytes;
        const bool inside = exponent_bits > 0 && exponent_bits < 12 && mantissa_bits > 0 && mantissa_bits < 53 &&
                            sign < all && exponent_at + exponent_bits <= all && mantissa_at + mantissa_bits <= all;
        const unsigned first_bit = header.bits >> 4 & 3;
        if ((header.bytes == 4 || header.bytes == 8) && inside && (header.bits & 0x40) == 0 &&
            (first_bit == 0 || first_bit == 2)) {
          type.element.kind = ElementKind::Float;
          type.element.name = plain_name("float", header.bytes);
          type.field = Datatype::Field{offset,      precision,     sign, exponent_at,   exponent_bits,
                                       mantissa_at, mantissa_bits, bias, first_bit == 2};
        }
      }
      break;
    }
    case Class::Time:
      cursor.skip(2);
      type.element.name = "time";
      break;
    case Class::Text:
      type.element.kind = ElementKind::Text;
      type.element.name = "text of " + std::to_string(header.bytes) + " bytes";
      type.space_padded = (header.bits & 15) == 2;
      break;
    case Class::Opaque:
      cursor.skip(header.bits & 0xff);
      type.element.name = "opaque, " + std::to_string(header.bytes) + " bytes";
      break;
    case Class::Compound:
      parse_compound(source, cursor, header, depth, type);
      break;
    case Class::Reference:
      type.element.name = "reference";
      break;
    case Class::Enumeration:
      parse_enumeration(source, cursor, header, depth, type);
      break;
    case Class::List:
      type.strings = (header.bits & 15) == 1;
      type.base.push_back(parse_datatype(source, cursor, depth + 1));
      type.element.kind = type.strings ? ElementKind::VariableText : ElementKind::Other;
      type.element.name = type.strings ? "string" : "list of " + type.base[0].element.name;
      break;
    case Class::Array:
      parse_array(source, cursor, header, depth, type);
      break;
    case Class::Complex:
      type.base.push_back(parse_datatype(source, cursor, depth + 1));
      if (type.base[0].element.kind == ElementKind::Float && !type.base[0].field && type.base[0].element.bytes >= 4 &&
          header.bytes == 2 * type.base[0].element.bytes) {
        type.element.kind = ElementKind::Complex;
        type.element.swapped = type.base[0].element.swapped;
      }
      type.element.name = plain_name("complex", header.bytes);
      break;
    default:
      source.unknown("has a type of class " + std::to_string(first & 15));
  }
  return type;
}

namespace {

std::uint64_t bits_of(std::uint64_t value, unsigned place, unsigned count) {
  return place >= 64 ? 0 : value >> place & (count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1);
}

double float_of(const Datatype::Field& field, std::uint64_t value) {
  const std::uint64_t exponent = bits_of(value, field.exponent, field.exponent_bits);
  const std::uint64_t mantissa = bits_of(value, field.mantissa, field.mantissa_bits);
  const double sign = bits_of(value, field.sign, 1) != 0 ? -1 : 1;
  if (exponent == (std::uint64_t{1} << field.exponent_bits) - 1) {
    return mantissa == 0 ? sign * std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  }
  double fraction = std::ldexp(static_cast<double>(mantissa), -static_cast<int>(field.mantissa_bits));
  int power = static_cast<int>(exponent) - static_cast<int>(field.bias);
  if (field.implied_one && exponent == 0) ++power;
  if (field.implied_one && exponent != 0) fraction += 1;
  return sign * std::ldexp(fraction, power);
}

}  // namespace

void straighten(const Datatype& type, std::byte* data, const std::vector<std::int64_t>& strides,
                const std::vector<std::int64_t>& extent) {
  if (!type.field) return;
  const Datatype::Field& field = *type.field;
  const std::uint32_t bytes = type.element.bytes;
  const auto one = [&](std::byte* at) {
    std::uint64_t value = 0;
    std::memcpy(&value, at, bytes);
    if (type.element.kind == ElementKind::Float) {
      const double wide = float_of(field, value);
      const auto narrow = static_cast<float>(wide);
      std::memcpy(at, bytes == 4 ? static_cast<const void*>(&narrow) : &wide, bytes);
      return;
    }
    value = bits_of(value, field.offset, field.precision);
    const bool negative = type.element.kind == ElementKind::Integer && bits_of(value, field.precision - 1, 1) != 0;
    if (negative && field.precision < 64) value |= ~std::uint64_t{0} << field.precision;
    std::memcpy(at, &value, bytes);
  };
  const auto axis = [&](const auto& self, std::byte* at, std::size_t number) -> void {
    if (number == extent.size()) return one(at);
    for (std::int64_t i = 0; i < extent[number]; ++i) self(self, at + i * strides[number], number + 1);
  };
  axis(axis, data, 0);
}

std::vector<Filter> parse_filters(const Source& source, Cursor cursor) {
  const unsigned version = cursor.u8();
  const unsigned count = cursor.u8();
  if (version != 1 && version != 2) source.unknown("has filters of version " + std::to_string(version));
  if (version == 1) cursor.skip(6);
  std::vector<Filter> filters(count);
  for (Filter& filter : filters) {
    filter.id = cursor.u16();
    const std::uint64_t name_bytes = version == 1 || filter.id >= 256 ? cursor.u16() : 0;
    cursor.skip(2);
    const unsigned values = cursor.u16();
    cursor.skip(version == 1 ? (name_bytes + 7) / 8 * 8 : name_bytes);
    for (unsigned i = 0; i < values; ++i) filter.values.push_back(cursor.u32());
    if (version == 1 && values % 2 != 0) cursor.skip(4);
  }
  return filters;
}

namespace {

void parse_chunked4(const Source& source, Cursor& cursor, unsigned version, Layout& layout) {
  const unsigned flags = cursor.u8();
  const unsigned dimensions = cursor.u8();
  const unsigned bytes = cursor.u8();
  if (bytes == 0 || bytes > 8 || dimensions == 0) source.damaged("a layout has extents of an odd size");
  for (unsigned axis = 0; axis < dimensions; ++axis) {
    layout.chunk.push_back(static_cast<std::int64_t>(cursor.number(bytes) & ~(std::uint64_t{1} << 63)));
  }
  layout.plain_edges = (flags & 1) != 0;
  switch (cursor.u8()) {
    case 1:
      layout.index = Layout::Index::Single;
      layout.single_filtered = (flags & 2) != 0;
      if (layout.single_filtered) {
        layout.single_bytes = version >= 5 ? cursor.u64() : source.length(cursor);
        layout.single_skipped = cursor.u32();
      }
      break;
    case 2:
      layout.index = Layout::Index::Implicit;
      break;
    case 3:
      layout.index = Layout::Index::FixedArray;
      cursor.skip(1);
      break;
    case 4:
      layout.index = Layout::Index::ExtensibleArray;
      cursor.skip(5);
      break;
    case 5:
      layout.index = Layout::Index::Tree2;
      cursor.skip(6);
      break;
    default:
      source.unknown("has a chunk index of an unknown kind");
  }
  layout.address = source.address(cursor);
}

void parse_layout_old(const Source& source, Cursor& cursor, Layout& layout) {
  const unsigned dimensions = cursor.u8();
  const unsigned kind = cursor.u8();
  cursor.skip(5);
  if (kind != 0) layout.address = source.address(cursor);
  for (unsigned axis = 0; axis < dimensions; ++axis) layout.chunk.push_back(cursor.u32());
  if (kind == 0) {
    layout.kind = Layout::Kind::Compact;
    const std::uint32_t bytes = cursor.u32();
    const std::byte* const data = cursor.take(bytes);
    layout.compact.assign(data, data + bytes);
  } else if (kind == 1) {
    layout.kind = Layout::Kind::Contiguous;
    layout.bytes = ~std::uint64_t{0};
  } else if (kind == 2) {
    layout.kind = Layout::Kind::Chunked;
  } else {
    source.damaged("a layout is of an unknown kind");
  }
}

}  // namespace

Layout parse_layout(const Source& source, Cursor cursor, std::size_t rank) {
  Layout layout;
  const unsigned version = cursor.u8();
  if (version == 1 || version == 2) {
    parse_layout_old(source, cursor, layout);
  } else if (version >= 3 && version <= 5) {
    const unsigned kind = cursor.u8();
    if (kind == 0) {
      layout.kind = Layout::Kind::Compact;
      const std::uint16_t bytes = cursor.u16();
      const std::byte* const data = cursor.take(bytes);
      layout.compact.assign(data, data + bytes);
    } else if (kind == 1) {
      layout.kind = Layout::Kind::Contiguous;
      layout.address = source.address(cursor);
      layout.bytes = source.length(cursor);
    } else if (kind == 2) {
      layout.kind = Layout::Kind::Chunked;
      if (version == 3) {
        const unsigned dimensions = cursor.u8();
        layout.address = source.address(cursor);
        for (unsigned axis = 0; axis < dimensions; ++axis) layout.chunk.push_back(cursor.u32());
      } else {
        parse_chunked4(source, cursor, version, layout);
      }
    } else if (kind == 3) {
      layout.kind = Layout::Kind::Virtual;
      layout.address = source.address(cursor);
      layout.heap_index = cursor.u32();
    } else {
      layout.other = "has a layout of an unknown kind";
    }
  } else {
    source.unknown("has a layout of version " + std::to_string(version));
  }
  if (layout.kind == Layout::Kind::Chunked) {
    // The last extent is the element's.
    if (layout.chunk.size() != rank + 1) source.damaged("a variable's chunks have another rank than the variable");
    layout.chunk.pop_back();
    for (const std::int64_t extent : layout.chunk) {
      if (extent <= 0) source.damaged("a variable has chunks without elements");
    }
  }
  return layout;
}

}  // namespace weft::io::hdf5
