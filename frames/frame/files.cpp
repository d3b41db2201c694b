#include "frames/files/csv.hpp"
#include "frames/files/hdf.hpp"
#include "frames/files/parquet.hpp"
#include "frames/plan/pipeline.hpp"

#include <weft/dataframe.hpp>
#include <weft/error.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace weft {
namespace {

using frames::FramePlan;
using frames::ReadPlan;

DataFrame frame_of(std::vector<frames::FilePiece> pieces, ReadPlan read, const Table& meta) {
  auto plan = std::make_shared<FramePlan>();
  plan->marks = {plan->rows = frames::fresh_mark()};
  plan->pieces = std::move(pieces);
  plan->read = std::move(read);
  plan->begin = plan->meta = meta;
  return DataFrame(std::move(plan));
}

/// Returns the path of a partition's file; makes the folder that it lies in.
std::vector<std::string> partition_paths(const std::string& path, std::size_t count, const std::string& ending) {
  std::vector<std::string> paths;
  const std::size_t star = path.rfind('*');
  const std::size_t digits = std::to_string(count - 1).size();
  for (std::size_t i = 0; i < count; ++i) {
    std::string number = std::to_string(i);
    number.insert(0, digits - number.size(), '0');
    paths.push_back(star == std::string::npos ? path + "/part." + number + ending
                                              : path.substr(0, star) + number + path.substr(star + 1));
  }
  const std::filesystem::path folder = std::filesystem::path(paths.front()).parent_path();
  std::error_code error;
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (error) throw Error("the folder '" + folder.string() + "' cannot be made: " + error.message());
  return paths;
}

struct WriteCsv {
  std::string operator()(const Table& table, const std::string& path, const CsvWriteOptions& options) const {
    const std::string text = frames::csv_text(table, options, options.header);
    const std::string unfinished = path + ".part-" + std::to_string(::getpid());
    std::FILE* const file = std::fopen(unfinished.c_str(), "wb");
    if (file == nullptr) throw Error(path + " cannot be written: " + std::strerror(errno));
    const bool well = std::fwrite(text.data(), 1, text.size(), file) == text.size();
    const bool closed = std::fclose(file) == 0;
    if (!well || !closed || std::rename(unfinished.c_str(), path.c_str()) != 0) {
      const std::string why = std::strerror(errno);
      std::remove(unfinished.c_str());
      throw Error(path + " cannot be written: " + why);
    }
    return path;
  }
};

struct WriteParquet {
  std::string operator()(const Table& table, const std::string& path, const ParquetWriteOptions& options) const {
    frames::write_parquet(path, table, options);
    return path;
  }
};

template <class F, class O>
std::vector<std::string> write_all(const DataFrame& frame, const Client& client, const std::string& path,
                                   const std::string& ending, const O& options) {
  const std::vector<std::string> paths = partition_paths(path, frame.npartitions(), ending);
  const std::vector<Delayed<Table>> tables = frame.to_delayed();
  const DelayedFunction<F> write({}, std::source_location::current());
  std::vector<Delayed<std::string>> written;
  for (std::size_t i = 0; i < tables.size(); ++i) written.push_back(write(tables[i], paths[i], options));
  return client.gather(client.persist(written));
}

/// A folder means the files in it that end so.
std::vector<std::string> with_folders(std::vector<std::string> patterns, const std::string& ending) {
  for (std::string& pattern : patterns) {
    struct ::stat status {};
    if (::stat(pattern.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) pattern += "/*" + ending;
  }
  return patterns;
}

}  // namespace

DataFrame read_csv(const std::vector<std::string>& patterns, const CsvOptions& options) {
  const std::vector<std::string> paths = frames::files_of(with_folders(patterns, ".csv"), "read_csv");
  ReadPlan read;
  read.format = ReadPlan::Format::Csv;
  read.csv = frames::plan_csv(paths, options);
  Table meta;
  for (std::size_t i = 0; i < read.csv.names.size(); ++i) {
    const ColumnType type = read.csv.types[i];
    meta.set(read.csv.names[i], schema({{"x", std::string(name_of(type))}})[std::size_t{0}]);
  }
  DataFrame frame = frame_of(frames::cut_csv(paths, options), std::move(read), meta);
  return options.columns.empty() ? frame : frame[options.columns];
}

DataFrame read_csv(const std::string& pattern, const CsvOptions& options) {
  return read_csv(std::vector<std::string>{pattern}, options);
}

DataFrame read_parquet(const std::vector<std::string>& patterns, const ParquetOptions& options) {
  const std::vector<std::string> paths = frames::files_of(with_folders(patterns, ".parquet"), "read_parquet");
  frames::ParquetPlan plan = frames::plan_parquet(paths, options);
  ReadPlan read;
  read.format = ReadPlan::Format::Parquet;
  return frame_of(std::move(plan.pieces), std::move(read), plan.schema);
}

DataFrame read_parquet(const std::string& pattern, const ParquetOptions& options) {
  return read_parquet(std::vector<std::string>{pattern}, options);
}

DataFrame read_hdf(const std::vector<std::string>& patterns, const std::string& dataset, const HdfOptions& options) {
  const std::vector<std::string> paths = frames::files_of(with_folders(patterns, ".h5"), "read_hdf");
  frames::HdfPlan plan = frames::plan_hdf(paths, dataset, options);
  ReadPlan read;
  read.format = ReadPlan::Format::Hdf;
  read.dataset = dataset;
  return frame_of(std::move(plan.pieces), std::move(read), plan.schema);
}

DataFrame read_hdf(const std::string& pattern, const std::string& dataset, const HdfOptions& options) {
  return read_hdf(std::vector<std::string>{pattern}, dataset, options);
}

std::vector<std::string> DataFrame::to_csv(const Client& client, const std::string& path,
                                           const CsvWriteOptions& options) const {
  return write_all<WriteCsv>(*this, client, path, ".csv", options);
}

std::vector<std::string> DataFrame::to_parquet(const Client& client, const std::string& path,
                                               const ParquetWriteOptions& options) const {
  return write_all<WriteParquet>(*this, client, path, ".parquet", options);
}

}  // namespace weft
