#include "core/memory/spill_file.hpp"

#include "core/diagnostics/assert.hpp"
#include "core/memory/bytes_text.hpp"
#include "core/memory/checksum.hpp"
#include "core/memory/spill_directory.hpp"

#include <weft/error.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <random>

namespace weft {

namespace {

constexpr std::size_t kBounceBytes = std::size_t{2} << 20;
constexpr std::size_t kPiecesAtOnce = 256;

constexpr std::uint64_t round_up(std::uint64_t bytes) {
  return (bytes + SpillFile::kBlock - 1) / SpillFile::kBlock * SpillFile::kBlock;
}

bool aligned(const void* place) { return reinterpret_cast<std::uintptr_t>(place) % SpillFile::kBlock == 0; }

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Returns the largest file this process may write: a write beyond it would fail.
std::uint64_t file_size_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return ~std::uint64_t{0};
  return limit.rlim_cur / SpillFile::kBlock * SpillFile::kBlock;
}

/// A failed call on the way out of the inner functions; the outer ones make the sentence.
struct DiskFailure {
  int error_number;
};

}  // namespace

void SpillFile::Meter::begin(double now) {
  if (active++ == 0) since = now;
}

void SpillFile::Meter::end(double now, std::size_t moved) {
  if (--active == 0) seconds += now - since;
  bytes += moved;
}

/// Borrows a bounce buffer for one call.
class SpillFile::Bounce {
 public:
  explicit Bounce(SpillFile& file) : file_(file) {
    {
      const std::lock_guard lock(file.mutex_);
      if (!file.bounces_.empty()) {
        buffer_ = std::move(file.bounces_.back());
        file.bounces_.pop_back();
      }
    }
    if (buffer_.empty()) buffer_ = Buffer::allocate(kBounceBytes);
  }
  ~Bounce() {
    const std::lock_guard lock(file_.mutex_);
    // Room for every buffer was made when the file was opened.
    if (file_.bounces_.size() < file_.bounces_.capacity()) file_.bounces_.push_back(std::move(buffer_));
  }
  Bounce(const Bounce&) = delete;
  Bounce& operator=(const Bounce&) = delete;

  std::byte* data() { return buffer_.data(); }

 private:
  SpillFile& file_;
  Buffer buffer_;
};

/// One run of blocks on its way to the disk: whole blocks of aligned pieces as they lie, the rest through the bounce.
class SpillFile::Writing {
 public:
  Writing(SpillFile& owner, const Extent& extent, Bounce& bounce)
      : owner_(owner), extent_(extent), bounce_(bounce), offset_(extent.offset) {}

  std::uint64_t offset() const { return offset_ + listed_; }

  void add(std::span<const std::byte> piece) {
    if (aligned(piece.data()) && piece.size() >= kBlock) {
      const std::size_t whole = piece.size() / kBlock * kBlock;
      list(const_cast<std::byte*>(piece.data()), whole);
      piece = piece.subspan(whole);
    }
    while (!piece.empty()) {
      if (bounced_ == kBounceBytes) flush();
      const std::size_t part = std::min(piece.size(), kBounceBytes - bounced_);
      const std::size_t blocks = round_up(part);
      std::byte* const place = bounce_.data() + bounced_;
      std::memcpy(place, piece.data(), part);
      std::memset(place + part, 0, blocks - part);
      bounced_ += blocks;
      list(place, blocks);
      piece = piece.subspan(part);
    }
  }

  void flush() {
    std::size_t first = 0;
    while (first < count_) {
      const ssize_t done = owner_.disk_.write(extent_.file, &list_[first], static_cast<int>(count_ - first),
                                              static_cast<off_t>(offset_));
      if (done == -1 && errno == EINVAL && owner_.options_.direct && !buffered_) {
        // The file system took O_DIRECT at opening and refuses it now.
        buffered_ = true;
        if (owner_.disk_.make_buffered(extent_.file) != 0) throw DiskFailure{errno};
        const std::lock_guard lock(owner_.mutex_);
        owner_.direct_ = false;
        continue;
      }
      if (done < 0) throw DiskFailure{errno};
      // A short write goes on at a block; one of no whole block is a disk that has no more room.
      const std::size_t blocks = static_cast<std::size_t>(done) / kBlock * kBlock;
      if (blocks == 0) throw DiskFailure{ENOSPC};
      first = advance(first, blocks);
    }
    count_ = 0;
    listed_ = 0;
    bounced_ = 0;
  }

 private:
  void list(std::byte* place, std::size_t bytes) {
    if (count_ != 0 && static_cast<std::byte*>(list_[count_ - 1].iov_base) + list_[count_ - 1].iov_len == place) {
      list_[count_ - 1].iov_len += bytes;
    } else {
      if (count_ == kPiecesAtOnce) flush_keeping(place, bytes);
      list_[count_++] = {place, bytes};
    }
    listed_ += bytes;
  }
  // The bounce holds the part that is just being added, which must not be overwritten: it begins anew behind it.
  void flush_keeping(std::byte* place, std::size_t bytes) {
    const bool bounced = place >= bounce_.data() && place < bounce_.data() + kBounceBytes;
    const std::size_t keep = bounced ? static_cast<std::size_t>(place - bounce_.data()) + bytes : 0;
    flush();
    bounced_ = keep;
  }
  std::size_t advance(std::size_t first, std::size_t bytes) {
    offset_ += bytes;
    listed_ -= bytes;
    while (first < count_ && bytes >= list_[first].iov_len) bytes -= list_[first++].iov_len;
    if (bytes != 0) {
      list_[first].iov_base = static_cast<std::byte*>(list_[first].iov_base) + bytes;
      list_[first].iov_len -= bytes;
    }
    return first;
  }

  SpillFile& owner_;
  const Extent& extent_;
  Bounce& bounce_;
  // Where the first listed byte goes, and how many are listed.
  std::uint64_t offset_;
  std::uint64_t listed_ = 0;
  std::size_t bounced_ = 0;
  std::size_t count_ = 0;
  bool buffered_ = false;
  std::array<iovec, kPiecesAtOnce> list_;
};

SpillFile::SpillFile(SpillFileOptions options) : options_(std::move(options)), disk_(*options_.disk) {
  direct_ = options_.direct;
  bounces_.reserve(64);
  const int file = disk_.open_nameless(options_.directory.c_str(), false);
  if (file == -1) throw MemoryError(spill_problem(options_.directory, errno));
  disk_.close(file);
}

SpillFile::~SpillFile() {
  for (const Segment& segment : segments_) {
    if (segment.file != -1) disk_.close(segment.file);
  }
}

void SpillFile::fail(int error_number, std::uint64_t wanted) const {
  const SpillFileCounts now = counts();
  std::string text = spill_problem(options_.directory, error_number);
  text += " (while writing " + bytes_text(wanted) + "; " + bytes_text(now.live_bytes) + " are spilled there, " +
          bytes_text(disk_.free_bytes(options_.directory.c_str())) + " are free)";
  throw MemoryError(text);
}

// --- the map of the files ----------------------------------------------------------------------------------------

bool SpillFile::reserve_freed(std::uint64_t bytes, Extent& extent) {
  for (std::uint32_t at = 0; at < segments_.size(); ++at) {
    Segment& segment = segments_[at];
    for (auto range = segment.freed.begin(); range != segment.freed.end(); ++range) {
      const auto [offset, length] = *range;
      if (length < bytes) continue;
      segment.freed.erase(range);
      if (length > bytes) segment.freed.emplace(offset + bytes, length - bytes);
      freed_bytes_ -= bytes;
      segment.live += bytes;
      extent = {at, segment.file, offset};
      return true;
    }
  }
  return false;
}

std::uint32_t SpillFile::open_segment(std::uint64_t bytes) {
  bool direct = direct_;
  int file = disk_.open_nameless(options_.directory.c_str(), direct);
  if (file == -1 && direct && (errno == EINVAL || errno == EOPNOTSUPP)) {
    direct = false;
    file = disk_.open_nameless(options_.directory.c_str(), false);
  }
  if (file == -1) throw DiskFailure{errno};
  direct_ = direct;
  std::uint32_t at = 0;
  std::size_t living = 0;
  for (const Segment& segment : segments_) living += segment.file != -1 ? 1 : 0;
  while (at < segments_.size() && segments_[at].file != -1) ++at;
  if (at == segments_.size()) segments_.emplace_back();
  const std::uint64_t usual = static_cast<std::uint64_t>(options_.segment_bytes)
                              << std::min<std::size_t>(living / 32, 8);
  Segment& segment = segments_[at];
  segment.file = file;
  segment.limit = std::min(std::max(usual, bytes), file_size_limit());
  return at;
}

SpillFile::Extent SpillFile::reserve(std::uint64_t bytes) {
  Extent extent;
  if (!punches_ && reserve_freed(bytes, extent)) return extent;
  if (bytes > file_size_limit()) throw DiskFailure{EFBIG};
  if (open_ == SpillTicket::kNoSegment || segments_[open_].end + bytes > segments_[open_].limit) {
    open_ = open_segment(bytes);
  }
  Segment& segment = segments_[open_];
  extent = {open_, segment.file, segment.end};
  segment.end += bytes;
  segment.live += bytes;
  return extent;
}

void SpillFile::note_freed(Segment& segment, std::uint64_t offset, std::uint64_t bytes) {
  freed_bytes_ += bytes;
  auto next = segment.freed.lower_bound(offset);
  if (next != segment.freed.begin()) {
    const auto before = std::prev(next);
    if (before->first + before->second == offset) {
      offset = before->first;
      bytes += before->second;
      segment.freed.erase(before);
    }
  }
  if (next != segment.freed.end() && offset + bytes == next->first) {
    bytes += next->second;
    next = segment.freed.erase(next);
  }
  segment.freed.emplace_hint(next, offset, bytes);
}

void SpillFile::give_back(std::uint32_t at, std::uint64_t offset, std::uint64_t bytes) noexcept {
  Segment& segment = segments_[at];
  WEFT_ASSERT(segment.file != -1 && segment.live >= bytes, "a spilled piece is freed once");
  segment.live -= bytes;
  if (segment.live == 0) {
    for (const auto& range : segment.freed) freed_bytes_ -= range.second;
    segment.freed.clear();
    segment.end = 0;
    if (at == open_ && disk_.truncate(segment.file, 0) == 0) return;
    disk_.close(std::exchange(segment.file, -1));
    if (at == open_) open_ = SpillTicket::kNoSegment;
    return;
  }
  // Freed in the order opposite to writing, the end of the open segment simply moves back.
  if (at == open_ && offset + bytes == segment.end) {
    segment.end = offset;
    const auto last = segment.freed.empty() ? segment.freed.end() : std::prev(segment.freed.end());
    if (last != segment.freed.end() && last->first + last->second == offset) {
      segment.end = last->first;
      freed_bytes_ -= last->second;
      segment.freed.erase(last);
    }
    return;
  }
  note_freed(segment, offset, bytes);
  if (punches_ && freed_bytes_ >= options_.segment_bytes / 2) punch_locked();
}

void SpillFile::punch_locked() noexcept {
  for (Segment& segment : segments_) {
    while (!segment.freed.empty() && punches_) {
      const auto [offset, length] = *segment.freed.begin();
      if (disk_.punch(segment.file, static_cast<off_t>(offset), static_cast<off_t>(length)) != 0) {
        // The range stays known, to be written again.
        punches_ = false;
        return;
      }
      freed_bytes_ -= length;
      segment.freed.erase(segment.freed.begin());
    }
  }
}

void SpillFile::punch_freed() noexcept {
  const std::lock_guard lock(mutex_);
  if (punches_) punch_locked();
}

void SpillFile::free(const SpillTicket& ticket) noexcept {
  if (!ticket.valid() || ticket.bytes == 0) return;
  const std::lock_guard lock(mutex_);
  give_back(ticket.segment, ticket.offset, round_up(ticket.bytes));
}

SpillFileCounts SpillFile::counts() const {
  const std::lock_guard lock(mutex_);
  SpillFileCounts counts;
  for (const Segment& segment : segments_) {
    counts.live_bytes += segment.live;
    if (segment.file != -1) ++counts.segments;
  }
  counts.disk_bytes = counts.live_bytes + freed_bytes_;
  counts.written_bytes = writing_.bytes;
  counts.read_bytes = reading_.bytes;
  counts.write_seconds = writing_.seconds;
  counts.read_seconds = reading_.seconds;
  counts.direct = direct_;
  return counts;
}

// --- writing -----------------------------------------------------------------------------------------------------

void SpillFile::write_extent(const Extent& extent, std::span<const std::span<const std::byte>> pieces,
                             std::span<SpillTicket> tickets) {
  Bounce bounce(*this);
  Writing writing(*this, extent, bounce);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const std::span<const std::byte> piece = pieces[i];
    tickets[i] = {extent.segment, writing.offset(), piece.size(), Checksum::of(piece.data(), piece.size())};
    writing.add(piece);
  }
  writing.flush();
}

void SpillFile::write_once(std::span<const std::span<const std::byte>> pieces, std::span<SpillTicket> tickets,
                           std::uint64_t bytes) {
  Extent extent;
  bool direct = false;
  {
    const std::lock_guard lock(mutex_);
    extent = reserve(bytes);
    writing_.begin(seconds_now());
  }
  int error_number = 0;
  try {
    write_extent(extent, pieces, tickets);
  } catch (const DiskFailure& failure) {
    error_number = failure.error_number;
  } catch (const MemoryError&) {
    error_number = ENOMEM;
  }
  {
    const std::lock_guard lock(mutex_);
    direct = direct_;
  }
  if (!direct && error_number == 0) {
    disk_.drop_cache(extent.file, static_cast<off_t>(extent.offset), static_cast<off_t>(bytes));
  }
  const std::lock_guard lock(mutex_);
  writing_.end(seconds_now(), error_number == 0 ? bytes : 0);
  if (error_number == 0) return;
  give_back(extent.segment, extent.offset, bytes);
  throw DiskFailure{error_number};
}

void SpillFile::write(std::span<const std::span<const std::byte>> pieces, std::span<SpillTicket> tickets) {
  WEFT_ASSERT(pieces.size() == tickets.size(), "there is a ticket for every piece");
  std::uint64_t bytes = 0;
  for (const std::span<const std::byte> piece : pieces) bytes += round_up(piece.size());
  if (bytes == 0) {
    std::fill(tickets.begin(), tickets.end(), SpillTicket{0, 0, 0, Checksum().value()});
    return;
  }
  try {
    try {
      write_once(pieces, tickets, bytes);
    } catch (const DiskFailure& failure) {
      if (failure.error_number != ENOSPC && failure.error_number != EDQUOT) throw;
      // What was freed and not yet given back may be all that is missing.
      punch_freed();
      write_once(pieces, tickets, bytes);
    }
  } catch (const DiskFailure& failure) {
    std::fill(tickets.begin(), tickets.end(), SpillTicket{});
    fail(failure.error_number, bytes);
  }
}

SpillTicket SpillFile::write(std::span<const std::byte> bytes) {
  SpillTicket ticket;
  write(std::span(&bytes, 1), std::span(&ticket, 1));
  return ticket;
}

// --- reading -----------------------------------------------------------------------------------------------------

void SpillFile::read_blocks(int file, std::span<iovec> list, std::uint64_t offset) {
  while (!list.empty()) {
    const ssize_t done = disk_.read(file, list.data(), static_cast<int>(list.size()), static_cast<off_t>(offset));
    if (done < 0) throw DiskFailure{errno};
    std::size_t blocks = static_cast<std::size_t>(done) / kBlock * kBlock;
    // The file ends before what was written to it: somebody else has changed it.
    if (blocks == 0) throw DiskFailure{EIO};
    offset += blocks;
    while (!list.empty() && blocks >= list.front().iov_len) {
      blocks -= list.front().iov_len;
      list = list.subspan(1);
    }
    if (blocks != 0) {
      list.front().iov_base = static_cast<std::byte*>(list.front().iov_base) + blocks;
      list.front().iov_len -= blocks;
    }
  }
}

void SpillFile::read_aligned(const Extent& extent, std::span<std::byte> into, Bounce& bounce) {
  const std::size_t whole = into.size() / kBlock * kBlock;
  std::array<iovec, 2> list{iovec{into.data(), whole}, iovec{bounce.data(), kBlock}};
  const bool rest = whole != into.size();
  read_blocks(extent.file, std::span(list).first(rest ? 2 : 1), extent.offset);
  if (rest) std::memcpy(into.data() + whole, bounce.data(), into.size() - whole);
}

// Bytes that begin anywhere are read to the first block behind their begin, in one go, and moved down.
void SpillFile::read_bounced(const Extent& extent, std::span<std::byte> into, Bounce& bounce) {
  std::uint64_t offset = extent.offset;
  const std::size_t head = (kBlock - reinterpret_cast<std::uintptr_t>(into.data()) % kBlock) % kBlock;
  if (into.size() > kBounceBytes) {
    const std::size_t body = (into.size() - head) / kBlock * kBlock;
    iovec list{into.data() + head, body};
    read_blocks(extent.file, std::span(&list, 1), offset);
    std::memmove(into.data(), into.data() + head, body);
    into = into.subspan(body);
    offset += body;
  }
  while (!into.empty()) {
    const std::size_t part = std::min(into.size(), kBounceBytes);
    iovec list{bounce.data(), round_up(part)};
    read_blocks(extent.file, std::span(&list, 1), offset);
    std::memcpy(into.data(), bounce.data(), part);
    into = into.subspan(part);
    offset += part;
  }
}

void SpillFile::read(const SpillTicket& ticket, std::span<std::byte> into) {
  WEFT_ASSERT(ticket.valid() && into.size() == ticket.bytes, "a ticket is read into as many bytes as it was given for");
  if (into.empty()) return;
  Extent extent{ticket.segment, -1, ticket.offset};
  bool direct = false;
  {
    const std::lock_guard lock(mutex_);
    extent.file = segments_[ticket.segment].file;
    direct = direct_;
    reading_.begin(seconds_now());
  }
  int error_number = 0;
  try {
    Bounce bounce(*this);
    if (aligned(into.data()) && into.size() >= kBlock) {
      read_aligned(extent, into, bounce);
    } else {
      read_bounced(extent, into, bounce);
    }
  } catch (const DiskFailure& failure) {
    error_number = failure.error_number;
  } catch (const MemoryError&) {
    error_number = ENOMEM;
  }
  const std::uint64_t rounded = round_up(ticket.bytes);
  if (!direct) disk_.drop_cache(extent.file, static_cast<off_t>(extent.offset), static_cast<off_t>(rounded));
  {
    const std::lock_guard lock(mutex_);
    reading_.end(seconds_now(), rounded);
  }
  if (error_number != 0) {
    throw MemoryError("cannot read " + bytes_text(ticket.bytes) +
                      " back: " + spill_problem(options_.directory, error_number));
  }
  if (Checksum::of(into.data(), into.size()) != ticket.checksum) {
    throw MemoryError("damaged bytes came back from the spill directory '" + options_.directory + "' (" +
                      bytes_text(ticket.bytes) + " at " + std::to_string(ticket.offset) + " of segment " +
                      std::to_string(ticket.segment) +
                      "): its disk is not to be trusted; name another folder with --weft-spill-dir");
  }
}

void SpillFile::measure(std::size_t bytes) {
  Buffer noise = Buffer::allocate(std::max(bytes, kBlock));
  std::mt19937_64 random(1);
  for (std::size_t at = 0; at + sizeof(std::uint64_t) <= noise.size(); at += sizeof(std::uint64_t)) {
    const std::uint64_t word = random();
    std::memcpy(noise.data() + at, &word, sizeof word);
  }
  const SpillTicket ticket = write(std::span<const std::byte>(noise.data(), noise.size()));
  read(ticket, std::span(noise.data(), noise.size()));
  free(ticket);
}

}  // namespace weft
