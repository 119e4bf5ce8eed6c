#include "formats/pdb/write_msf.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "formats/pdb/pdb.h"
#include "testing/corpus.h"

namespace pdb {
namespace {

using base::Bytes;
using base::Result;

// Streams of the given sizes, each byte telling where it stands.
class Made final : public Container {
 public:
  explicit Made(std::vector<std::uint64_t> sizes) : sizes_(std::move(sizes)) {}
  Kind kind() const override { return Kind::msfz; }
  std::uint32_t stream_count() const override { return static_cast<std::uint32_t>(sizes_.size()); }
  std::uint64_t size_of(std::uint32_t stream) const override { return sizes_[stream]; }
  Result<StreamBytes> read(std::uint32_t stream, std::uint64_t offset,
                           std::uint64_t size) const override {
    std::vector<std::uint8_t> bytes(size);
    for (std::uint64_t i = 0; i < size; ++i) bytes[i] = at(stream, offset + i);
    return StreamBytes(std::move(bytes));
  }
  static std::uint8_t at(std::uint32_t stream, std::uint64_t offset) {
    return static_cast<std::uint8_t>(stream * 7 + offset * 13 + offset / 4096);
  }

 private:
  std::vector<std::uint64_t> sizes_;
};

std::vector<std::uint8_t> must_write(const Container& container) {
  std::vector<std::uint8_t> out;
  const auto done = write_msf7(container, [&](Bytes pages) -> Result<void> {
    EXPECT_EQ(pages.size() % 4096, 0u);
    out.insert(out.end(), pages.begin(), pages.end());
    return {};
  });
  EXPECT_TRUE(done.ok()) << done.error().what;
  return out;
}

void expect_same_streams(const Container& a, const Container& b) {
  ASSERT_EQ(a.stream_count(), b.stream_count());
  for (std::uint32_t i = 0; i < a.stream_count(); ++i) {
    ASSERT_EQ(a.size_of(i), b.size_of(i)) << i;
    if (a.size_of(i) == 0) continue;
    const auto left = a.read(i, 0, a.size_of(i));
    const auto right = b.read(i, 0, b.size_of(i));
    ASSERT_TRUE(left.ok() && right.ok()) << i;
    EXPECT_TRUE(std::equal(left->bytes().begin(), left->bytes().end(), right->bytes().begin()))
        << i;
  }
}

TEST(WriteMsf, WhatIsWrittenIsReadBack) {
  for (const auto& sizes :
       std::vector<std::vector<std::uint64_t>>{{},
                                               {0},
                                               {0, 1},
                                               {4096, 4095, 4097, 0, 0, 100'000},
                                               std::vector<std::uint64_t>(3000, 5)}) {
    const Made made(sizes);
    const auto bytes = must_write(made);
    const auto read = open_container(bytes);
    ASSERT_TRUE(read.ok()) << read.error().what;
    EXPECT_EQ((*read)->kind(), Container::Kind::msf7);
    expect_same_streams(made, **read);
  }
}

// Past page 4096 two more pages belong to the maps of free pages.
TEST(WriteMsf, LargeFilesLeaveRoomForTheirMaps) {
  const Made made({0, 20ull << 20, 17});
  const auto bytes = must_write(made);
  const auto read = open_container(bytes);
  ASSERT_TRUE(read.ok()) << read.error().what;
  expect_same_streams(made, **read);
  const std::uint64_t page_count = bytes.size() / 4096;
  for (std::uint64_t page = 0; page < page_count; ++page) {
    const std::uint64_t map = 1 + page / (4096 * 8) * 4096;
    EXPECT_EQ(bytes[map * 4096 + page / 8 % 4096] >> (page % 8) & 1, 0) << page << " is in use";
  }
  EXPECT_EQ(bytes[4096 + page_count / 8 + 1], 0xff) << "beyond the end all is free";
}

TEST(WriteMsf, RefusesWhatItCannotList) {
  std::uint64_t written = 0;
  const auto done = write_msf7(Made({8ull << 30}), [&](Bytes pages) -> Result<void> {
    written += pages.size();
    return {};
  });
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().fault, base::Fault::too_large);
  EXPECT_EQ(written, 0u);
}

TEST(WriteMsf, ASinkThatFailsEndsIt) {
  const auto done = write_msf7(Made({1, 2}), [](Bytes) -> Result<void> {
    return base::Error{base::Fault::unavailable, "the disk is full"};
  });
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().fault, base::Fault::unavailable);
}

TEST(WriteMsfCorpus, ACompressedPdbBecomesThePlainOne) {
  REQUIRE_CORPUS(corpus);
  const std::string folder = corpus + "/symbols/objects/pe-pdb/dotnet-helloworld/HelloWorld.";
  const auto packed_file = base::MappedFile::open(folder + "pdz");
  const auto plain_file = base::MappedFile::open(folder + "pdb");
  ASSERT_TRUE(packed_file.ok() && plain_file.ok());
  const auto packed = open_container((*packed_file)->bytes());
  ASSERT_TRUE(packed.ok());
  const auto bytes = must_write(**packed);
  const auto written = File::open(bytes);
  const auto plain = File::open((*plain_file)->bytes());
  ASSERT_TRUE(written.ok() && plain.ok()) << written.error().what;
  expect_same_streams(**packed, written->container());
  EXPECT_EQ(written->info().guid, plain->info().guid);
  EXPECT_EQ(written->age(), plain->age());
}

}  // namespace
}  // namespace pdb
