// Work that is longer than one job of a batch system: each finished piece is a file, and a job that is started again
// does what is left. Shortly before the end of its time weft stops the body, and the program ends with 75;
// `weft submit --resume` writes a script that then hands the job in again.
//
//   resume FOLDER      does the pieces that have no file in FOLDER yet
#include <weft/weft.hpp>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

constexpr int kPieces = 200;

/// The longest Collatz chain of a stretch of numbers.
std::int64_t longest_chain(int piece) {
  std::int64_t longest = 0;
  for (std::int64_t start = 1 + piece * 10'000ll; start <= (piece + 1) * 10'000ll; ++start) {
    std::int64_t length = 1;
    for (std::int64_t n = start; n != 1; n = n % 2 == 0 ? n / 2 : 3 * n + 1) ++length;
    if (length > longest) longest = length;
  }
  return longest;
}

std::filesystem::path file_of(const std::string& folder, int piece) {
  return std::filesystem::path(folder) / ("piece-" + std::to_string(piece));
}

/// A task: computes a piece and leaves it in its file, whole or not at all.
int do_piece(int piece, const std::string& folder) {
  const std::filesystem::path file = file_of(folder, piece);
  const std::filesystem::path half = file.string() + ".half";
  std::ofstream(half) << longest_chain(piece) << "\n";
  std::filesystem::rename(half, file);
  return piece;
}

}  // namespace

int main(int argc, char** argv) {
  return weft::run(argc, argv, [](weft::Client& client, const weft::Args& args) {
    const std::string folder = args.empty() ? "pieces" : args[0];
    std::filesystem::create_directories(folder);
    std::vector<int> left;
    for (int piece = 0; piece < kPieces; ++piece) {
      if (!std::filesystem::exists(file_of(folder, piece))) left.push_back(piece);
    }
    std::printf("%zu of %d pieces are left\n", left.size(), kPieces);
    std::fflush(stdout);
    client.gather(client.map(do_piece, left, folder));  // throws when the time is over: the exit code is 75
    std::int64_t longest = 0;
    for (int piece = 0; piece < kPieces; ++piece) {
      std::int64_t length = 0;
      std::ifstream(file_of(folder, piece)) >> length;
      if (length > longest) longest = length;
    }
    std::printf("the longest chain below %d has %lld numbers\n", kPieces * 10'000, static_cast<long long>(longest));
  });
}
