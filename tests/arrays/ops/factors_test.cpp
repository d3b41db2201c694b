// Linear algebra beside NumPy and SciPy; 1e-12 of the largest element (float32: 2e-5).
#include "tests/arrays/error_of.hpp"
#include "tests/arrays/ops/oracle.hpp"

#include <limits>

namespace weft {
namespace {

using oracle::complex_array;
using oracle::real_array;
using oracle::whole_array;

Array h(const Array& x) { return conj(transpose(x)); }
Array scaled_eye(std::int64_t n, double value) { return eye(n) * value; }

struct Inputs {
  Chunks chunks;
  Array a, b, v, w, c, d, i, j, cube, brick, square, turned, wide, tall;
  explicit Inputs(const Chunks& k)
      : chunks(k),
        a(real_array({5, 4}, 1, k)),
        b(real_array({4, 6}, 2, k)),
        v(real_array({7}, 3, k)),
        w(real_array({7}, 4, k)),
        c(complex_array({5, 4}, 5, k)),
        d(complex_array({4, 3}, 6, k)),
        i(whole_array({5, 4}, 7, k)),
        j(whole_array({4, 6}, 8, k)),
        cube(real_array({2, 3, 4}, 9, k)),
        brick(real_array({4, 3, 5}, 10, k)),
        square(real_array({6, 6}, 11, k) + scaled_eye(6, 3)),
        turned(complex_array({5, 5}, 12, k) + scaled_eye(5, 3)),
        wide(real_array({4, 9}, 13, k)),
        tall(real_array({9, 4}, 14, k)) {}
  Array positive() const { return rechunk(matmul(tall, transpose(tall)) + scaled_eye(9, 1), chunks); }
  Array hermitian() const { return rechunk(matmul(c, h(c)) + scaled_eye(5, 1), chunks); }
  Array symmetric() const { return square + transpose(square); }
  Array sides() const { return real_array({6, 2}, 15, chunks); }
};

Array whole(const linalg::SvdResult& svd) { return matmul(svd.u * expand_dims(svd.s, 0), svd.vt); }

using In = const Inputs&;
const std::map<std::string, std::function<Array(In)>>& products() {
  static const std::map<std::string, std::function<Array(In)>> table{
      {"dot", [](In x) { return dot(x.a, x.b); }},
      {"dot_vectors", [](In x) { return dot(x.v, x.w); }},
      {"dot_many",
       [](In x) {
         return dot(x.cube, transpose(x.brick, {1, 0, 2}));
       }},
      {"dot_complex", [](In x) { return dot(x.c, x.d); }},
      {"dot_float32", [](In x) { return dot(x.a.astype(float32), x.b.astype(float32)); }},
      {"dot_integers", [](In x) { return dot(x.i, x.j); }},
      {"matmul_batch",
       [](In x) {
         return matmul(x.cube, real_array({2, 4, 3}, 18, x.chunks));
       }},
      {"matmul_empty",
       [](In) {
         return matmul(zeros({3, 0}), zeros({0, 2}));
       }},
      {"vdot", [](In x) { return vdot(x.v, x.w); }},
      {"vdot_complex",
       [](In x) {
         return vdot(x.c, complex_array({5, 4}, 19, x.chunks));
       }},
      {"vdot_matrices",
       [](In x) {
         return vdot(x.a, real_array({4, 5}, 1, x.chunks));
       }},
      {"outer", [](In x) { return outer(x.v, x.a); }},
      {"inner",
       [](In x) {
         return inner(x.a, real_array({3, 4}, 19, x.chunks));
       }},
      {"inner_vectors", [](In x) { return inner(x.v, x.w); }},
      {"inner_scalar", [](In x) { return inner(full({}, 3.0), x.a); }},
      {"kron",
       [](In x) {
         return kron(x.a, real_array({2, 3}, 30, x.chunks));
       }},
      {"kron_vector", [](In x) { return kron(x.v, x.a); }},
      {"kron_cube",
       [](In x) {
         return kron(x.cube, whole_array({2, 1, 2}, 31, x.chunks));
       }},
      {"trace", [](In x) { return trace(x.a); }},
      {"trace_above", [](In x) { return trace(x.b, 1); }},
      {"trace_cube", [](In x) { return trace(x.cube); }},
      {"tensordot_1", [](In x) { return tensordot(x.cube, x.brick, 1); }},
      {"tensordot_axes",
       [](In x) {
         return tensordot(x.cube, x.brick, {1, 2}, {1, 0});
       }},
      {"tensordot_0", [](In x) { return tensordot(x.v, x.w, 0); }},
      {"tensordot_integers", [](In x) { return tensordot(x.i, x.j, 1); }},
      {"tensordot_negative", [](In x) { return tensordot(x.cube, x.brick, {-1}, {-3}); }},
      {"einsum_product",
       [](In x) {
         return einsum("ij,jk->ik", {x.a, x.b});
       }},
      {"einsum_implied",
       [](In x) {
         return einsum("ij,jk", {x.a, x.b});
       }},
      {"einsum_trace", [](In x) { return einsum("ii", {x.square}); }},
      {"einsum_diagonal", [](In x) { return einsum("ii->i", {x.square}); }},
      {"einsum_transpose", [](In x) { return einsum("ijk->kij", {x.cube}); }},
      {"einsum_sum", [](In x) { return einsum("ijk->j", {x.cube}); }},
      {"einsum_outer",
       [](In x) {
         return einsum("i,j->ji", {x.v, x.w});
       }},
      {"einsum_batch",
       [](In x) {
         return einsum("bij,bjk->bik", {x.cube, real_array({2, 4, 3}, 18, x.chunks)});
       }},
      {"einsum_three",
       [](In x) {
         return einsum("ij,jk,kl->il", {x.a, x.b, real_array({6, 3}, 20, x.chunks)});
       }},
      {"einsum_dots",
       [](In x) {
         return einsum("...ij,jk->...ik", {x.cube, x.b});
       }},
      {"einsum_ones",
       [](In x) {
         return einsum("ij,ij->ij", {x.a, real_array({1, 4}, 21, x.chunks)});
       }},
      {"einsum_dots_out", [](In x) { return einsum("i...->...", {x.cube}); }},
      {"einsum_complex",
       [](In x) {
         return einsum("ij,jk->ki", {x.c, x.d});
       }},
      {"einsum_weighted",
       [](In x) {
         return einsum("ij,ij->i", {x.a, real_array({5, 4}, 22, x.chunks)});
       }},
      {"einsum_integers",
       [](In x) {
         return einsum("ij,jk->k", {x.i, x.j});
       }},
  };
  return table;
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

const std::map<std::string, std::function<Array(In)>>& norms() {
  using linalg::norm;
  static const std::map<std::string, std::function<Array(In)>> table{
      {"norm", [](In x) { return norm(x.a); }},
      {"norm_vector_1", [](In x) { return norm(x.v, 1); }},
      {"norm_vector_inf", [](In x) { return norm(x.v, kInfinity); }},
      {"norm_vector_least", [](In x) { return norm(x.v, -kInfinity); }},
      {"norm_vector_0", [](In x) { return norm(x.v, 0); }},
      {"norm_vector_3", [](In x) { return norm(x.v, 3); }},
      {"norm_vector_half", [](In x) { return norm(x.v, -0.5); }},
      {"norm_fro", [](In x) { return norm(x.c, "fro"); }},
      {"norm_nuc", [](In x) { return norm(x.a, "nuc"); }},
      {"norm_1", [](In x) { return norm(x.a, 1); }},
      {"norm_minus_1", [](In x) { return norm(x.a, -1); }},
      {"norm_inf", [](In x) { return norm(x.a, kInfinity); }},
      {"norm_minus_inf", [](In x) { return norm(x.a, -kInfinity); }},
      {"norm_2", [](In x) { return norm(x.a, 2); }},
      {"norm_minus_2", [](In x) { return norm(x.a, -2); }},
      {"norm_axis", [](In x) { return norm(x.cube, {}, {.axis = 1}); }},
      {"norm_axes",
       [](In x) {
         return norm(x.cube, 1, {.axis = {2, 0}});
       }},
      {"norm_keepdims",
       [](In x) {
         return norm(x.cube, {}, {.axis = {0, 2}, .keepdims = true});
       }},
      {"norm_cube", [](In x) { return norm(x.cube); }},
      {"norm_float32", [](In x) { return norm(x.a.astype(float32), {}, {.axis = 0}); }},
  };
  return table;
}

const std::map<std::string, std::function<Array(In)>>& factors() {
  using namespace linalg;
  static const std::map<std::string, std::function<Array(In)>> table{
      {"cholesky", [](In x) { return cholesky(x.positive()); }},
      {"cholesky_upper", [](In x) { return cholesky(x.positive(), false); }},
      {"cholesky_complex", [](In x) { return cholesky(x.hermitian()); }},
      {"cholesky_float32", [](In x) { return cholesky(x.positive().astype(float32)); }},
      {"lu_p",
       [](In x) {
         return lu(real_array({7, 7}, 16, x.chunks)).p;
       }},
      {"lu_l",
       [](In x) {
         return lu(real_array({7, 7}, 16, x.chunks)).l;
       }},
      {"lu_u",
       [](In x) {
         return lu(real_array({7, 7}, 16, x.chunks)).u;
       }},
      {"lu_tall_l", [](In x) { return lu(x.tall).l; }},
      {"lu_tall_u", [](In x) { return lu(x.tall).u; }},
      {"lu_tall_p", [](In x) { return lu(x.tall).p; }},
      {"lu_wide_l", [](In x) { return lu(x.wide).l; }},
      {"lu_wide_u", [](In x) { return lu(x.wide).u; }},
      {"solve", [](In x) { return solve(x.square, x.sides()); }},
      {"solve_vector", [](In x) { return solve(x.square, x.sides()(slice(), 0)); }},
      {"solve_complex", [](In x) { return solve(x.turned, x.c); }},
      {"solve_integers",
       [](In x) {
         return solve(whole_array({3, 3}, 23, x.chunks) + scaled_eye(3, 30).astype(int64),
                      arange(3, {.chunks = x.chunks}));
       }},
      {"solve_lower", [](In x) { return solve_triangular(x.square, x.sides(), true); }},
      {"solve_upper", [](In x) { return solve_triangular(transpose(x.square), x.sides()(slice(), 0)); }},
      {"inv", [](In x) { return inv(x.square); }},
      {"inv_complex", [](In x) { return inv(x.turned); }},
      {"inv_float32", [](In x) { return inv(x.square.astype(float32)); }},
      {"det", [](In x) { return det(x.square); }},
      {"det_negative",
       [](In x) {
         return det(real_array({4, 4}, 24, x.chunks));
       }},
      {"det_singular",
       [](In x) {
         return det(ones({3, 3}, {.chunks = x.chunks}));
       }},
      {"det_complex", [](In x) { return det(x.turned); }},
      {"slogdet_sign",
       [](In x) {
         return slogdet(real_array({4, 4}, 24, x.chunks)).sign;
       }},
      {"slogdet_log", [](In x) { return slogdet(x.square).logabsdet; }},
      {"lstsq_x",
       [](In x) {
         return lstsq(x.tall, real_array({9, 2}, 17, x.chunks)).x;
       }},
      {"lstsq_residuals",
       [](In x) {
         return lstsq(x.tall, real_array({9, 2}, 17, x.chunks)).residuals;
       }},
      {"lstsq_rank",
       [](In x) {
         return lstsq(x.tall, real_array({9, 2}, 17, x.chunks)).rank;
       }},
      {"lstsq_s",
       [](In x) {
         return lstsq(x.tall, real_array({9, 2}, 17, x.chunks)).singular_values;
       }},
      {"lstsq_wide", [](In x) { return lstsq(x.wide, real_array({4}, 25, x.chunks)).x; }},
      {"lstsq_deficient",
       [](In x) {
         const NDArray flat = NDArray::of(std::vector<double>{1, 2, 2, 4, 3, 6, -1, -2}, Shape(4, 2));
         return lstsq(from_ndarray(flat, x.chunks), arange(4.0, {.chunks = x.chunks})).x;
       }},
      {"lstsq_complex", [](In x) { return lstsq(x.c, real_array({5}, 26, x.chunks)).x; }},
      {"power_3", [](In x) { return matrix_power(x.square, 3); }},
      {"power_0", [](In x) { return matrix_power(x.square, 0); }},
      {"power_minus_2", [](In x) { return matrix_power(x.square, -2); }},
      {"power_integers",
       [](In x) {
         return matrix_power(whole_array({3, 3}, 28, x.chunks), 5);
       }},
  };
  return table;
}

const std::map<std::string, std::function<Array(In)>>& spectra() {
  using namespace linalg;
  const auto product = [](const QrResult& qr) { return matmul(qr.q, qr.r); };
  const auto gram = [](const QrResult& qr) { return matmul(h(qr.q), qr.q); };
  static const std::map<std::string, std::function<Array(In)>> table{
      {"svd_values", [](In x) { return svd(x.tall).s; }},
      {"svd_values_wide", [](In x) { return svd(x.wide).s; }},
      {"svd_values_complex", [](In x) { return svd(x.c).s; }},
      {"svd_whole", [](In x) { return whole(svd(x.tall)); }},
      {"svd_whole_wide", [](In x) { return whole(svd(x.wide)); }},
      {"svd_whole_complex", [](In x) { return whole(svd(x.c)); }},
      {"svd_float32", [](In x) { return svd(x.tall.astype(float32)).s; }},
      {"qr_whole", [=](In x) { return product(qr(x.tall)); }},
      {"qr_whole_wide", [=](In x) { return product(qr(x.wide)); }},
      {"qr_whole_square", [=](In x) { return product(qr(x.square)); }},
      {"qr_whole_complex", [=](In x) { return product(qr(x.c)); }},
      {"qr_gram", [=](In x) { return gram(qr(x.tall)); }},
      {"qr_gram_square", [=](In x) { return gram(qr(x.square)); }},
      {"qr_r_size", [](In x) { return abs(qr(x.tall).r); }},
      {"sfqr_whole", [=](In x) { return product(sfqr(x.wide)); }},
      {"tsqr_gram", [=](In x) { return gram(tsqr(x.tall)); }},
      {"tsqr_r_size",
       [](In x) {
         return abs(tsqr(real_array({40, 3}, 27, x.chunks)).r);
       }},
      {"tsqr_whole",
       [=](In x) {
         return product(tsqr(real_array({40, 3}, 27, x.chunks)));
       }},
      {"eigh_values", [](In x) { return eigh(x.symmetric()).values; }},
      {"eigh_whole",
       [](In x) {
         const EighResult e = eigh(x.symmetric());
         return matmul(e.vectors * expand_dims(e.values, 0), transpose(e.vectors));
       }},
      {"eigh_complex", [](In x) { return eigh(x.hermitian()).values; }},
  };
  return table;
}

TEST(LinalgTest, AnswersAreNumPys) {
  oracle::Table all;
  for (const auto* const table : {&products(), &norms(), &factors(), &spectra()}) {
    for (const auto& [name, make] : *table) {
      all.emplace(name, [run = make](const Chunks& chunks) { return run(Inputs(chunks)); });
    }
  }
  oracle::check_section("algebra", all, 1e-12);
}

TEST(LinalgTest, BitsDoNotDependOnTheNumberOfThreads) {
  const Array x = random::normal(0, 1, {700, 40}, {.chunks = {64, 40}, .seed = 3});
  const Array square = random::normal(0, 1, {90, 90}, {.chunks = {20, 30}, .seed = 4});
  std::vector<std::vector<double>> results;
  for (const char* const scheduler : {"sync", "threads"}) {
    const Client client({.scheduler = scheduler});
    results.push_back(client.compute(linalg::svd(x).u).to_vector<double>());
    results.push_back(client.compute(linalg::inv(square)).to_vector<double>());
    results.push_back(client.compute(linalg::qr(square).q).to_vector<double>());
  }
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(results[i], results[i + 3]);
}

TEST(LinalgTest, CompressedSvdFindsALowRank) {
  const Client client;
  const Array left = random::normal(0, 1, {300, 5}, {.chunks = {70, 5}, .seed = 1});
  const Array right = random::normal(0, 1, {5, 80}, {.chunks = {5, 30}, .seed = 2});
  const Array x = matmul(left, right);
  const linalg::SvdResult svd = linalg::svd_compressed(x, 5, {.seed = 9});
  EXPECT_EQ(svd.u.shape(), Shape(300, 5));
  EXPECT_EQ(svd.vt.shape(), Shape(5, 80));
  EXPECT_LT(client.compute(max(abs(whole(svd) - x))).item<double>(), 1e-10);
  const auto mine = client.compute(svd.s).to_vector<double>();
  const auto exact = client.compute(linalg::svd(x).s(slice(0, 5))).to_vector<double>();
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(mine[i], exact[i], 1e-10 * exact[0]);
}

TEST(LinalgTest, LargestElementOfEachRowOfVtIsPositive) {
  const Client client;
  const NDArray vt = client.compute(linalg::svd(real_array({30, 6}, 40, 10)).vt);
  for (int i = 0; i < 6; ++i) {
    double largest = 0;
    for (int j = 0; j < 6; ++j) {
      if (std::fabs(vt.at<double>(i, j)) > std::fabs(largest)) largest = vt.at<double>(i, j);
    }
    EXPECT_GT(largest, 0);
  }
}

TEST(LinalgTest, ShapesThatDoNotFitAreRefusedWhereTheyAreWritten) {
  const Array a = zeros({3, 4}), b = zeros({5, 2});
  EXPECT_NE(error_of([&] { matmul(a, b); }).find("(3, 4) and (5, 2)"), std::string::npos);
  EXPECT_NE(error_of([&] { tensordot(a, b, 1); }).find("different extents"), std::string::npos);
  EXPECT_NE(error_of([&] { tensordot(a, b, 3); }).find("3 axes"), std::string::npos);
  EXPECT_NE(error_of([&] { tensordot(a, b, {0, 1}, {0}); }).find("in pairs"), std::string::npos);
  EXPECT_NE(error_of([&] { vdot(a, b); }).find("numbers of elements"), std::string::npos);
  EXPECT_NE(error_of([&] { linalg::inv(a); }).find("square"), std::string::npos);
  EXPECT_NE(error_of([&] { linalg::solve(zeros({3, 3}), b); }).find("as many rows"), std::string::npos);
  EXPECT_NE(error_of([&] { linalg::lstsq(a, b); }).find("3 rows"), std::string::npos);
  EXPECT_NE(error_of([&] { linalg::qr(zeros({3})); }).find("2 dimensions"), std::string::npos);
  EXPECT_NE(error_of([&] { linalg::svd_compressed(a, 9); }).find("9 singular values"), std::string::npos);
  EXPECT_NE(error_of([&] { linalg::norm(a, "frobenius"); }).find("no norm"), std::string::npos);
  EXPECT_NE(error_of([&] { linalg::norm(a, 3); }).find("orders"), std::string::npos);
  EXPECT_NE(error_of([&] { linalg::norm(zeros({2, 2, 2}), 2); }).find("name one axis"), std::string::npos);
}

TEST(LinalgTest, NonsenseOfEinsumIsExplained) {
  const Array a = zeros({3, 4}), b = zeros({5, 2});
  const auto says = [&](const char* text, const std::vector<Array>& operands, const char* words) {
    EXPECT_NE(error_of([&] { einsum(text, operands); }).find(words), std::string::npos)
        << text << ": " << error_of([&] { einsum(text, operands); });
  };
  says("ij,jk", {a}, "more operands than the 1");
  says("ij", {a, b}, "1 operands");
  says("ijk", {a}, "has 2 axes");
  says("ij,jk", {a, b}, "extents 4 and 5");
  says("ij->ik", {a}, "'k', which no operand has");
  says("ij->ii", {a}, "twice");
  says("i1", {a}, "not a letter");
  says("i.j", {a}, "three at a time");
}

TEST(LinalgTest, SingularAndIndefiniteMatricesAreErrorsWhenTheyRun) {
  const Client client;
  const Array singular = ones({6, 6}, {.chunks = 2});
  EXPECT_NE(error_of([&] { client.compute(linalg::inv(singular)); }).find("singular"), std::string::npos);
  EXPECT_NE(error_of([&] { client.compute(linalg::solve(singular, ones({6}))); }).find("singular"), std::string::npos);
  const Array indefinite = eye(6, 6, 0, {.chunks = 2}) * where(arange(6) == 4, -1.0, 1.0);
  EXPECT_NE(error_of([&] { client.compute(linalg::cholesky(indefinite)); }).find("minor of order 5"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              client.compute(linalg::svd(full({4, 3}, std::nan(""))).s);
            }).find("NaN"),
            std::string::npos);
}

TEST(LinalgTest, EmptyMatricesHaveEmptyFactors) {
  const Client client;
  EXPECT_EQ(client.compute(linalg::qr(zeros({0, 3})).r).shape(), Shape(0, 3));
  EXPECT_EQ(client.compute(linalg::qr(zeros({4, 0})).q).shape(), Shape(4, 0));
  EXPECT_EQ(client.compute(linalg::svd(zeros({0, 3})).s).shape(), Shape(0));
  EXPECT_EQ(client.compute(linalg::inv(zeros({0, 0}))).shape(), Shape(0, 0));
  EXPECT_EQ(client.compute(linalg::det(zeros({0, 0}))).item<double>(), 1);
}

}  // namespace
}  // namespace weft
