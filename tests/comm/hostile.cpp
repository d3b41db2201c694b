#include "tests/comm/hostile.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <memory>

#include "comm/ring.hpp"
#include "comm/socket.hpp"

namespace weft::comm {

PatientUser feed_wire(const std::vector<std::byte>& bytes, std::mt19937& random) {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) return {};
  Fd ours(ends[0]), theirs(ends[1]);
  PatientUser user;
  {
    WireLane lane(Stream(ours.get()), user, [](Frame, std::span<const std::byte>) {});
    for (std::size_t at = 0; at < bytes.size() && user.live();) {
      const std::size_t count = std::min<std::size_t>(bytes.size() - at, 1 + random() % 4000);
      const ssize_t wrote = ::send(theirs.get(), bytes.data() + at, count, MSG_NOSIGNAL);
      if (wrote > 0) at += static_cast<std::size_t>(wrote);
      lane.move_in();
    }
    theirs.reset();
    for (int i = 0; i < 100 && user.live() && !lane.ended(); ++i) lane.move_in();
  }
  return user;
}

std::uint64_t feed_ring(const std::vector<std::byte>& bytes, std::uint64_t written) {
  constexpr std::size_t kRing = 4096;
  const auto counters = std::make_unique<RingCounters>();
  std::vector<std::byte> ring(kRing);
  std::copy_n(bytes.begin(), std::min(bytes.size(), kRing), ring.begin());
  counters->written.store(written);
  RecordReader reader(*counters, ring);
  RecordReader::Record record;
  std::uint64_t sum = 0;
  for (int i = 0; i < 10'000 && reader.next(record); ++i) {
    for (const std::byte byte : record.payload) sum += std::to_integer<std::uint64_t>(byte);
    reader.release();
  }
  return sum;
}

}  // namespace weft::comm
