#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weft::launch {

/// Cuts what a worker writes into lines, puts a prefix before each, and holds lines back when there are too many.
///
/// For: one stream of one worker. Owns: the unfinished line. Threading: one thread.
class OutputLines {
 public:
  static constexpr std::size_t kLongestLine = 16 * 1024;

  explicit OutputLines(double most_lines_a_second) : rate_(most_lines_a_second), allowance_(2 * most_lines_a_second) {}

  /// Takes more of the stream at the given time; returns whole lines with `prefix`, ready to be shown.
  std::string take(std::string_view bytes, std::string_view prefix, double now_s);
  /// Returns the unfinished line, and how many lines are still being held back.
  std::string finish(std::string_view prefix);
  std::uint64_t held_back() const { return held_back_; }
  /// The last lines, shown or not: what a worker said before its end.
  const std::string& tail() const { return tail_; }

 private:
  void add(std::string& out, std::string_view line, std::string_view prefix);

  const double rate_;
  double allowance_;
  double last_s_ = 0;
  std::string rest_;
  std::string tail_;
  std::uint64_t held_back_ = 0;
  std::uint64_t unsaid_ = 0;
};

/// Keeps the full output of a worker in a nameless file, mode 0600, of which nothing stays unless it is asked to.
/// Owns: the file. Threading: one thread.
class OutputFile {
 public:
  OutputFile() = default;
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// Opens it in `folder`; with a name from the start if `named`. Where that fails nothing is kept.
  void open(const std::string& folder, const std::string& name, bool named);
  void write(std::string_view bytes);
  /// Gives it its name; returns the path, or "" where that is not possible.
  std::string keep();

 private:
  int descriptor_ = -1;
  bool named_ = false;
  std::string path_;
};

}  // namespace weft::launch
