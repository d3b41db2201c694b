#include "io/remote/objects.hpp"

#include "io/files/open_file.hpp"
#include "io/remote/address.hpp"
#include "io/remote/transfer.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace weft::io::remote {
namespace {

/// What one request reads at most, so that several can share a long part; and what lies between two parts that one
/// request reads.
constexpr std::uint64_t kPieceBytes = 8 << 20, kGapBytes = 32 << 10;
constexpr std::uint64_t kMostHeldBytes = 64 << 20;
constexpr std::size_t kMostHeld = 32;

/// Parts of one object that one request reads.
struct Run {
  Request request;
  std::vector<std::size_t> parts;
};

/// Puts neighbours together. Their order is that of the first of each.
std::vector<Run> runs_of(const std::vector<Part>& parts, std::uint64_t most_bytes) {
  std::vector<std::size_t> order(parts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const bool ranges =
      std::none_of(parts.begin(), parts.end(), [](const Part& one) { return one.bytes == Request::kAll; });
  if (ranges) {
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      const int names = parts[a].path.compare(parts[b].path);
      return names != 0 ? names < 0 : parts[a].place < parts[b].place;
    });
  }
  std::vector<Run> runs;
  for (const std::size_t i : order) {
    const Part& part = parts[i];
    if (!runs.empty() && part.bytes != Request::kAll && part.place != Request::kLast) {
      Request& last = runs.back().request;
      const bool same = last.path == part.path && last.bytes != Request::kAll && last.place != Request::kLast;
      const std::uint64_t end = same ? last.place + last.bytes : 0;
      if (same && part.place <= end + kGapBytes && part.place + part.bytes - last.place <= kPieceBytes) {
        last.bytes = std::max(end, part.place + part.bytes) - last.place;
        runs.back().parts.push_back(i);
        continue;
      }
    }
    Run& run = runs.emplace_back();
    run.request.path = part.path;
    run.request.place = part.place;
    run.request.bytes = part.bytes;
    run.request.may_be_refused = part.may_be_refused;
    run.parts = {i};
  }
  for (Run& run : runs)
    run.request.most_bytes = std::max(most_bytes, run.request.bytes == Request::kAll ? 0 : run.request.bytes);
  return runs;
}

std::string unescaped(std::string text) {
  static constexpr const char* kNames[][2] = {
      {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&apos;", "'"}, {"&amp;", "&"}};
  for (const auto& [name, plain] : kNames) {
    for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
      text.replace(at, std::strlen(name), plain);
    }
  }
  return text;
}

/// Calls visit(text) for what stands in each <name>...</name>.
template <class F>
void each_element(const std::string& xml, const std::string& name, F visit) {
  const std::string open = "<" + name + ">", close = "</" + name + ">";
  for (std::size_t at = xml.find(open); at != std::string::npos; at = xml.find(open, at)) {
    at += open.size();
    const std::size_t end = xml.find(close, at);
    if (end == std::string::npos) return;
    visit(unescaped(xml.substr(at, end - at)));
    at = end;
  }
}

std::optional<Beginning> beginning_of(Reply reply) {
  if (!reply.there) return {};
  return Beginning{std::move(reply.body), reply.object_bytes, reply.changed_ns};
}

}  // namespace

std::optional<Beginning> read_beginning(const std::string& path, std::uint64_t bytes) {
  Request request;
  request.path = path;
  request.bytes = bytes;
  return beginning_of(perform_one(request));
}

void read_part(const std::string& path, std::uint64_t place, std::span<std::byte> out, std::uint64_t object_bytes,
               std::int64_t changed_ns) {
  for (std::uint64_t done = 0; done < out.size();) {
    std::vector<Request> requests;
    for (std::uint64_t asked = done; asked < out.size() && asked - done < kMostHeldBytes; asked += kPieceBytes) {
      Request& request = requests.emplace_back();
      request.path = path;
      request.place = place + asked;
      request.bytes = std::min<std::uint64_t>(kPieceBytes, out.size() - asked);
    }
    const std::vector<Reply> replies = perform(requests);
    for (std::size_t i = 0; i < replies.size(); ++i) {
      if (!replies[i].there) fail(path, "is not there any more");
      const bool same = replies[i].object_bytes == object_bytes && replies[i].changed_ns == changed_ns;
      if (!same || replies[i].body.size() != requests[i].bytes)
        fail(path, "changed after it was opened; open it again");
      std::memcpy(out.data() + done, replies[i].body.data(), replies[i].body.size());
      done += replies[i].body.size();
    }
  }
}

void read_parts(const std::vector<Part>& parts, std::uint64_t most_bytes,
                const std::function<void(std::size_t, std::optional<std::span<std::byte>>, std::uint64_t)>& visit) {
  const std::vector<Run> runs = runs_of(parts, most_bytes);
  for (std::size_t begin = 0; begin < runs.size();) {
    std::vector<Request> requests;
    std::uint64_t held = 0;
    std::size_t end = begin;
    for (; end < runs.size() && end - begin < kMostHeld && held < kMostHeldBytes; ++end) {
      requests.push_back(runs[end].request);
      held += requests.back().bytes == Request::kAll ? 0 : requests.back().bytes;
    }
    std::vector<Reply> replies = perform(requests);
    for (std::size_t i = 0; i < replies.size(); ++i) {
      Reply& reply = replies[i];
      const Request& request = requests[i];
      for (const std::size_t number : runs[begin + i].parts) {
        if (!reply.there) {
          visit(number, {}, 0);
          continue;
        }
        if (parts[number].bytes == Request::kAll || parts[number].place == Request::kLast) {
          visit(number, std::span<std::byte>(reply.body), reply.object_bytes);
          continue;
        }
        const std::uint64_t from = parts[number].place - request.place;
        if (from > reply.body.size() || parts[number].bytes > reply.body.size() - from) {
          fail(request.path, "ends before byte " + std::to_string(parts[number].place + parts[number].bytes) +
                                 ": it is truncated or damaged");
        }
        // A neighbour may begin in what the visitor changes; parts do not overlap.
        visit(number, std::span<std::byte>(reply.body).subspan(from, parts[number].bytes), reply.object_bytes);
      }
      reply.body = {};
    }
    begin = end;
  }
}

Listing list_below(const std::string& path, bool deep) {
  const Address address = address_of(path);
  if (!address.s3) fail(path, "cannot be listed: http knows no lists; give what is below it by name");
  std::string prefix = address.key;
  if (!prefix.empty() && prefix.back() != '/') prefix += '/';
  Listing listing;
  std::string next;
  do {
    Request request;
    request.path = path;
    request.query = (next.empty() ? "" : "continuation-token=" + percent_encoded(next, false) + "&") +
                    (deep ? "" : std::string("delimiter=%2F&")) +
                    "list-type=2&prefix=" + percent_encoded(prefix, false);
    const Reply reply = perform_one(request);
    if (!reply.there) fail(path, "cannot be listed: there is no such bucket");
    const std::string xml(reinterpret_cast<const char*>(reply.body.data()), reply.body.size());
    each_element(xml, "CommonPrefixes", [&](const std::string& one) {
      each_element(one, "Prefix", [&](std::string name) {
        if (name.size() <= prefix.size()) return;
        name = name.substr(prefix.size());
        if (name.back() == '/') name.pop_back();
        listing.folders.push_back(name);
      });
    });
    each_element(xml, "Contents", [&](const std::string& one) {
      ++listing.objects;
      each_element(one, "Size",
                   [&](const std::string& size) { listing.bytes += std::strtoull(size.c_str(), nullptr, 10); });
    });
    next.clear();
    each_element(xml, "NextContinuationToken", [&](const std::string& token) { next = token; });
  } while (!next.empty());
  return listing;
}

void write_object(const std::string& path, std::span<const std::byte> bytes) {
  if (!address_of(path).s3) fail(path, "cannot be written: weft writes to s3:// only");
  Request request;
  request.path = path;
  request.method = Request::Method::Put;
  request.body = bytes;
  if (!perform_one(request).there) fail(path, "cannot be written: there is no such bucket");
}

}  // namespace weft::io::remote
