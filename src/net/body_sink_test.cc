#include "net/body_sink.h"

#include <gtest/gtest.h>

#include "base/codec.h"
#include "base/file.h"

namespace net {
namespace {

class BodySinks : public ::testing::Test {
 protected:
  // What a route with this policy gets of a body that came in two pieces.
  std::optional<base::Sha256> hash_of(std::string_view sent, Coding coding, bool hashes_file) {
    BodyPolicy policy = BodyPolicy::file(1 << 20);
    policy.hashes_file = hashes_file;
    const auto sink = BodySink::create(coding, policy, directory_.path()).value();
    std::uint64_t room = 1 << 20;
    EXPECT_TRUE(sink->write(sent.substr(0, sent.size() / 2), room).ok());
    EXPECT_TRUE(sink->write(sent.substr(sent.size() / 2), room).ok());
    Request request;
    EXPECT_TRUE(sink->finish(request).ok());
    EXPECT_EQ(base::text_of(request.body_bytes().value()), plain_);
    return request.body_file->file.hash();
  }

  const std::string plain_ = "MODULE Linux x86_64 0 a.so\n";
  base::TemporaryDirectory directory_ = base::TemporaryDirectory::create("body-sink").value();
};

TEST_F(BodySinks, HashWhatIsInTheFile) {
  const base::Sha256 expected = base::sha256_of(base::bytes_of(plain_));
  const auto packed = base::gzip(base::bytes_of(plain_));
  EXPECT_EQ(hash_of(plain_, Coding::identity, true), expected);
  EXPECT_EQ(hash_of(base::text_of(packed), Coding::gzip, true), expected);
  EXPECT_EQ(hash_of(plain_, Coding::identity, false), std::nullopt);
}

TEST_F(BodySinks, UnpackNoMoreAtATimeThanThereIsRoom) {
  const std::vector<std::uint8_t> plain(20 << 20, 'x');
  for (const Coding coding : {Coding::gzip, Coding::zstd}) {
    const auto packed = coding == Coding::gzip ? base::gzip(plain) : base::compress_zstd(plain);
    const auto sink = BodySink::create(coding, BodyPolicy::file(1 << 20), directory_.path());
    ASSERT_TRUE(sink.ok());
    std::string_view sent = base::text_of(packed);
    unsigned turns = 0;
    do {
      std::uint64_t room = 1 << 20;
      ASSERT_TRUE((*sink)->write(std::exchange(sent, {}), room).ok());
      ++turns;
    } while ((*sink)->has_rest() && turns < 100);
    EXPECT_GT(turns, 15u);
    EXPECT_EQ((*sink)->sent_size(), packed.size());
    Request request;
    ASSERT_TRUE((*sink)->finish(request).ok());
    EXPECT_EQ(base::sha256_of(request.body_bytes().value()), base::sha256_of(plain));
  }
}

}  // namespace
}  // namespace net
