#include <weft/from_url.hpp>

#include "io/remote/objects.hpp"

#include <weft/delayed.hpp>
#include <weft/error.hpp>
#include <weft/journal.hpp>
#include <weft/remote.hpp>
#include <weft/storage.hpp>

#include <string_view>

namespace weft {
namespace {

/// The lines of a partition are in memory anyway: an address that gives more is to be cut up by its owner.
constexpr std::uint64_t kMostBytes = std::uint64_t{4} << 30;

struct ReadUrl {
  std::vector<std::string> operator()(const std::string& url) const {
    this_task::has_effect();  // what is at an address may be another thing tomorrow
    std::vector<std::string> lines;
    bool there = false;
    io::remote::read_parts({{.path = url}}, kMostBytes,
                           [&](std::size_t, std::optional<std::span<std::byte>> bytes, std::uint64_t) {
                             if (!bytes) return;
                             there = true;
                             split({reinterpret_cast<const char*>(bytes->data()), bytes->size()}, lines);
                           });
    if (!there) throw io::FileError("'" + io::shown_path(url) + "': there is nothing at this address");
    return lines;
  }

  static void split(std::string_view text, std::vector<std::string>& lines) {
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      std::string_view line = text.substr(0, end);
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
      if (line.ends_with('\r')) line.remove_suffix(1);
      lines.emplace_back(line);
    }
  }
};

}  // namespace

Bag<std::string> from_url(const std::vector<std::string>& urls, const std::source_location& where) {
  if (urls.empty()) throw Error("from_url: no address was given");
  for (const std::string& url : urls) {
    if (!io::is_remote(url))
      throw Error("from_url: \"" + url +
                  "\" is no address (http://, https://, s3://); files are opened with read_text");
  }
  const DelayedFunction<ReadUrl> read({}, where);
  std::vector<Delayed<std::vector<std::string>>> partitions;
  for (const std::string& url : urls) partitions.push_back(read(url));
  return Bag<std::string>::from_delayed(std::move(partitions));
}

Bag<std::string> from_url(const std::string& url, const std::source_location& where) {
  return from_url(std::vector<std::string>{url}, where);
}

}  // namespace weft
