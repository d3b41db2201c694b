// Values as Kokkos' views, mdspan and Eigen's matrices, and back: the same elements, without a copy where that is
// promised.
#include <weft/arrays.hpp>
#include <weft/client.hpp>
#include <weft/error.hpp>
#include <weft/mdspan.hpp>

#ifdef WEFT_TEST_KOKKOS
#include <weft/kokkos.hpp>
#endif
#ifdef WEFT_TEST_EIGEN
#include <weft/eigen.hpp>
#endif
#if __has_include(<mdspan>)
#include <mdspan>
#endif

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

NDArray table() { return NDArray::of(std::vector<double>{0, 1, 2, 10, 11, 12}, {2, 3}); }

/// The same elements with its axes exchanged: nothing lies side by side.
NDArray turned() {
  const NDArray values = table();
  return NDArray::view(values.data(), float64, {3, 2}, {8, 24}, values.owner());
}

TEST(ConversionsTest, ValuesAreSeenAsKernelsSeeChunks) {
  const NDArray values = turned();
  const auto view = values.chunk_view<double, 2>();
  EXPECT_EQ(view(2, 1), 12);
  EXPECT_EQ(view.data(), reinterpret_cast<const double*>(values.data()));
  EXPECT_THAT(([&] { return values.chunk_view<double, 3>(); }), ThrowsMessage<Error>(HasSubstr("2 dimensions")));
  EXPECT_THAT(([&] { return values.chunk_view<float, 2>(); }), ThrowsMessage<Error>(HasSubstr("float64")));
}

/// What weft/mdspan.hpp asks of an mdspan, with run-time extents.
template <class T>
struct Span2 {
  using element_type = T;
  using value_type = std::remove_const_t<T>;
  using extents_type = std::array<std::int64_t, 2>;
  struct mapping_type {
    mapping_type(const extents_type& sizes, const std::array<std::int64_t, 2>& steps)
        : extents(sizes), strides(steps) {}
    extents_type extents;
    std::array<std::int64_t, 2> strides;
  };
  static constexpr std::size_t rank() { return 2; }
  Span2(T* data, const mapping_type& mapping) : data_(data), mapping_(mapping) {}
  std::int64_t extent(std::size_t axis) const { return mapping_.extents[axis]; }
  std::int64_t stride(std::size_t axis) const { return mapping_.strides[axis]; }
  T* data_handle() const { return data_; }
  T* data_;
  mapping_type mapping_;
};

TEST(ConversionsTest, MdspanSeesTheSameElements) {
  const NDArray values = turned();
  const auto span = to_mdspan<Span2<const double>>(values);
  EXPECT_EQ(span.extent(0), 3);
  EXPECT_EQ(span.data_handle()[span.stride(0) * 2 + span.stride(1)], 12);
  const NDArray back = from_mdspan(span, values.owner());
  EXPECT_EQ(back.data(), values.data());
  EXPECT_EQ(back.at<double>(2, 1), 12);
#ifdef __cpp_lib_mdspan
  using Standard = std::mdspan<const double, std::dextents<std::int64_t, 2>, std::layout_stride>;
  EXPECT_EQ((to_mdspan<Standard>(values)[2, 1]), 12);
#endif
}

#ifdef WEFT_TEST_KOKKOS
TEST(ConversionsTest, KokkosSeesTheSameElements) {
  const NDArray values = turned();
  const auto view = to_view<double, 2>(values);
  EXPECT_EQ(view.extent(0), 3u);
  EXPECT_EQ(view(2, 1), 12);
  EXPECT_EQ(view.data(), reinterpret_cast<const double*>(values.data()));
  const NDArray back = from_view(view);
  EXPECT_EQ(back.strides(), values.strides());
  EXPECT_EQ(back.at<double>(2, 0), 2);
}

TEST(ConversionsTest, KernelsOfAProgramWorkOnKokkosViews) {
  const Array x = arange(12, {.chunks = {5}}).astype(float64);
  const Array y = map_blocks(x, [](ChunkView<const double, 1> in, ChunkView<double, 1> out) {
    const auto from = to_view(in);
    const auto to = to_view(out);
    for (std::size_t i = 0; i < from.extent(0); ++i) to(i) = 2 * from(i);
  });
  const Client client({.scheduler = "sync"});
  EXPECT_EQ(client.compute(y.sum()).item<double>(), 132.0);
}
#endif

#ifdef WEFT_TEST_EIGEN
TEST(ConversionsTest, EigenSeesTheSameElementsAndExpressionsBecomeValues) {
  const NDArray values = turned();
  const auto matrix = to_eigen<double>(values);
  EXPECT_EQ(matrix.rows(), 3);
  EXPECT_EQ(matrix(2, 1), 12);
  EXPECT_EQ(matrix.data(), reinterpret_cast<const double*>(values.data()));
  const NDArray product = from_eigen(matrix.transpose() * matrix);
  EXPECT_EQ(product.shape(), (Shape{2, 2}));
  EXPECT_EQ(product.at<double>(0, 1), 0 * 10 + 1 * 11 + 2 * 12);
  const NDArray vector = from_eigen(Eigen::VectorXf::LinSpaced(3, 0, 2));
  EXPECT_EQ(vector.shape(), (Shape{3}));
  EXPECT_EQ(to_eigen<float>(vector).sum(), 3.0f);
  EXPECT_THAT(([&] {
                return to_eigen<double>(NDArray(float64, {2, 2, 2}));
              }),
              ThrowsMessage<Error>(HasSubstr("3 dimensions")));
}
#endif

}  // namespace
}  // namespace weft
