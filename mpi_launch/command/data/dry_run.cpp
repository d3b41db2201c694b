#include "mpi_launch/command/data/dry_run.hpp"

#include "core/memory/bytes_text.hpp"
#include "mpi_launch/command/data/verbs.hpp"

#include <weft/storage.hpp>

#include <algorithm>

namespace weft::command::data {

int tell(const Given& given, const DryRun& plan) {
  if (given.json()) {
    print(json_object({{"files", std::to_string(plan.files)},
                       {"stored_bytes", std::to_string(plan.stored_bytes)},
                       {"decoded_bytes", std::to_string(plan.decoded_bytes)},
                       {"peak_bytes", std::to_string(plan.peak_bytes)},
                       {"output_bytes", std::to_string(plan.output_bytes)}}) +
          "\n");
    return 0;
  }
  print(std::to_string(plan.files) + (plan.files == 1 ? " file, " : " files, ") + bytes_text(plan.stored_bytes) +
        " in it to be read (" + bytes_text(plan.decoded_bytes) + " decoded); results of " +
        bytes_text(plan.output_bytes) + "; at most " + bytes_text(plan.peak_bytes) + " of arrays in memory at once\n" +
        plan.lines);
  return 0;
}

void add_reading(DryRun& plan, const std::string& path, const std::vector<std::string>& names) {
  const auto file = io::open_shared(path);
  ++plan.files;
  for (std::size_t i = 0; i < file->variables().size(); ++i) {
    const io::Variable& one = file->variables()[i];
    if (!names.empty() && std::find(names.begin(), names.end(), one.path) == names.end()) continue;
    plan.stored_bytes += file->stored_bytes(i);
    plan.decoded_bytes += static_cast<std::uint64_t>(one.elements()) * one.type.bytes;
  }
}

}  // namespace weft::command::data
