// Several arrays in one .npz file, a ZIP archive of .npy files. Members that are stored have their place before they
// are written: the tasks that have chunks write them there.
#include <weft/ops/files.hpp>

#include "arrays/files/stored_arrays.hpp"
#include "arrays/ops/apply.hpp"
#include "io/codecs/packers.hpp"
#include "io/numpy/zip.hpp"

#include <weft/error.hpp>
#include <weft/journal.hpp>
#include <weft/ops/structure.hpp>
#include <weft/stored_array.hpp>

#include <algorithm>
#include <set>

namespace weft::arrays {
namespace files {
namespace {

using io::zip::Member;

constexpr std::size_t kPieceBytes = 4 << 20;

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

/// Sums the bytes of a member where it was written.
struct SumOfMember {
  std::int64_t operator()(const std::string& path, std::int64_t place, std::int64_t bytes) const {
    this_task::has_effect();  // what it reads was written by this run
    const OpenedFile file(path, OpenedFile::Use::Read);
    std::vector<std::byte> piece(std::min<std::size_t>(kPieceBytes, static_cast<std::size_t>(bytes)));
    std::uint32_t sum = 0;
    while (bytes > 0) {
      const std::size_t some = std::min(piece.size(), static_cast<std::size_t>(bytes));
      file.read(piece.data(), some, place);
      sum = io::crc32({piece.data(), some}, sum);
      place += static_cast<std::int64_t>(some);
      bytes -= static_cast<std::int64_t>(some);
    }
    return sum;
  }
};

Member member_of(const std::string& name, const Array& array, const std::string& header) {
  Member member;
  member.name = name + ".npy";
  member.bytes = member.packed = header.size() + static_cast<std::uint64_t>(array.nbytes());
  return member;
}

/// Writes members as they are, and returns where the last one ends.
std::uint64_t write_stored(const Client& client, const NamedArrays& arrays, const std::string& part,
                           std::vector<Member>& members, const std::source_location& where) {
  std::vector<Delayed<std::int64_t>> tasks;
  std::vector<std::int64_t> places;
  std::uint64_t end = 0;
  {
    const OpenedFile file(part, OpenedFile::Use::Create);
    const auto write = delayed(WriteRegion{}, where);
    for (const auto& [name, array] : arrays) {
      const std::string header = npy_header(array.dtype(), array.shape().vector());
      Member member = member_of(name, array, header);
      member.header = end;
      const std::uint64_t place = end + io::zip::header_of(member).size();
      file.write(header.data(), header.size(), static_cast<std::int64_t>(place));
      for (const auto& [region, chunk] : detail::chunks_with_regions(array)) {
        tasks.push_back(write(part, static_cast<std::int64_t>(place + header.size()), array.shape().vector(), region,
                              static_cast<std::int64_t>(array.itemsize()), chunk));
      }
      end = place + member.bytes;
      places.push_back(static_cast<std::int64_t>(place));
      members.push_back(std::move(member));
    }
    file.resize(static_cast<std::int64_t>(end));
  }
  detail::wait_for(client, tasks);
  const auto sum = delayed(SumOfMember{}, where);
  std::vector<Future<std::int64_t>> sums;
  for (std::size_t i = 0; i < members.size(); ++i) {
    sums.push_back(client.persist(sum(part, places[i], static_cast<std::int64_t>(members[i].bytes))));
  }
  const OpenedFile file(part, OpenedFile::Use::Write);
  for (std::size_t i = 0; i < members.size(); ++i) {
    members[i].crc = static_cast<std::uint32_t>(sums[i].result());
    const std::string header = io::zip::header_of(members[i]);
    file.write(header.data(), header.size(), static_cast<std::int64_t>(members[i].header));
  }
  return end;
}

/// A deflated member is one stream: its array is in memory as a whole.
std::uint64_t write_deflated(const Client& client, const NamedArrays& arrays, const SaveOptions& options,
                             const std::string& part, std::vector<Member>& members) {
  const OpenedFile file(part, OpenedFile::Use::Create);
  std::uint64_t end = 0;
  for (const auto& [name, array] : arrays) {
    const std::string header = npy_header(array.dtype(), array.shape().vector());
    Member member = member_of(name, array, header);
    std::vector<std::byte> packed;
    {
      const NDArray values = client.compute(array).as_contiguous();
      std::vector<std::byte> whole(header.size() + static_cast<std::size_t>(values.nbytes()));
      std::copy_n(bytes_of(header).begin(), header.size(), whole.begin());
      std::copy_n(values.data(), values.nbytes(), whole.begin() + static_cast<std::ptrdiff_t>(header.size()));
      member.crc = io::crc32(whole);
      packed = io::deflate_raw(part, whole, options.level < 0 ? 6 : options.level);
    }
    member.method = Member::kDeflated;
    member.packed = packed.size();
    member.header = end;
    const std::string front = io::zip::header_of(member);
    file.write(front.data(), front.size(), static_cast<std::int64_t>(end));
    file.write(packed.data(), packed.size(), static_cast<std::int64_t>(end + front.size()));
    end += front.size() + packed.size();
    members.push_back(std::move(member));
  }
  return end;
}

}  // namespace
}  // namespace files

void save_npz(const Client& client, const std::string& path, const NamedArrays& arrays, const SaveOptions& options,
              const std::source_location& where) {
  std::set<std::string> names;
  for (const auto& [name, array] : arrays) {
    if (name.empty() || !names.insert(name).second) {
      throw Error(ops::at_line("save_npz", where) + path + ": each array needs a name of its own; '" + name +
                  "' is none or is there twice");
    }
  }
  if (!options.codec.empty() && options.codec != "none" && options.codec != "deflate") {
    throw Error(ops::at_line("save_npz", where) + path + ": members are deflated or none, not '" + options.codec + "'");
  }
  files::in_place_of(path, [&](const std::string& part) {
    std::vector<io::zip::Member> members;
    const std::uint64_t end = options.codec == "deflate" ? files::write_deflated(client, arrays, options, part, members)
                                                         : files::write_stored(client, arrays, part, members, where);
    const std::string directory = io::zip::directory_of(members, end);
    files::OpenedFile file(part, files::OpenedFile::Use::Write);
    file.write(directory.data(), directory.size(), static_cast<std::int64_t>(end));
    file.finish();
  });
}

Array load_npz(const std::string& path, const std::string& name, const LoadOptions& options,
               const std::source_location& where) {
  return files::load_stored(path, name, options, where);
}

}  // namespace weft::arrays
