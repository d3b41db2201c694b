#include "io/remote/signature.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::io::remote {
namespace {

TEST(SignatureTest, IsTheOneOfTheDocumentedExample) {
  // Amazon's own example of a list of objects, with the keys that its documents use.
  const Keys keys{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};
  const ToSign request{"GET",
                       "examplebucket.s3.amazonaws.com",
                       "/",
                       "max-keys=2&prefix=J",
                       sha256_hex({}),
                       "us-east-1",
                       "20130524T000000Z"};
  EXPECT_THAT(signed_headers(request, keys).back(),
              testing::HasSubstr("Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}

TEST(SignatureTest, AKeyForATimeIsSignedToo) {
  const auto headers = signed_headers({"GET", "host", "/a", "", sha256_hex({}), "eu-west-1", "20130524T000000Z"},
                                      {"id", "secret", "token"});
  EXPECT_THAT(headers, testing::Contains("x-amz-security-token:token"));
  EXPECT_THAT(headers.back(),
              testing::HasSubstr("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token"));
}

}  // namespace
}  // namespace weft::io::remote
