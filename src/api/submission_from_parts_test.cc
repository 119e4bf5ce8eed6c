#include "api/submission_from_parts.h"

#include <gtest/gtest.h>

#include "base/codec.h"
#include "base/text.h"

namespace api {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes dump_of(std::size_t size) {
  Bytes dump(size, 'x');
  std::copy_n("MDMP", 4, dump.begin());
  return dump;
}

// A submission with these dumps, into which it points.
TakenApart take(const std::vector<Bytes>& dumps, std::uint64_t unpacked_size_max) {
  std::vector<net::Part> parts(1);
  parts[0].name = "ProductName";
  for (const Bytes& dump : dumps) {
    net::Part& part = parts.emplace_back();
    part.name = "upload_file_minidump";
    part.filename = "a.dmp";
    part.body = dump;
  }
  SubmissionLimits limits;
  limits.unpacked_size_max = unpacked_size_max;
  return std::get<TakenApart>(submission_from_parts(parts, limits));
}

std::string sizes_of(const TakenApart& taken) {
  std::string sizes;
  for (const auto& file : taken.submission.files) {
    sizes += base::text_of(file.bytes).starts_with("MDMP") ? std::to_string(file.bytes.size())
                                                           : "as sent";
    sizes += ", ";
  }
  return sizes;
}

TEST(SubmissionFromParts, AllDumpsTogetherHaveALimit) {
  const Bytes packed = base::gzip(dump_of(4000));
  const std::vector<Bytes> dumps = {packed, packed,        base::compress_zstd(dump_of(2000)),
                                    packed, dump_of(5000), base::gzip(dump_of(100))};
  const TakenApart taken = take(dumps, 10'500);
  EXPECT_EQ(sizes_of(taken), "4000, 4000, 2000, as sent, 5000, 100, ");
  ASSERT_EQ(taken.submission.notes.size(), 1u);
  EXPECT_TRUE(taken.submission.notes[0].starts_with("a packed dump was kept as sent"));
}

TEST(SubmissionFromParts, OnlyTheInnermostLayerIsKept) {
  const Bytes twice = base::gzip(base::gzip(dump_of(4000)));
  const std::vector<Bytes> dumps = {twice, twice};
  const TakenApart taken = take(dumps, 8100);
  EXPECT_EQ(sizes_of(taken), "4000, 4000, ");
  EXPECT_EQ(taken.unpacked.size(), 2u);
}

TEST(SubmissionFromParts, DumpsThatPassTheLimitAreNotTriedForEver) {
  std::vector<Bytes> dumps(3, base::gzip(dump_of(2'000'000)));
  dumps.push_back(base::gzip(dump_of(1000)));
  EXPECT_EQ(sizes_of(take(dumps, 1'000'000)), "as sent, as sent, as sent, as sent, ");
  dumps.erase(dumps.begin());
  EXPECT_EQ(sizes_of(take(dumps, 1'000'000)), "as sent, as sent, 1000, ");
}

TEST(SubmissionFromParts, ADamagedDumpCostsWhatItMayUnpackTo) {
  Bytes damaged = base::gzip(dump_of(1000));
  damaged.pop_back();
  std::vector<Bytes> dumps(20, damaged);
  dumps.push_back(base::gzip(dump_of(1000)));
  EXPECT_TRUE(sizes_of(take(dumps, 200 << 20)).ends_with("as sent, 1000, "));
}

}  // namespace
}  // namespace api
