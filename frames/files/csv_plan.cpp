// What is known before anything is read: which files, which columns, where they are cut.
#include "frames/files/csv.hpp"
#include "frames/files/csv_columns.hpp"
#include "frames/files/csv_scan.hpp"
#include "frames/files/csv_source.hpp"
#include "frames/files/csv_values.hpp"

#include "core/config/nearest.hpp"

#include <weft/error.hpp>

#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

namespace weft::frames {
namespace {

[[noreturn]] void refuse(const std::string& what) { throw Error("read_csv: " + what); }

std::string joined(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 20;
  std::string all;
  for (std::size_t i = 0; i < names.size() && i < kMost; ++i) all += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > kMost) all += ", ... (" + std::to_string(names.size()) + " in all)";
  return all;
}

/// Names each column once: "name", "name.1", ...
std::vector<std::string> distinct(const std::vector<std::string>& names) {
  std::set<std::string> taken(names.begin(), names.end());
  std::set<std::string> seen;
  std::vector<std::string> all;
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::string name = names[i].empty() ? "Unnamed: " + std::to_string(i) : names[i];
    if (!seen.insert(name).second) {
      std::size_t next = 1;
      while (taken.count(name + "." + std::to_string(next)) != 0) ++next;
      name += "." + std::to_string(next);
      taken.insert(name);
      seen.insert(name);
    }
    all.push_back(std::move(name));
  }
  return all;
}

/// The first lines of a file.
/// Owns: its text.  Threading: one thread.
class Sample {
 public:
  Sample(const std::string& path, const CsvFormat& format, std::uint64_t bytes)
      : text_(path), window_(text_, 0), head_(read_head(window_, format)) {
    window_.drop(static_cast<std::size_t>(head_.data - window_.offset()));
    CsvScanner scanner(format, 0);
    while (!window_.ended()) {
      window_.more(std::max<std::size_t>(window_.size(), static_cast<std::size_t>(std::max<std::uint64_t>(bytes, 1))));
      scanner.scan(window_.data(), window_.size());
      if (scanner.used() != 0) break;
    }
    if (window_.size() == 0) return;
    scanner.scan(window_.data(), window_.size());
    scanner.each_line([this](std::size_t, std::size_t, const std::uint32_t*, std::size_t fields) {
      fields_ = fields;
      return false;
    });
  }

  const CsvHead& head() const { return head_; }
  const CsvWindow& window() const { return window_; }
  /// Returns the fields of the first line that is not the header; 0 where there is none.
  std::size_t fields() const { return fields_; }

 private:
  CsvText text_;
  CsvWindow window_;
  const CsvHead head_;
  std::size_t fields_ = 0;
};

ColumnType guess(const FieldRange& fields, const CsvFormat& format, const MissingWords& missing) {
  bool seen = false, truths = true, wholes = true, reals = true, shaped = true;
  std::string room;
  for (std::size_t i = 0; i < fields.records; ++i) {
    const FieldRange::Field field = fields[i];
    const std::string_view text = unquoted(field.begin, field.end, format.quote, room);
    if (missing.has(text)) continue;
    const std::string_view bare = trimmed(text);
    const char* const end = bare.data() + bare.size();
    std::uint8_t flag = 0;
    std::int64_t whole = 0;
    double real = 0;
    seen = true;
    truths = truths && truth(bare.data(), end, flag);
    wholes = wholes && whole_number(bare.data(), end, whole);
    reals = reals && real_number(bare.data(), end, real);
    shaped = shaped && bare.find_first_not_of("0123456789+-") == std::string_view::npos;
    if (!truths && !reals) return ColumnType::String;
  }
  if (!seen) return fields.records == 0 ? ColumnType::String : ColumnType::Float64;
  if (truths) return ColumnType::Bool;
  if (wholes) return ColumnType::Int64;
  // Whole numbers of too many digits are names of things: as floats they would change.
  return shaped ? ColumnType::String : ColumnType::Float64;
}

void check_options(const CsvOptions& options) {
  const auto usual = [](char byte) { return byte != '\n' && byte != '\r'; };
  if (!usual(options.separator) || !usual(options.quote) || !usual(options.comment) || options.separator == 0)
    refuse("the separator, the quote and what begins a comment are no ends of lines: change the options");
  if (options.separator == options.quote || options.separator == options.comment ||
      (options.comment != 0 && options.quote == options.comment)) {
    refuse("the separator, the quote and what begins a comment must differ: change the options");
  }
}

void check_names(const std::vector<std::string>& names, const std::string& name, const char* option,
                 const std::string& path) {
  if (std::find(names.begin(), names.end(), name) != names.end()) return;
  refuse(path + ": ." + option + " names the column '" + name + "', which is not there (did you mean '" +
         nearest_name(name, names) + "'?): the columns are " + joined(names));
}

std::vector<std::string> names_of(const Sample& sample, const CsvOptions& options, const std::string& path) {
  const std::size_t count = options.header ? sample.head().names.size() : sample.fields();
  if (!options.names.empty()) {
    if (count != 0 && count != options.names.size()) {
      refuse(path + ": .names has " + std::to_string(options.names.size()) + " names, but there are " +
             std::to_string(count) + " columns");
    }
    if (distinct(options.names) != options.names) refuse(".names has a name twice, or one that is empty");
    return options.names;
  }
  if (options.header) return distinct(sample.head().names);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) names.push_back(std::to_string(i));
  return names;
}

void set_types(const Sample& sample, const CsvOptions& options, CsvFormat& format, const std::string& path) {
  const MissingWords missing(format.missing);
  CsvScanner scanner(format, format.names.size());
  if (sample.window().size() != 0) scanner.scan(sample.window().data(), sample.window().size());
  for (std::size_t i = 0; i < format.names.size(); ++i) {
    const std::string& name = format.names[i];
    const auto given = options.types.find(name);
    ColumnType type = ColumnType::String;
    if (given != options.types.end()) {
      try {
        type = column_type(given->second);
      } catch (const Error& error) {
        refuse(path + ": column '" + name + "': " + error.what());
      }
    } else if (std::find(options.dates.begin(), options.dates.end(), name) != options.dates.end()) {
      type = ColumnType::Timestamp;
    } else if (scanner.records() != 0) {
      type = guess(scanner.column(i), format, missing);
      if (type == ColumnType::Int64 && options.assume_missing) type = ColumnType::Float64;
    }
    format.types.push_back(type);
  }
}

/// Headers are compared before anything is read, but for files that gzip packed: these would be unpacked for it.
void check_headers(const std::vector<std::string>& paths, const std::string& first, const CsvHead& head,
                   const CsvFormat& format) {
  for (const std::string& path : paths) {
    if (path == first) continue;
    CsvText text(path);
    if (text.packing() == io::Packing::Gzip) continue;
    CsvWindow window(text, 0);
    const std::vector<std::string> names = read_head(window, format).names;
    if (names.empty() || names == head.names) continue;
    refuse(path + ": its header is " + joined(names) + ", but that of " + first + " is " + joined(head.names) +
           ": read them apart, or give .header = false, .skip_rows = 1 and .names where only names differ");
  }
}

}  // namespace

std::vector<std::string> files_of(const std::vector<std::string>& patterns, const char* caller) {
  const auto fail = [caller](const std::string& path, const std::string& what) {
    throw Error(std::string(caller) + ": " + path + ": " + what);
  };
  if (patterns.empty())
    throw Error(std::string(caller) + ": no file was named: give a path or a pattern such as \"data/*\"");
  std::vector<std::string> paths;
  for (const std::string& pattern : patterns) {
    if (pattern.find("://") != std::string::npos) {
      paths.push_back(pattern);
      continue;
    }
    ::glob_t found{};
    const int status = ::glob(pattern.c_str(), 0, nullptr, &found);
    const std::vector<std::string> here(found.gl_pathv, found.gl_pathv + (status == 0 ? found.gl_pathc : 0));
    ::globfree(&found);
    if (status == GLOB_NOMATCH)
      fail(pattern, "no file has this name or matches this pattern; it is looked for from the working directory");
    if (status != 0) fail(pattern, "the folders it names cannot be read");
    for (const std::string& path : here) {
      struct ::stat about {};
      if (::stat(path.c_str(), &about) != 0) fail(path, std::strerror(errno));
      if (S_ISDIR(about.st_mode)) fail(path, "is a folder: name files in it, as in \"" + path + "/*\"");
      paths.push_back(path);
    }
  }
  return paths;
}

CsvFormat plan_csv(const std::vector<std::string>& paths, const CsvOptions& options) {
  check_options(options);
  if (paths.empty()) refuse("no file was named");
  CsvFormat format;
  format.separator = options.separator;
  format.quote = options.quote;
  format.comment = options.comment;
  format.skip_rows = options.skip_rows;
  format.header = options.header;
  format.missing = options.missing;
  std::unique_ptr<Sample> sample;
  std::string path = paths.front();
  // The first file with lines tells the types; the first with a header the names.
  for (const std::string& next : paths) {
    auto looked_at = std::make_unique<Sample>(next, format, options.sample);
    const bool better = sample == nullptr || (sample->head().names.empty() && !looked_at->head().names.empty()) ||
                        (sample->fields() == 0 && looked_at->fields() != 0);
    if (better) {
      sample = std::move(looked_at);
      path = next;
    }
    if (sample->fields() != 0) break;
  }
  format.names = names_of(*sample, options, path);
  if (format.names.empty()) refuse(path + ": there is no line that names the columns: the file is empty");
  for (const std::string& name : options.columns) check_names(format.names, name, "columns", path);
  for (const std::string& name : options.dates) check_names(format.names, name, "dates", path);
  for (const auto& [name, type] : options.types) check_names(format.names, name, "types", path);
  if (options.header) check_headers(paths, path, sample->head(), format);
  set_types(*sample, options, format, path);
  return format;
}

std::vector<FilePiece> cut_csv(const std::vector<std::string>& paths, const CsvOptions& options) {
  std::vector<FilePiece> pieces;
  for (const std::string& path : paths) {
    const CsvText text(path);
    const std::uint64_t bytes = text.file_bytes();
    const bool whole = text.packed() || options.blocksize == 0 || bytes <= options.blocksize;
    // Pieces of nearly equal size: a small rest would be a task of its own.
    const std::uint64_t count = whole ? 1 : (bytes - 1) / options.blocksize + 1;
    std::uint64_t first = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t end = first + (bytes - first) / (count - i);
      pieces.push_back({path, first, end});
      first = end;
    }
  }
  return pieces;
}

}  // namespace weft::frames
