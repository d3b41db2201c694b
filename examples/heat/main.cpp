// Heat in a rod that is cut into pieces: in each step a piece needs the ends of its neighbours. Pieces live in the
// memory of the workers that computed them; only ends travel. mpirun -n 4 heat
#include <weft/weft.hpp>

#include <cstdio>
#include <vector>

namespace {

constexpr int kPieces = 8;
constexpr int kCells = 5'000;  // of one piece
constexpr int kRounds = 20;
constexpr int kStepsARound = 50;  // a piece takes as many cells from its neighbours as it makes steps alone

using Cells = std::vector<double>;

Cells warm(int piece) { return Cells(kCells, piece == 3 ? 100.0 : 0.0); }

/// The cells of a piece that its neighbour on one side needs.
Cells left_end(const Cells& piece) { return {piece.begin(), piece.begin() + kStepsARound}; }
Cells right_end(const Cells& piece) { return {piece.end() - kStepsARound, piece.end()}; }

/// Makes a round of steps; the ends of the rod keep their heat inside.
Cells spread(const Cells& left, const Cells& piece, const Cells& right) {
  Cells all = left;
  all.insert(all.end(), piece.begin(), piece.end());
  all.insert(all.end(), right.begin(), right.end());
  Cells next = all;
  for (int step = 0; step < kStepsARound; ++step) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      const double before = i == 0 ? all[i] : all[i - 1];
      const double after = i + 1 == all.size() ? all[i] : all[i + 1];
      next[i] = all[i] + 0.25 * (before - 2 * all[i] + after);
    }
    all.swap(next);
  }
  return {all.begin() + static_cast<std::ptrdiff_t>(left.size()),
          all.end() - static_cast<std::ptrdiff_t>(right.size())};
}

double heat_of(const Cells& piece) {
  double sum = 0;
  for (const double cell : piece) sum += cell;
  return sum / kCells;
}

}  // namespace

int main(int argc, char** argv) {
  return weft::run(argc, argv, [](weft::Client& client, weft::Args) {
    std::vector<weft::Future<Cells>> rod;
    for (int piece = 0; piece < kPieces; ++piece) rod.push_back(client.submit(warm, piece));
    const weft::Future<Cells> nothing = client.submit([] { return Cells(); });
    for (int round = 0; round < kRounds; ++round) {
      std::vector<weft::Future<Cells>> next;
      for (std::size_t i = 0; i < kPieces; ++i) {
        const auto left = i == 0 ? nothing : client.submit(right_end, rod[i - 1]);
        const auto right = i + 1 == kPieces ? nothing : client.submit(left_end, rod[i + 1]);
        next.push_back(client.submit(spread, left, rod[i], right));
      }
      rod = std::move(next);
    }
    double all = 0;
    for (auto& piece : rod) {
      const double heat = client.submit(heat_of, piece).result();
      std::printf("%7.3f", heat);
      all += heat;
    }
    std::printf("\nin all %.3f, as at the start\n", all);
  });
}
