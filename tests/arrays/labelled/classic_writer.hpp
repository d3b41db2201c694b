#pragma once

#include <bit>
#include <cstdint>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace weft {

/// Writes small classic NetCDF files by hand, so that tests need no library.
class ClassicWriter {
 public:
  struct Attribute {
    std::string name;
    std::vector<double> values = {};
    /// d: double, f: float, i: int, s: short, c: text.
    char type = 'd';
    std::string text = {};
  };

  explicit ClassicWriter(std::vector<std::pair<std::string, std::int64_t>> dimensions)
      : dimensions_(std::move(dimensions)) {}

  void attribute(Attribute one) { attributes_.push_back(std::move(one)); }
  void variable(std::string name, std::vector<std::string> dims, char type, std::vector<double> values,
                std::vector<Attribute> attributes = {}) {
    variables_.push_back({std::move(name), std::move(dims), type, std::move(values), std::move(attributes)});
  }

  std::string write(const std::string& path) const {
    std::string data;
    std::vector<std::uint64_t> places;
    for (const Variable& one : variables_) {
      places.push_back(data.size());
      for (const double value : one.values) data += element(value, one.type);
      while (data.size() % 4 != 0) data += '\0';
    }
    const std::size_t head = header(places, 0).size();
    std::ofstream(path, std::ios::binary) << header(places, head) << data;
    return path;
  }

 private:
  struct Variable {
    std::string name;
    std::vector<std::string> dims;
    char type;
    std::vector<double> values;
    std::vector<Attribute> attributes;
  };

  static std::string big(std::uint64_t value, int bytes) {
    std::string out;
    for (int i = bytes; i-- > 0;) out += static_cast<char>(value >> 8 * i);
    return out;
  }
  static std::string padded(std::string text) {
    while (text.size() % 4 != 0) text += '\0';
    return text;
  }
  static std::string name(const std::string& text) { return big(text.size(), 4) + padded(text); }
  static std::uint32_t code(char type) {
    return type == 'd' ? 6 : type == 'f' ? 5 : type == 'i' ? 4 : type == 's' ? 3 : 2;
  }
  static std::string element(double value, char type) {
    if (type == 'd') return big(std::bit_cast<std::uint64_t>(value), 8);
    if (type == 'f') return big(std::bit_cast<std::uint32_t>(static_cast<float>(value)), 4);
    return big(static_cast<std::uint64_t>(static_cast<std::int64_t>(value)), type == 'i' ? 4 : type == 's' ? 2 : 1);
  }
  static std::string attribute_list(const std::vector<Attribute>& all) {
    if (all.empty()) return big(0, 8);
    std::string out = big(12, 4) + big(all.size(), 4);
    for (const Attribute& one : all) {
      const bool text = one.type == 'c' || !one.text.empty();
      out += name(one.name) + big(text ? 2 : code(one.type), 4) + big(text ? one.text.size() : one.values.size(), 4);
      std::string values = one.text;
      for (const double value : one.values) values += element(value, one.type);
      out += padded(values);
    }
    return out;
  }

  std::string header(const std::vector<std::uint64_t>& places, std::uint64_t begin) const {
    std::string out = std::string("CDF\1", 4) + big(0, 4) + big(10, 4) + big(dimensions_.size(), 4);
    for (const auto& [dimension, extent] : dimensions_)
      out += name(dimension) + big(static_cast<std::uint64_t>(extent), 4);
    out += attribute_list(attributes_) + big(11, 4) + big(variables_.size(), 4);
    for (std::size_t i = 0; i < variables_.size(); ++i) {
      const Variable& one = variables_[i];
      out += name(one.name) + big(one.dims.size(), 4);
      for (const std::string& dim : one.dims) {
        for (std::size_t d = 0; d < dimensions_.size(); ++d) {
          if (dimensions_[d].first == dim) out += big(d, 4);
        }
      }
      out += attribute_list(one.attributes) + big(code(one.type), 4) + big(0, 4) + big(begin + places[i], 4);
    }
    return out;
  }

  std::vector<std::pair<std::string, std::int64_t>> dimensions_;
  std::vector<Attribute> attributes_;
  std::vector<Variable> variables_;
};

}  // namespace weft
