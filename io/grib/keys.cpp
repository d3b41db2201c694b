#include "io/grib/keys.hpp"

#include "io/files/open_file.hpp"
#include "io/grib/messages.hpp"
#include "io/grib/parameter_names.hpp"

#include <cmath>
#include <limits>
#include <mutex>
#include <type_traits>

#if WEFT_HAS_ECCODES
#include <dlfcn.h>
#include <eccodes.h>
#endif

namespace weft::io::grib {

bool has_eccodes() { return WEFT_HAS_ECCODES; }

#if WEFT_HAS_ECCODES
namespace {

std::mutex& library() {
  static std::mutex mutex;
  return mutex;
}

/// What is used of ecCodes.
struct Codes {
  decltype(&codes_context_get_default) context;
  decltype(&codes_context_set_logging_proc) set_logging;
  decltype(&codes_handle_new_from_message) open;
  decltype(&codes_handle_delete) close;
  decltype(&codes_get_string) get_string;
  decltype(&codes_get_long) get_long;
  decltype(&codes_get_double) get_double;
  decltype(&codes_is_defined) is_defined;
  decltype(&codes_set_double) set_double;
  decltype(&codes_get_size) get_size;
  decltype(&codes_get_double_array) get_doubles;
  decltype(&codes_get_error_message) error_text;
  /// Null where it is not known.
  decltype(&codes_definition_path) definitions;
};

/// Loads the library when it is first needed.
const Codes& codes(const std::string& path) {
  static Codes known{};
  static void* handle = nullptr;
  if (handle != nullptr) return known;
  for (const char* const name : {WEFT_ECCODES_LIBRARY, "libeccodes.so.0", "libeccodes.so"}) {
    handle = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (handle != nullptr) break;
  }
  if (handle == nullptr) fail(path, "is of GRIB, and ecCodes, which reads that, cannot be loaded: libeccodes0 has it");
  bool complete = true;
  const auto find = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(handle, name));
    complete = complete && function != nullptr;
  };
  find(known.context, "codes_context_get_default");
  find(known.set_logging, "codes_context_set_logging_proc");
  find(known.open, "codes_handle_new_from_message");
  find(known.close, "codes_handle_delete");
  find(known.get_string, "codes_get_string");
  find(known.get_long, "codes_get_long");
  find(known.get_double, "codes_get_double");
  find(known.is_defined, "codes_is_defined");
  find(known.set_double, "codes_set_double");
  find(known.get_size, "codes_get_size");
  find(known.get_doubles, "codes_get_double_array");
  find(known.error_text, "codes_get_error_message");
  known.definitions = reinterpret_cast<decltype(&codes_definition_path)>(::dlsym(handle, "codes_definition_path"));
  if (complete) return known;
  handle = nullptr;
  fail(path, "is of GRIB, and the ecCodes that is installed lacks functions: 2.0 or later is needed");
}

/// A message that ecCodes looks at.
/// Owns: the handle; not the bytes.  Threading: under library().
class Message {
 public:
  Message(const std::string& path, std::span<const std::byte> bytes) : path_(path), codes_(codes(path)) {
    // What it has to say of damaged messages comes back as a number; it need not print it, too.
    codes_.set_logging(codes_.context(), [](const codes_context*, int, const char*) {});
    handle_ = codes_.open(nullptr, bytes.data(), bytes.size());
    if (handle_ == nullptr) fail(path, "has a GRIB message that ecCodes cannot read");
  }
  ~Message() { codes_.close(handle_); }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;

  std::string text(const char* key) const {
    char value[256];
    std::size_t length = sizeof value;
    if (codes_.get_string(handle_, key, value, &length) != CODES_SUCCESS) return {};
    return value;
  }
  long whole(const char* key, long otherwise) const {
    long value = otherwise;
    return codes_.get_long(handle_, key, &value) == CODES_SUCCESS ? value : otherwise;
  }
  double real(const char* key, double otherwise) const {
    double value = otherwise;
    return codes_.get_double(handle_, key, &value) == CODES_SUCCESS ? value : otherwise;
  }
  /// The folders of its tables.
  std::string definitions() const {
    const char* const path = codes_.definitions == nullptr ? nullptr : codes_.definitions(codes_.context());
    return path == nullptr ? std::string() : path;
  }
  bool has(const char* key) const { return codes_.is_defined(handle_, key) != 0; }
  void set(const char* key, double value) { codes_.set_double(handle_, key, value); }
  std::vector<double> reals(const char* key) const {
    std::size_t count = 0;
    int error = codes_.get_size(handle_, key, &count);
    if (error == CODES_SUCCESS && count > (std::size_t{1} << 31))
      fail(path_, "has a GRIB message with too many points");
    std::vector<double> values(error == CODES_SUCCESS ? count : 0);
    if (error == CODES_SUCCESS) error = codes_.get_doubles(handle_, key, values.data(), &count);
    if (error != CODES_SUCCESS) {
      fail(path_, std::string("ecCodes cannot tell '") + key + "' of a message: " + codes_.error_text(error));
    }
    values.resize(count);
    return values;
  }

 private:
  const std::string& path_;
  const Codes& codes_;
  codes_handle* handle_ = nullptr;
};

/// Seconds in a unit of steps, by its code.
double seconds_of(long unit) {
  switch (unit) {
    case 0:
      return 60;
    case 2:
      return 86400;
    case 10:
      return 3 * 3600;
    case 11:
      return 6 * 3600;
    case 12:
      return 12 * 3600;
    case 13:
      return 1;
    case 14:
      return 900;
    case 15:
      return 1800;
    default:
      return 3600;
  }
}

/// The names of a centre's parameters; one for each that was met.
ParameterNames& names_of(const Message& message, const std::string& centre) {
  static std::map<std::pair<int, std::string>, ParameterNames>& known =
      *new std::map<std::pair<int, std::string>, ParameterNames>;
  const auto edition = static_cast<int>(message.whole("edition", 0));
  return known.try_emplace({edition, centre}, message.definitions(), edition, centre).first->second;
}

}  // namespace

FieldKeys read_keys(const std::string& path, std::span<const std::byte> bytes) {
  const std::scoped_lock lock(library());
  const Message message(path, bytes);
  FieldKeys keys;
  const auto known = [&](const char* key) {
    const std::string value = message.text(key);
    return value == "unknown" ? std::string() : value;
  };
  keys.parameter = message.whole("paramId", 0);
  keys.centre = known("centre");
  ParameterNames& names = names_of(message, keys.centre);
  // ecCodes is asked for what the files do not tell alone.
  const auto called = [&](const char* kind) {
    const std::optional<std::string> found = keys.parameter > 0 ? names.find(kind, keys.parameter) : std::nullopt;
    return found ? *found : known(kind);
  };
  keys.name = called("cfVarName");
  keys.short_name = called("shortName");
  keys.long_name = called("name");
  keys.standard_name = known("cfName");
  keys.units = called("units");
  keys.level_type = known("typeOfLevel");
  keys.step_type = known("stepType");
  keys.grid_type = known("gridType");
  keys.grid = message.text("md5GridSection");
  keys.level = message.real("level", 0);
  const std::int64_t date = message.whole("dataDate", 19700101);
  const std::int64_t clock = message.whole("dataTime", 0);
  keys.time = days_of(date / 10000, date / 100 % 100, date % 100) * 86400 + clock / 100 * 3600 + clock % 100 * 60 +
              message.whole("second", 0);
  keys.step_hours = static_cast<double>(message.whole("endStep", 0)) * seconds_of(message.whole("stepUnits", 1)) / 3600;
  keys.has_member = message.has("number");
  keys.member = message.whole("number", 0);
  keys.points = message.whole("numberOfPoints", 0);
  // Reduced grids have no number of columns: a missing number is the largest there is.
  keys.rows = message.whole("Nj", message.whole("Ny", 0));
  keys.columns = message.whole("Ni", message.whole("Nx", 0));
  const bool in_rows = keys.rows > 0 && keys.columns > 0 && keys.columns < (1 << 30) && keys.rows < (1 << 30) &&
                       keys.rows * keys.columns == keys.points && keys.grid_type.rfind("reduced", 0) != 0;
  if (!in_rows) keys.rows = keys.columns = 0;
  keys.columns_first = in_rows && message.whole("jPointsAreConsecutive", 0) != 0;
  keys.alternating = message.whole("alternativeRowScanning", 0) != 0;
  return keys;
}

void read_places(const std::string& path, std::span<const std::byte> bytes, bool distinct,
                 std::vector<double>& latitudes, std::vector<double>& longitudes) {
  const std::scoped_lock lock(library());
  const Message message(path, bytes);
  latitudes = message.reals(distinct ? "distinctLatitudes" : "latitudes");
  longitudes = message.reals(distinct ? "distinctLongitudes" : "longitudes");
}

void unpack(const std::string& path, std::span<const std::byte> bytes, std::uint64_t points, float* out) {
  const std::scoped_lock lock(library());
  Message message(path, bytes);
  constexpr double kNone = -1.5e300;
  message.set("missingValue", kNone);
  const std::vector<double> values = message.reals("values");
  if (values.size() != points) {
    fail(path, "has a field of " + std::to_string(values.size()) + " values for " + std::to_string(points) + " places");
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    out[i] = values[i] == kNone ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(values[i]);
  }
}

#else

namespace {
[[noreturn]] void lacks(const std::string& path) {
  fail(path, "is GRIB, and this build of weft lacks ecCodes: install libeccodes-dev and build again");
}
/// The names of a centre's parameters; one for each that was met.
ParameterNames& names_of(const Message& message, const std::string& centre) {
  static std::map<std::pair<int, std::string>, ParameterNames>& known =
      *new std::map<std::pair<int, std::string>, ParameterNames>;
  const auto edition = static_cast<int>(message.whole("edition", 0));
  return known.try_emplace({edition, centre}, message.definitions(), edition, centre).first->second;
}

}  // namespace

FieldKeys read_keys(const std::string& path, std::span<const std::byte>) { lacks(path); }
void read_places(const std::string& path, std::span<const std::byte>, bool, std::vector<double>&,
                 std::vector<double>&) {
  lacks(path);
}
void unpack(const std::string& path, std::span<const std::byte>, std::uint64_t, float*) { lacks(path); }

#endif

}  // namespace weft::io::grib
