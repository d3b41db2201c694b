#include "core/messages/recording.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <weft/error.hpp>

namespace weft {

namespace {

// A frame is: 32-bit length of the payload, 32 bits of its checksum, the payload. The payload begins with its kind:
//   Start            magic word, version
//   SchedulerBegins  options            WorkerBegins  options
//   SchedulerEvent   event, number of actions, their checksum
//   WorkerEvent      worker, event, number of actions, their checksum
enum class Frame : std::uint8_t { Start, SchedulerBegins, WorkerBegins, SchedulerEvent, WorkerEvent };

constexpr std::uint32_t kMagic = 0x54464557;  // "WEFT"
constexpr std::size_t kHeadBytes = 8;

template <class T>
void append(T value, Bytes& out) {
  for (std::size_t i = 0; i != sizeof(T); ++i) out.push_back(static_cast<std::byte>(value >> (8 * i) & 0xff));
}

template <class T>
bool take(ByteView& in, T& value) {
  if (in.size() < sizeof(T)) return false;
  value = 0;
  for (std::size_t i = 0; i != sizeof(T); ++i)
    value |= static_cast<T>(std::to_integer<std::uint64_t>(in[i]) << (8 * i));
  in = in.subspan(sizeof(T));
  return true;
}

void encode_actions(const SchedulerActions& actions, std::size_t first, Bytes& out) {
  for (std::size_t i = first; i != actions.list.size(); ++i) encode(actions.list[i], actions.inputs, out);
}

void encode_actions(const WorkerActions& actions, std::size_t first, Bytes& out) {
  for (std::size_t i = first; i != actions.list.size(); ++i) encode(actions.list[i], out);
}

Bytes read_file(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) throw ConfigError(fmt::format("cannot read the recording {}: {}", path, std::strerror(errno)));
  Bytes bytes;
  std::byte block[65536];
  for (std::size_t got; (got = std::fread(block, 1, sizeof block, file)) != 0;)
    bytes.insert(bytes.end(), block, block + got);
  std::fclose(file);
  return bytes;
}

/// Takes frames one by one and drives the machines that they name.
class Replayer {
 public:
  explicit Replayer(const std::string& path) : path_(path) {}

  ReplayReport run() {
    const Bytes bytes = read_file(path_);
    ByteView in(bytes);
    bool started = false;
    while (in.size() >= kHeadBytes && report_.difference.empty()) {
      ByteView rest = in;
      std::uint32_t length = 0;
      std::uint32_t sum = 0;
      if (!take(rest, length) || !take(rest, sum) || rest.size() < length) break;
      const ByteView payload = rest.first(length);
      if (static_cast<std::uint32_t>(checksum(payload)) != sum) break;
      if (!started)
        check_start(payload);
      else
        play(payload);
      started = true;
      in = rest.subspan(length);
    }
    if (!started)
      throw ConfigError(fmt::format("{} is not a recording of weft, or it ends before its first event", path_));
    if (report_.difference.empty()) report_.torn_bytes = in.size();
    return report_;
  }

 private:
  void check_start(ByteView payload) const {
    std::uint8_t kind = 0;
    std::uint32_t magic = 0;
    std::uint16_t version = 0;
    const bool is_start = take(payload, kind) && take(payload, magic) && take(payload, version);
    if (!is_start || kind != static_cast<std::uint8_t>(Frame::Start) || magic != kMagic)
      throw ConfigError(fmt::format("{} is not a recording of weft", path_));
    if (version != kMessagesVersion)
      throw ConfigError(
          fmt::format("{} was recorded with version {} of weft's messages, this program has {}: replay it "
                      "with the program that recorded it",
                      path_, version, kMessagesVersion));
  }

  void play(ByteView payload) {
    std::uint8_t kind = 0;
    bool good = take(payload, kind);
    switch (static_cast<Frame>(kind)) {
      case Frame::Start:
        good = false;
        break;
      case Frame::SchedulerBegins:
        good = good && begin_scheduler(payload);
        break;
      case Frame::WorkerBegins:
        good = good && begin_worker(payload);
        break;
      case Frame::SchedulerEvent:
        good = good && play_scheduler(payload);
        break;
      case Frame::WorkerEvent:
        good = good && play_worker(payload);
        break;
      default:
        good = false;
    }
    if (!good)
      throw ConfigError(fmt::format("{}: frame after event {} holds no message of weft", path_, report_.events));
  }

  bool begin_scheduler(ByteView payload) {
    SchedulerOptions options;
    if (!decode(payload, options)) return false;
    scheduler_.emplace(options);
    report_.has_scheduler = true;
    return true;
  }

  bool begin_worker(ByteView payload) {
    WorkerOptions options;
    if (!decode(payload, options)) return false;
    workers_[options.id] = std::make_unique<Worker>(options);
    report_.workers = static_cast<std::uint32_t>(workers_.size());
    return true;
  }

  bool play_scheduler(ByteView payload) {
    SchedulerEvent event;
    if (!scheduler_ || !decode(payload, event)) return false;
    SchedulerActions actions;
    scheduler_->handle(event, actions);
    return compare("the scheduler", actions, payload);
  }

  bool play_worker(ByteView payload) {
    WorkerId id = 0;
    WorkerEvent event;
    if (!take(payload, id) || workers_.count(id) == 0 || !decode(payload, event)) return false;
    WorkerActions actions;
    workers_[id]->handle(event, actions);
    return compare(fmt::format("worker {}", id), actions, payload);
  }

  template <class Actions>
  bool compare(const std::string& who, const Actions& actions, ByteView payload) {
    std::uint32_t count = 0;
    std::uint64_t sum = 0;
    if (!take(payload, count) || !take(payload, sum)) return false;
    bytes_.clear();
    encode_actions(actions, 0, bytes_);
    if (count != actions.list.size() || sum != checksum(bytes_)) {
      report_.difference = fmt::format("event {}, of {}: {} actions were recorded and {} come now{}", report_.events,
                                       who, count, actions.list.size(), count == actions.list.size() ? ", others" : "");
    }
    ++report_.events;
    report_.actions += count;
    return true;
  }

  const std::string& path_;
  ReplayReport report_;
  std::optional<Scheduler> scheduler_;
  std::map<WorkerId, std::unique_ptr<Worker>> workers_;
  Bytes bytes_;
};

}  // namespace

Recorder::Recorder(const std::string& path) : file_(std::fopen(path.c_str(), "wb")), path_(path) {
  if (file_ == nullptr) throw ConfigError(fmt::format("cannot write the recording {}: {}", path, std::strerror(errno)));
  frame_.clear();
  append(static_cast<std::uint8_t>(Frame::Start), frame_);
  append(kMagic, frame_);
  append(kMessagesVersion, frame_);
  write_frame();
  flush();
}

Recorder::~Recorder() = default;

void Recorder::begin(const SchedulerOptions& options) {
  frame_.clear();
  append(static_cast<std::uint8_t>(Frame::SchedulerBegins), frame_);
  encode(options, frame_);
  write_frame();
}

void Recorder::begin(const WorkerOptions& options) {
  frame_.clear();
  append(static_cast<std::uint8_t>(Frame::WorkerBegins), frame_);
  encode(options, frame_);
  write_frame();
}

void Recorder::record(const SchedulerEvent& event, const SchedulerActions& actions, std::size_t first_action) {
  actions_.clear();
  encode_actions(actions, first_action, actions_);
  frame_.clear();
  append(static_cast<std::uint8_t>(Frame::SchedulerEvent), frame_);
  encode(event, frame_);
  append(static_cast<std::uint32_t>(actions.list.size() - first_action), frame_);
  append(checksum(actions_), frame_);
  write_frame();
}

void Recorder::record(WorkerId worker, const WorkerEvent& event, const WorkerActions& actions,
                      std::size_t first_action) {
  actions_.clear();
  encode_actions(actions, first_action, actions_);
  frame_.clear();
  append(static_cast<std::uint8_t>(Frame::WorkerEvent), frame_);
  append(worker, frame_);
  encode(event, frame_);
  append(static_cast<std::uint32_t>(actions.list.size() - first_action), frame_);
  append(checksum(actions_), frame_);
  write_frame();
}

void Recorder::write_frame() {
  Bytes head;
  append(static_cast<std::uint32_t>(frame_.size()), head);
  append(static_cast<std::uint32_t>(checksum(frame_)), head);
  const bool written = std::fwrite(head.data(), 1, head.size(), file_.get()) == head.size() &&
                       std::fwrite(frame_.data(), 1, frame_.size(), file_.get()) == frame_.size();
  if (!written) throw ConfigError(fmt::format("cannot write the recording {}: {}", path_, std::strerror(errno)));
}

void Recorder::flush() { std::fflush(file_.get()); }

ReplayReport replay(const std::string& path) { return Replayer(path).run(); }

}  // namespace weft
