// Grid search: principal components, then logistic regression; every number of components with every strength of the
// penalty, each judged by five folds. Every pipeline is written out whole. The calls are pure, so that what several of
// them begin with (the parts of the data, the components) runs once: 20 fits of components for 80 pipelines.
// Alone, or on every rank: mpirun -n 4 grid_search
#include <weft/weft.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <map>
#include <numeric>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t kRows = 400, kColumns = 12, kFolds = 5;

/// Rows by columns, and the class (0 or 1) of each row.
struct Samples {
  std::size_t rows = 0, columns = 0;
  std::vector<double> values;
  std::vector<double> classes;

  double at(std::size_t row, std::size_t column) const { return values[row * columns + column]; }
};

/// The means of all columns, and the directions that explain most, one a row.
struct Components {
  std::vector<double> means;
  std::vector<std::vector<double>> directions;
};

/// A weight for each column, and the constant last.
struct Model {
  std::vector<double> weights;
};

struct Score {
  double accuracy = 0;
  double log_loss = 0;
};

/// Two classes that three hidden causes tell apart, not quite; with a generator that other languages can repeat.
Samples make_samples(std::uint64_t seed) {
  std::uint64_t state = seed;
  const auto uniform = [&state] {
    std::uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return static_cast<double>((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
  };
  const auto normal = [&] {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += uniform();
    return sum;
  };
  std::vector<double> loads(3 * kColumns);
  for (double& load : loads) load = normal();
  Samples samples{kRows, kColumns, {}, {}};
  for (std::size_t row = 0; row < kRows; ++row) {
    const double causes[3] = {2 * normal(), normal(), normal()};
    for (std::size_t column = 0; column < kColumns; ++column) {
      double value = 0.5 * normal();
      for (std::size_t cause = 0; cause < 3; ++cause) value += causes[cause] * loads[cause * kColumns + column];
      samples.values.push_back(value);
    }
    samples.classes.push_back(causes[1] + causes[2] + 0.7 * normal() > 0 ? 1 : 0);
  }
  return samples;
}

/// The rows of one fold, or all but these.
Samples part_of(const Samples& all, std::size_t fold, bool inside) {
  Samples part{0, all.columns, {}, {}};
  for (std::size_t row = 0; row < all.rows; ++row) {
    if ((row * kFolds / all.rows == fold) != inside) continue;
    const auto begin = all.values.begin() + static_cast<std::ptrdiff_t>(row * all.columns);
    part.values.insert(part.values.end(), begin, begin + static_cast<std::ptrdiff_t>(all.columns));
    part.classes.push_back(all.classes[row]);
    ++part.rows;
  }
  return part;
}

/// The eigenvectors of a symmetric matrix by Jacobi's rotations, the largest eigenvalue first.
std::vector<std::vector<double>> eigenvectors(std::vector<std::vector<double>> matrix) {
  const std::size_t n = matrix.size();
  std::vector<std::vector<double>> vectors(n, std::vector<double>(n));
  for (std::size_t i = 0; i < n; ++i) vectors[i][i] = 1;
  for (int sweep = 0; sweep < 60; ++sweep) {
    for (std::size_t p = 0; p + 1 < n; ++p) {
      for (std::size_t q = p + 1; q < n; ++q) {
        if (std::abs(matrix[p][q]) < 1e-300) continue;
        const double theta = (matrix[q][q] - matrix[p][p]) / (2 * matrix[p][q]);
        const double t = (theta >= 0 ? 1 : -1) / (std::abs(theta) + std::sqrt(theta * theta + 1));
        const double c = 1 / std::sqrt(t * t + 1), s = t * c;
        for (std::size_t k = 0; k < n; ++k) {
          const double a = matrix[k][p], b = matrix[k][q];
          matrix[k][p] = c * a - s * b;
          matrix[k][q] = s * a + c * b;
        }
        for (std::size_t k = 0; k < n; ++k) {
          const double a = matrix[p][k], b = matrix[q][k];
          matrix[p][k] = c * a - s * b;
          matrix[q][k] = s * a + c * b;
        }
        for (std::size_t k = 0; k < n; ++k) {
          const double a = vectors[p][k], b = vectors[q][k];
          vectors[p][k] = c * a - s * b;
          vectors[q][k] = s * a + c * b;
        }
      }
    }
  }
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return matrix[a][a] > matrix[b][b]; });
  std::vector<std::vector<double>> sorted;
  for (const std::size_t i : order) sorted.push_back(vectors[i]);
  return sorted;
}

Components fit_components(const Samples& samples, std::size_t count) {
  const std::size_t n = samples.columns;
  Components fitted;
  fitted.means.assign(n, 0);
  for (std::size_t row = 0; row < samples.rows; ++row) {
    for (std::size_t i = 0; i < n; ++i) fitted.means[i] += samples.at(row, i) / static_cast<double>(samples.rows);
  }
  std::vector<std::vector<double>> products(n, std::vector<double>(n));
  for (std::size_t row = 0; row < samples.rows; ++row) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j)
        products[i][j] += (samples.at(row, i) - fitted.means[i]) * (samples.at(row, j) - fitted.means[j]);
    }
  }
  fitted.directions = eigenvectors(std::move(products));
  fitted.directions.resize(count);
  return fitted;
}

Samples project(const Components& components, const Samples& samples) {
  Samples projected{samples.rows, components.directions.size(), {}, samples.classes};
  for (std::size_t row = 0; row < samples.rows; ++row) {
    for (const std::vector<double>& direction : components.directions) {
      double value = 0;
      for (std::size_t i = 0; i < samples.columns; ++i)
        value += (samples.at(row, i) - components.means[i]) * direction[i];
      projected.values.push_back(value);
    }
  }
  return projected;
}

double margin(const Model& model, const Samples& samples, std::size_t row) {
  double sum = model.weights.back();
  for (std::size_t i = 0; i < samples.columns; ++i) sum += model.weights[i] * samples.at(row, i);
  return sum;
}

/// Solves a symmetric positive definite system by elimination.
std::vector<double> solve(std::vector<std::vector<double>> matrix, std::vector<double> right) {
  const std::size_t n = right.size();
  for (std::size_t p = 0; p < n; ++p) {
    for (std::size_t row = p + 1; row < n; ++row) {
      const double factor = matrix[row][p] / matrix[p][p];
      for (std::size_t column = p; column < n; ++column) matrix[row][column] -= factor * matrix[p][column];
      right[row] -= factor * right[p];
    }
  }
  for (std::size_t p = n; p-- != 0;) {
    for (std::size_t column = p + 1; column < n; ++column) right[p] -= matrix[p][column] * right[column];
    right[p] /= matrix[p][p];
  }
  return right;
}

/// Logistic regression by Newton's method: |weights|^2 / 2 + strength * sum of losses, the constant not penalised.
Model fit_logistic(const Samples& samples, double strength) {
  const std::size_t n = samples.columns + 1;
  Model model{std::vector<double>(n)};
  for (int step = 0; step < 50; ++step) {
    std::vector<double> gradient(n);
    std::vector<std::vector<double>> curvature(n, std::vector<double>(n));
    for (std::size_t i = 0; i + 1 < n; ++i) {
      gradient[i] = model.weights[i];
      curvature[i][i] = 1;
    }
    for (std::size_t row = 0; row < samples.rows; ++row) {
      const double p = 1 / (1 + std::exp(-margin(model, samples, row)));
      const auto value = [&](std::size_t i) { return i + 1 < n ? samples.at(row, i) : 1.0; };
      for (std::size_t i = 0; i < n; ++i) {
        gradient[i] += strength * (p - samples.classes[row]) * value(i);
        for (std::size_t j = 0; j < n; ++j) curvature[i][j] += strength * p * (1 - p) * value(i) * value(j);
      }
    }
    const std::vector<double> change = solve(curvature, gradient);
    double largest = 0;
    for (std::size_t i = 0; i < n; ++i) {
      model.weights[i] -= change[i];
      largest = std::max(largest, std::abs(change[i]));
    }
    if (largest < 1e-10) break;
  }
  return model;
}

Score judge(const Model& model, const Samples& samples) {
  Score score;
  for (std::size_t row = 0; row < samples.rows; ++row) {
    const double m = margin(model, samples, row);
    const double own = samples.classes[row] > 0 ? m : -m;
    score.accuracy += ((m > 0) == (samples.classes[row] > 0) ? 1.0 : 0.0) / static_cast<double>(samples.rows);
    score.log_loss +=
        (own > 0 ? std::log1p(std::exp(-own)) : -own + std::log1p(std::exp(own))) / static_cast<double>(samples.rows);
  }
  return score;
}

}  // namespace

int main(int argc, char** argv) {
  return weft::run(argc, argv, [](weft::Client& client, weft::Args) {
    weft::PureCalls pure;
    const std::size_t counts[] = {1, 2, 3, 6};
    const double strengths[] = {0.001, 0.01, 0.1, 1};

    // By number of components and strength: the scores of all folds.
    std::map<std::pair<std::size_t, double>, std::vector<weft::Delayed<Score>>> search;
    for (const std::size_t count : counts) {
      for (const double strength : strengths) {
        for (std::size_t fold = 0; fold < kFolds; ++fold) {
          const auto samples = pure(make_samples)(std::uint64_t{7});
          const auto train = pure(part_of)(samples, fold, false);
          const auto test = pure(part_of)(samples, fold, true);
          const auto components = pure(fit_components)(train, count);
          const auto model = pure(fit_logistic)(pure(project)(components, train), strength);
          search[{count, strength}].push_back(pure(judge)(model, pure(project)(components, test)));
        }
      }
    }
    const auto scores = client.compute(search);

    std::printf("components strength accuracy log_loss\n");
    std::pair<std::size_t, double> best;
    Score best_score{0, 1e300};
    for (const auto& [setting, folds] : scores) {
      Score mean;
      for (const Score& fold : folds) {
        mean.accuracy += fold.accuracy / kFolds;
        mean.log_loss += fold.log_loss / kFolds;
      }
      std::printf("%10zu %8g %8.5f %8.5f\n", setting.first, setting.second, mean.accuracy, mean.log_loss);
      if (mean.log_loss < best_score.log_loss) {
        best = setting;
        best_score = mean;
      }
    }
    std::printf("best: %zu components with strength %g\n", best.first, best.second);
    std::printf("%zu calls, %zu tasks, %llu of them run\n", pure.call_count(), pure.task_count(),
                static_cast<unsigned long long>(client.counts().total));
  });
}
