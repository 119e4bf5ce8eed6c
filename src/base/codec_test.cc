#include "base/codec.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "base/sha256.h"

namespace base {
namespace {

std::vector<std::uint8_t> sample() {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(300'000);
  for (unsigned i = 0; i < 300'000; ++i) bytes.push_back(static_cast<std::uint8_t>(i * i >> 7));
  return bytes;
}

TEST(Codec, GzipAndZstdGoThereAndBack) {
  const auto plain = sample();
  EXPECT_EQ(gunzip(gzip(plain), 1 << 20).value(), plain);
  EXPECT_EQ(decompress_zstd(compress_zstd(plain), 1 << 20).value(), plain);
  EXPECT_EQ(decompress_zstd_exactly(compress_zstd(plain), plain.size()).value(), plain);
}

TEST(Codec, ReadsEveryMemberOfAGzipFile) {
  auto packed = gzip(bytes_of("one "));
  const auto second = gzip(bytes_of("two"));
  packed.insert(packed.end(), second.begin(), second.end());
  const auto plain = gunzip(packed, 100).value();
  EXPECT_EQ(text_of(plain), "one two");
}

TEST(Codec, StopsAtTheCap) {
  const std::vector<std::uint8_t> zeros(10'000'000);
  const auto bomb = gunzip(gzip(zeros), 1'000'000);
  ASSERT_FALSE(bomb.ok());
  EXPECT_EQ(bomb.error().fault, Fault::too_large);
  EXPECT_EQ(decompress_zstd(compress_zstd(zeros), 1'000'000).error().fault, Fault::too_large);
}

TEST(Codec, EveryPrefixIsAFault) {
  const auto packed = gzip(bytes_of("some text, some text, some text"));
  const auto zstd = compress_zstd(bytes_of("some text, some text, some text"));
  for (std::size_t n = 0; n < packed.size(); ++n) {
    EXPECT_FALSE(gunzip(Bytes(packed).first(n), 100).ok()) << n;
  }
  for (std::size_t n = 0; n < zstd.size(); ++n) {
    EXPECT_FALSE(decompress_zstd(Bytes(zstd).first(n), 100).ok()) << n;
  }
}

TEST(Codec, ExactMeansExact) {
  const auto plain = sample();
  EXPECT_FALSE(decompress_zstd_exactly(compress_zstd(plain), plain.size() + 1).ok());
  EXPECT_FALSE(inflate_zlib_exactly(bytes_of("nonsense"), 5).ok());
}

std::vector<std::uint8_t> zlib_of(Bytes plain) {
  uLongf size = ::compressBound(plain.size());
  std::vector<std::uint8_t> packed(size);
  ::compress(packed.data(), &size, plain.data(), plain.size());
  packed.resize(size);
  return packed;
}

TEST(Codec, ExactUnpacksMuchFromLittle) {
  const std::vector<std::uint8_t> zeros(10'000'000);
  for (const std::size_t more : {0u, 1u}) {
    std::vector<std::uint8_t> packed = zlib_of(zeros);
    packed.resize(packed.size() + more);  // as before: what follows a zlib stream is not looked at
    EXPECT_EQ(inflate_zlib_exactly(packed, zeros.size()).value(), zeros);
  }
  EXPECT_EQ(decompress_zstd_exactly(compress_zstd(zeros), zeros.size()).value(), zeros);
}

// A claim alone makes no room: this one no machine has.
TEST(Codec, AFalseSizeIsMalformedHoweverLarge) {
  const std::vector<std::uint8_t> zeros(10'000'000);
  for (const std::uint64_t size : {zeros.size() - 1, zeros.size() + 1, std::size_t{1} << 50}) {
    EXPECT_EQ(inflate_zlib_exactly(zlib_of(zeros), size).error().fault, Fault::malformed) << size;
    EXPECT_EQ(decompress_zstd_exactly(compress_zstd(zeros), size).error().fault, Fault::malformed)
        << size;
  }
}

TEST(Sha256, IsTheOneOfTheStandard) {
  EXPECT_EQ(sha256_of(bytes_of("abc")).hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256Stream stream;
  stream.update(bytes_of("a"));
  stream.update(bytes_of("bc"));
  EXPECT_EQ(stream.finish(), sha256_of(bytes_of("abc")));
}

}  // namespace
}  // namespace base
