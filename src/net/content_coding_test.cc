#include "net/content_coding.h"

#include <gtest/gtest.h>

#include "base/codec.h"

namespace net {
namespace {

TEST(ContentCoding, IsWhatTheClientWantsMost) {
  struct Row {
    const char* accept;
    const char* expected;
  };
  for (const Row& row :
       {Row{"", "identity"}, Row{"gzip", "gzip"}, Row{"GZIP", "gzip"}, Row{"x-gzip", "gzip"},
        Row{"deflate, gzip, br, zstd", "zstd"}, Row{"gzip, br", "br"},
        Row{"gzip;q=1.0, br;q=0.5", "gzip"}, Row{"zstd;q=0, gzip;q=0.001", "gzip"},
        Row{"*", "zstd"}, Row{"*;q=0.3, gzip;q=0.4", "gzip"}, Row{"*;q=0", "identity"},
        Row{"gzip;q=0", "identity"}, Row{"gzip;q=0.000", "identity"},
        Row{"identity, gzip;q=0.5", "identity"}, Row{"gzip ; q=0.5 , identity;q=0.4", "gzip"},
        Row{"compress", "identity"}, Row{",,;q=,gzip;q=", "gzip"}, Row{"gzip;q=0.5;q", "gzip"}}) {
    EXPECT_EQ(name_of(choose_coding(row.accept)), row.expected) << row.accept;
  }
}

std::string text_of_size(std::size_t size) {
  std::string text;
  while (text.size() < size) text += "FUNC " + std::to_string(text.size() * 7919) + " 10 0 f\n";
  return text;
}

// Brotli has no decoder in base: tests/store_paths_test.cc lets curl read it.
std::string must_decode(ContentCoding coding, const std::string& packed) {
  const base::Bytes bytes = base::bytes_of(packed);
  const auto plain = coding == ContentCoding::gzip ? base::gunzip(bytes, 1 << 24)
                                                   : base::decompress_zstd(bytes, 1 << 24);
  return plain.ok() ? std::string(base::text_of(*plain)) : plain.error().what;
}

TEST(ContentCoding, EncodesInPiecesWhatDecodersRead) {
  for (const ContentCoding coding : {ContentCoding::gzip, ContentCoding::zstd}) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{10}, std::size_t{3'000'000}}) {
      const std::string text = text_of_size(size);
      std::size_t at = 0;
      const Producer coded = encoded_pieces(coding, [&]() -> base::Result<std::string> {
        std::string piece = text.substr(at, 100'000);
        at += piece.size();
        return piece;
      });
      std::string packed;
      for (;;) {
        const auto piece = coded();
        ASSERT_TRUE(piece.ok());
        if (piece->empty()) break;
        packed += *piece;
      }
      EXPECT_TRUE(must_decode(coding, packed) == text) << name_of(coding) << size;
      EXPECT_TRUE(must_decode(coding, *encode_text(coding, text)) == text) << name_of(coding);
    }
  }
}

TEST(ContentCoding, AFailureBehindItIsPassedOn) {
  const Producer coded = encoded_pieces(ContentCoding::brotli, []() -> base::Result<std::string> {
    return base::Error{base::Fault::unavailable, "gone"};
  });
  EXPECT_EQ(coded().error().what, "gone");
}

TEST(ContentCoding, APieceThatNobodyWillBringIsAFailure) {
  const Producer coded = encoded_pieces(
      ContentCoding::zstd, LaterProducer([](const auto& then) { EXPECT_TRUE(then != nullptr); }));
  EXPECT_EQ(coded().error().fault, base::Fault::unavailable);
}

}  // namespace
}  // namespace net
