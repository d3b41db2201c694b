#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weft {

/// How the text of an option is read.
enum class OptionKind : std::uint8_t {
  Bool,      ///< on, off, true, false, yes, no, 1, 0
  Count,     ///< an integer from 0 on
  Number,    ///< a number from 0 on
  Bytes,     ///< a size: 4096, 64KiB, 1.5GB
  Share,     ///< a size, or a share such as 80%
  Duration,  ///< a time: 500ms, 10s, 2min, 1h; plain numbers are seconds
  Text,
  Choice,  ///< one of the listed words
  Levels,  ///< log levels: info,scheduler=debug
};

/// An amount of memory as configured: a size, a share of some whole, or (both zero) "choose for me".
struct ByteAmount {
  std::uint64_t bytes = 0;
  double fraction = 0;

  bool automatic() const { return bytes == 0 && fraction == 0; }
  /// Returns the size, or the share of `whole`; 0 if automatic.
  std::uint64_t of(std::uint64_t whole) const {
    return fraction > 0 ? static_cast<std::uint64_t>(fraction * static_cast<double>(whole)) : bytes;
  }
};

namespace detail {
/// What numbers may be given as; a bool, a character and a pointer are none.
template <class T>
concept PlainNumber = std::is_arithmetic_v<T> && !std::is_same_v<T, bool> && !std::is_same_v<T, char>;

/// Spells a number as options are written; throws ConfigError for one that is not finite.
std::string spelled_number(double value);
/// Returns a text that a program gave; throws ConfigError for a null pointer.
std::string given_words(const char* text);
}  // namespace detail

/// A size or a time given in a program: a plain number (bytes, seconds) or a text with its unit ("4GiB", "500ms").
class Quantity {
 public:
  Quantity(const char* text) : text_(detail::given_words(text)) {}
  Quantity(std::string text) : text_(std::move(text)) {}
  template <detail::PlainNumber T>
  Quantity(T value) {
    if constexpr (std::is_floating_point_v<T>) {
      text_ = detail::spelled_number(static_cast<double>(value));
    } else {
      text_ = std::to_string(value);
    }
  }

  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// Whether something is on, given in a program: a bool, or what the command line takes ("off", 0).
class Switch {
 public:
  template <class T>
  requires std::is_same_v<T, bool> Switch(T on) : text_(on ? "on" : "off") {}
  template <detail::PlainNumber T>
  requires std::is_integral_v<T> Switch(T on) : text_(std::to_string(on)) {}
  Switch(const char* word) : text_(detail::given_words(word)) {}
  Switch(std::string word) : text_(std::move(word)) {}

  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// A whole number given in a program. What has a point is refused by the compiler, what is below 0 with the other
/// values that cannot be.
class WholeNumber {
 public:
  template <detail::PlainNumber T>
  requires std::is_integral_v<T> WholeNumber(T value) : text_(std::to_string(value)) {}

  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// A number given in a program.
class AnyNumber {
 public:
  template <detail::PlainNumber T>
  AnyNumber(T value) : text_(detail::spelled_number(static_cast<double>(value))) {}

  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// A word, a name or a path given in a program.
class Words {
 public:
  Words(const char* text) : text_(detail::given_words(text)) {}
  template <class T>
  requires(!std::is_null_pointer_v<T> && std::is_convertible_v<const T&, std::string>) Words(const T& text)
      : text_(text) {}
  Words(std::string_view text) : text_(text) {}

  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

namespace detail {

// What a program gives for an option of a kind, and what a resolved setting holds.
template <OptionKind>
struct OptionType {
  using Given = Words;
  using Value = std::string;
};
template <>
struct OptionType<OptionKind::Bool> {
  using Given = Switch;
  using Value = bool;
};
template <>
struct OptionType<OptionKind::Count> {
  using Given = WholeNumber;
  using Value = std::int64_t;
};
template <>
struct OptionType<OptionKind::Number> {
  using Given = AnyNumber;
  using Value = double;
};
template <>
struct OptionType<OptionKind::Bytes> {
  using Given = Quantity;
  using Value = std::uint64_t;
};
template <>
struct OptionType<OptionKind::Share> {
  using Given = Quantity;
  using Value = ByteAmount;
};
template <>
struct OptionType<OptionKind::Duration> {
  using Given = Quantity;
  using Value = double;  // seconds
};

}  // namespace detail

/// Options given in the program, which win over the command line, the environment and files. Unset fields say nothing:
/// `Options{.threads = 4, .memory = "2GiB"}`. The fields, in this order, are those of docs/configuration.md.
struct Options {
#define WEFT_OPTION(field, kind, initial, choices, room, description) \
  std::optional<detail::OptionType<OptionKind::kind>::Given> field = {};
#include <weft/options.def>
#undef WEFT_OPTION
};

inline constexpr std::size_t kOptionCount = 0
#define WEFT_OPTION(field, kind, initial, choices, room, description) +1
#include <weft/options.def>
#undef WEFT_OPTION
    ;

/// Where a setting came from, strongest last.
enum class Source : std::uint8_t { Default, File, Environment, CommandLine, Program };

struct Origin {
  Source source = Source::Default;
  std::string where;  ///< "default", "weft.toml:3", "WEFT_THREADS", "--weft-threads", "program"
};

/// All options with their values and where each came from. A plain value; made by resolve().
struct Settings {
#define WEFT_OPTION(field, kind, initial, choices, room, description) \
  detail::OptionType<OptionKind::kind>::Value field{};
#include <weft/options.def>
#undef WEFT_OPTION
  /// Indexed as the fields are ordered.
  std::array<Origin, kOptionCount> origins = {};

  /// Returns where an option ("spill-dir") came from; throws ConfigError with the nearest name if there is none.
  const Origin& origin(std::string_view option) const;
};

/// Returns the settings of this process: program > command line > environment > configuration file > default.
/// Takes the `--weft-*` options (up to a `--`) out of argv and leaves the rest in order. Throws ConfigError for an
/// unknown name (naming the nearest) and for a value that cannot be read, with the place it stands at.
Settings resolve(int& argc, char** argv, const Options& options = {});
/// As above for a program that has no argv at hand.
Settings resolve(const Options& options = {});

/// Returns a table of every option, its value and where it came from: what `weft config` prints.
std::string config_table(const Settings& settings);
/// Returns docs/configuration.md.
std::string config_markdown();

}  // namespace weft
