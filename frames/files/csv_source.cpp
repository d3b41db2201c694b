#include "frames/files/csv_source.hpp"

#include "frames/files/csv_scan.hpp"

#include "core/diagnostics/assert.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <array>
#include <cstring>

namespace weft::frames {
namespace {

constexpr std::size_t kPiece = std::size_t{256} << 10;

}  // namespace

CsvText::CsvText(const std::string& path) : file_(path) {
  std::array<std::byte, 4> first{};
  if (file_.size() < first.size()) return;
  file_.read(0, first.data(), first.size());
  packing_ = io::packing_of(first);
  if (!packed()) return;
  const auto source = [this, at = std::uint64_t{0}](std::span<std::byte> out) mutable {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), file_.size() - at));
    if (count != 0) file_.read(at, out.data(), count);
    at += count;
    return count;
  };
  unpacker_ = std::make_unique<io::Unpacker>(path, packing_, source);
}

std::size_t CsvText::read(char* to, std::size_t most) {
  std::size_t count = 0;
  if (packed()) {
    count = unpacker_->read(std::as_writable_bytes(std::span(to, most)));
  } else {
    count = static_cast<std::size_t>(std::min<std::uint64_t>(most, file_.size() - std::min(place_, file_.size())));
    if (count != 0) file_.read(place_, to, count);
  }
  place_ += count;
  return count;
}

void CsvText::seek(std::uint64_t place) {
  if (!packed()) {
    place_ = place;
    return;
  }
  WEFT_ASSERT(place >= place_, "a packed text is read onwards only");
  std::vector<char> skipped(kPiece);
  while (place_ < place) {
    if (read(skipped.data(), static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, place - place_))) == 0) return;
  }
}

CsvWindow::CsvWindow(CsvText& text, std::uint64_t first) : text_(text), offset_(first) { text.seek(first); }

void CsvWindow::more(std::size_t most) {
  // An end of line may come to the last byte.
  const std::size_t need = size_ + most + 1;
  if (need > room_) {
    room_ = std::max(need, room_ + room_ / 2);
    auto wider = std::make_unique_for_overwrite<char[]>(room_ + CsvScanner::kPadding);
    if (size_ != 0) std::memcpy(wider.get(), bytes_.get(), size_);
    bytes_ = std::move(wider);
  }
  const std::size_t got = text_.read(bytes_.get() + size_, most);
  size_ += got;
  if (got < most && !ended_) {
    ended_ = true;
    if (size_ != 0 && bytes_[size_ - 1] != '\n') bytes_[size_++] = '\n';
  }
  std::memset(bytes_.get() + size_, 0, CsvScanner::kPadding);
}

void CsvWindow::drop(std::size_t count) {
  size_ -= count;
  offset_ += count;
  if (count != 0 && size_ != 0) std::memmove(bytes_.get(), bytes_.get() + count, size_);
}

void CsvWindow::restart(std::uint64_t place) {
  text_.seek(place);
  offset_ = place;
  size_ = 0;
  ended_ = false;
}

std::uint64_t line_of(const std::string& path, std::uint64_t place) {
  CsvText text(path);
  std::vector<char> bytes(kPiece);
  std::uint64_t line = 1;
  while (place != 0) {
    const std::size_t got = text.read(bytes.data(), static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, place)));
    if (got == 0) break;
    line += static_cast<std::uint64_t>(std::count(bytes.data(), bytes.data() + got, '\n'));
    place -= got;
  }
  return line;
}

}  // namespace weft::frames
