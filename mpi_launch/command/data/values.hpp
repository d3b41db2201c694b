#pragma once

#include <weft/dtype.hpp>
#include <weft/storage.hpp>

#include <string>
#include <vector>

namespace weft::command::data {

/// A variable whose values are read as they are meant: scale, offset and missing values undone, unless `raw`.
/// Owns: nothing; the file must outlive it.  Threading: constant.
class Values {
 public:
  Values(const io::StoredFile& file, std::size_t variable, bool raw);
  Dtype dtype() const { return dtype_; }
  /// Elements in C order.
  std::vector<std::byte> read(const std::vector<std::int64_t>& start, const std::vector<std::int64_t>& extent) const;
  /// The same as doubles; integers beyond 2^53 are rounded.
  std::vector<double> read_doubles(const std::vector<std::int64_t>& start,
                                   const std::vector<std::int64_t>& extent) const;

 private:
  const io::StoredFile& file_;
  std::size_t variable_;
  bool raw_;
  Dtype dtype_;
};

/// Returns "[time=3, lat=0]": names of dimensions, where there are any.
std::string place_text(const io::Variable& variable, const std::vector<std::int64_t>& place);

}  // namespace weft::command::data
