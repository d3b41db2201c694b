#include "frames/files/parquet/footer.hpp"

namespace weft::frames::parquet {
namespace {

// Numbers of Parquet's format: of logical types, and of the older converted ones.
enum Logical : std::int32_t {
  kString = 1,
  kEnum = 4,
  kDecimal = 5,
  kDate = 6,
  kTime = 7,
  kTimestamp = 8,
  kInteger = 10,
  kUnknown = 11,
  kHalf = 15
};
enum Converted : std::int32_t {
  kOldDecimal = 5,
  kOldDate = 6,
  kTimeMillis = 7,
  kTimeMicros = 8,
  kTimestampMillis = 9,
  kTimestampMicros = 10,
  kUint8 = 11,
  kUint32 = 13,
  kUint64 = 14,
  kInterval = 21
};

/// Puts what old writers said into the newer words.
Annotation renewed(Annotation said) {
  if (said.logical != 0) return said;
  switch (said.converted) {
    case kOldDecimal:
      said.logical = kDecimal;
      break;
    case kOldDate:
      said.logical = kDate;
      break;
    case kTimeMillis:
    case kTimestampMillis:
      said.unit = 1;
      said.logical = said.converted == kTimeMillis ? kTime : kTimestamp;
      break;
    case kTimeMicros:
    case kTimestampMicros:
      said.unit = 2;
      said.logical = said.converted == kTimeMicros ? kTime : kTimestamp;
      break;
    case kUint32:
    case kUint64:
      said.logical = kInteger;
      said.is_signed = false;
      said.bits = said.converted == kUint32 ? 32 : 64;
      break;
    default:
      break;
  }
  return said;
}

Meaning in_unit(std::int32_t unit) { return unit == 1 ? Meaning::Millis : unit == 2 ? Meaning::Micros : Meaning::Same; }

void understand_integer(const std::string& path, Leaf& leaf, const Annotation& said) {
  const bool wide = leaf.physical == Physical::Int64;
  leaf.type = wide ? ColumnType::Int64 : ColumnType::Int32;
  leaf.signed_order = true;
  if (said.logical == kInteger && !said.is_signed) {
    leaf.signed_order = false;
    if (wide) leaf.meaning = Meaning::Unsigned64;
    if (!wide && said.bits >= 32) {
      leaf.meaning = Meaning::Unsigned32;
      leaf.type = ColumnType::Int64;
    }
  } else if (said.logical == kDecimal) {
    leaf.meaning = Meaning::Decimal;
    leaf.type = ColumnType::Float64;
  } else if (said.logical == kDate && !wide) {
    leaf.meaning = Meaning::Days;
    leaf.type = ColumnType::Timestamp;
  } else if (said.logical == kTimestamp || said.logical == kTime) {
    // A time of the day: its nanoseconds since midnight.
    if (said.unit < 1 || said.unit > 3) io::fail(path, "column '" + leaf.name + "' has a unit of time that is none");
    leaf.meaning = in_unit(said.unit);
    leaf.type = said.logical == kTimestamp && wide ? ColumnType::Timestamp : ColumnType::Int64;
    if (!wide && leaf.meaning == Meaning::Same) leaf.type = ColumnType::Int32;
  }
}

}  // namespace

void understand(const std::string& path, Leaf& leaf, const Annotation& stored) {
  const Annotation said = renewed(stored);
  if (leaf.scale < 0 || leaf.scale > 300) io::fail(path, "column '" + leaf.name + "' has a scale that is none");
  if (leaf.physical == Physical::FixedBytes && (leaf.width <= 0 || leaf.width > (1 << 24)))
    io::fail(path,
             "column '" + leaf.name + "' has values of " + std::to_string(leaf.width) + " bytes: the file is damaged");
  switch (leaf.physical) {
    case Physical::Boolean:
      leaf.type = ColumnType::Bool;
      leaf.signed_order = true;
      break;
    case Physical::Int32:
    case Physical::Int64:
      understand_integer(path, leaf, said);
      break;
    case Physical::Int96:
      leaf.type = ColumnType::Timestamp;
      leaf.meaning = Meaning::Int96;
      leaf.ordered = false;
      break;
    case Physical::Float:
    case Physical::Double:
      leaf.type = leaf.physical == Physical::Float ? ColumnType::Float32 : ColumnType::Float64;
      leaf.signed_order = true;
      break;
    case Physical::ByteArray:
    case Physical::FixedBytes:
      leaf.type = ColumnType::String;
      if (said.logical == kDecimal) {
        leaf.meaning = Meaning::Decimal;
        leaf.type = ColumnType::Float64;
        leaf.ordered = false;
      } else if (said.logical == kHalf && leaf.width == 2) {
        leaf.meaning = Meaning::Half;
        leaf.type = ColumnType::Float32;
        leaf.ordered = false;
      } else if (said.converted == kInterval) {
        leaf.ordered = false;
      }
      break;
  }
  if (said.logical == kUnknown) {
    // Nothing but missing values, as of strings none of which was there.
    leaf.type = ColumnType::String;
    leaf.meaning = Meaning::NoValue;
    leaf.ordered = false;
  }
}

}  // namespace weft::frames::parquet
