// Reads a CSV file in blocks and writes what it read: csv_oracle.py compares the two by pandas.
// usage: csv_copy FILE BYTES_OF_A_BLOCK [COLUMN_OF_DATES...]
#include "frames/files/csv.hpp"

#include <weft/error.hpp>

#include <cstdio>
#include <cstdlib>

int main(int count, char** words) {
  using namespace weft;
  if (count < 3) return 2;
  try {
    CsvOptions options;
    options.blocksize = std::strtoull(words[2], nullptr, 10);
    options.dates.assign(words + 3, words + count);
    const frames::CsvFormat format = frames::plan_csv({words[1]}, options);
    bool header = true;
    for (const frames::FilePiece& piece : frames::cut_csv({words[1]}, options)) {
      const std::string text = frames::csv_text(frames::read_csv_piece(piece, format, {}), {}, header);
      std::fwrite(text.data(), 1, text.size(), stdout);
      header = false;
    }
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
