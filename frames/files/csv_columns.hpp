#pragma once

#include "frames/files/csv_scan.hpp"

#include <weft/table.hpp>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weft::frames {

/// Which fields stand for a missing value.
class MissingWords {
 public:
  explicit MissingWords(const std::vector<std::string>& words);
  bool has(std::string_view field) const {
    if (field.empty()) return empty_;
    return field.size() <= longest_ && first_[static_cast<unsigned char>(field.front())] && is_listed(field);
  }
  /// Tells whether one could be taken for a number, a date or a truth.
  bool has_values() const { return values_; }

 private:
  bool is_listed(std::string_view field) const;

  const std::vector<std::string>& words_;
  std::array<bool, 256> first_{};
  std::size_t longest_ = 0;
  bool empty_ = false;
  bool values_ = false;
};

/// Turns the fields of a column into its elements, some records at a time.
/// Owns: the elements so far.  Threading: one thread.
class CsvColumn {
 public:
  CsvColumn(ColumnType type, const CsvFormat& format, const MissingWords& missing);
  ~CsvColumn();
  CsvColumn(CsvColumn&&) noexcept;

  /// Makes room for that many records in all.
  void expect(std::size_t records);
  /// Appends fields; returns how many: fewer than there are where the next says nothing of this type.
  std::size_t append(const FieldRange& fields);
  /// Returns the elements; the column is empty then.
  Column take();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::frames
