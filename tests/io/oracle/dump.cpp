/// Prints what a file holds as JSON, and writes the elements of each variable of numbers to FOLDER/i: what
/// read_oracle.py compares with other readers.
///
///     weft_io_dump FILE FOLDER [FIRST-AXIS-STEP]
#include <weft/storage.hpp>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>

namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 32) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", c);
      out += code;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

template <class T, class F>
std::string list(const std::vector<T>& values, const F& text) {
  std::string out = "[";
  for (std::size_t i = 0; i < values.size(); ++i) out += (i == 0 ? "" : ", ") + text(values[i]);
  return out + "]";
}

std::string number(std::int64_t value) { return std::to_string(value); }
std::string real(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "\"%.17g\"", value);
  return text;
}

std::string attributes(const std::vector<weft::io::Attribute>& all) {
  std::string out = "{";
  for (const weft::io::Attribute& one : all) {
    if (out.size() > 1) out += ", ";
    out += quoted(one.name) + ": ";
    if (one.is_text()) {
      out += list(one.texts, quoted);
    } else {
      out += one.integers.empty() ? list(one.reals, real) : list(one.integers, number);
    }
  }
  return out + "}";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const std::int64_t step = argc > 3 ? std::stoll(argv[3]) : 0;
  try {
    const auto file = weft::io::open_stored(argv[1]);
    std::printf("{\"format\": %s, \"groups\": %s, \"variables\": [\n", quoted(file->format()).c_str(),
                list(file->groups(), [](const weft::io::Group& group) {
                  return "{\"path\": " + quoted(group.path) + ", \"attributes\": " + attributes(group.attributes) + "}";
                }).c_str());
    for (std::size_t i = 0; i < file->variables().size(); ++i) {
      const weft::io::Variable& one = file->variables()[i];
      std::printf("%s{\"path\": %s, \"type\": %s, \"shape\": %s, \"dims\": %s, \"chunk\": %s, \"attributes\": %s",
                  i == 0 ? "" : ",\n", quoted(one.path).c_str(), quoted(one.type.name).c_str(),
                  list(one.shape, number).c_str(), list(one.dimensions, quoted).c_str(),
                  list(one.chunk, number).c_str(), attributes(one.attributes).c_str());
      if (one.type.is_number()) {
        if (one.elements() > (std::int64_t{1} << 28)) {
          std::fprintf(stderr, "'%s': '%s' is larger than tests are\n", argv[1], one.path.c_str());
          return 1;
        }
        std::ofstream out(std::string(argv[2]) + "/" + std::to_string(i), std::ios::binary);
        std::vector<std::int64_t> start(one.shape.size(), 0);
        std::vector<std::int64_t> extent = one.shape;
        const std::int64_t rows = one.shape.empty() ? 1 : one.shape[0];
        // In parts along the first axis, where a step is given: boxes that do not fit the chunks.
        for (std::int64_t at = 0; at<rows; at += step> 0 ? step : std::max<std::int64_t>(rows, 1)) {
          if (!one.shape.empty()) {
            start[0] = at;
            extent[0] = std::min(step > 0 ? step : rows, rows - at);
          }
          const auto bytes = file->read_box(i, start, extent);
          out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        }
      } else if (one.type.kind == weft::io::ElementKind::Text || one.type.kind == weft::io::ElementKind::VariableText) {
        std::printf(", \"texts\": %s", list(file->read_text(i), quoted).c_str());
      }
      std::printf("}");
    }
    std::printf("]}\n");
  } catch (const weft::io::FileError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
