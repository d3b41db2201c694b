#include "core/encode/address_run.hpp"

#include <weft/callable.hpp>
#include <weft/error.hpp>

#include <gtest/gtest.h>

#include <vector>

namespace weft {
namespace {

int one(int x) { return x + 1; }
int two(int x) { return x + 2; }

const SourceLine kHere{__FILE__, __LINE__};

/// Writes calls as a packet does; returns where each ends.
std::vector<std::size_t> write_calls(Writer& writer, const std::vector<int (*)(int)>& functions) {
  detail::AddressRun run;
  std::vector<std::size_t> ends;
  for (const auto function : functions) {
    run.begin(writer);
    encode_callable(writer, function, kHere);
    ends.push_back(writer.size());
  }
  return ends;
}

TEST(AddressRunTest, FunctionsComeBackAndOnlyAChangeIsNamed) {
  const std::vector<int (*)(int)> functions{&one, &one, &two, &two, &one};
  Writer writer;
  const std::vector<std::size_t> ends = write_calls(writer, functions);
  EXPECT_EQ(ends[1] - ends[0], 9u) << "the digest and a byte";
  EXPECT_EQ(ends[2] - ends[1], 25u);
  EXPECT_EQ(ends[3] - ends[2], 9u);
  Reader reader(writer);
  detail::AddressRun run;
  for (const auto function : functions) {
    run.begin(reader);
    EXPECT_EQ(decode_callable<int (*)(int)>(reader), function);
  }
  EXPECT_EQ(reader.remaining(), 0u);
}

TEST(AddressRunTest, WhatIsWrittenElsewhereMeanwhileIsNamedInFull) {
  detail::AddressRun run;
  Writer closure;
  run.begin(closure);
  Writer other;
  encode_callable(other, &one, kHere);
  encode_callable(closure, &one, kHere);
  encode_callable(closure, &one, kHere);
  EXPECT_EQ(other.size(), 24u);
  EXPECT_EQ(closure.size(), 25u + 24u) << "only the first address of a closure belongs to the run";
  Reader reader(closure);
  run.begin(reader);
  EXPECT_EQ(decode_callable<int (*)(int)>(reader), &one);
  EXPECT_EQ(decode_callable<int (*)(int)>(reader), &one);
}

TEST(AddressRunTest, TheInnermostRunCounts) {
  detail::AddressRun outer;
  Writer writer;
  outer.begin(writer);
  encode_callable(writer, &one, kHere);
  {
    Writer inner;
    write_calls(inner, {&one});
    EXPECT_EQ(inner.size(), 25u);
  }
  outer.begin(writer);
  encode_callable(writer, &one, kHere);
  EXPECT_EQ(writer.size(), 25u + 9u);
}

TEST(AddressRunTest, AnAddressLikeNoneBeforeIsRefused) {
  for (const std::uint8_t how : {0, 2, 255}) {
    Writer writer;
    encode_callable(writer, &one, kHere);  // in full, where a run has a byte before it
    const_cast<std::byte*>(writer.data())[8] = static_cast<std::byte>(how);
    Reader reader(writer);
    detail::AddressRun run;
    run.begin(reader);
    EXPECT_THROW(decode_callable<int (*)(int)>(reader), Error) << int{how};
  }
}

}  // namespace
}  // namespace weft
