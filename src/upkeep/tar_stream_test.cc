#include "upkeep/tar_stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "base/file.h"
#include "testing/commands.h"

namespace upkeep {
namespace {

using base::Bytes;
using base::Result;

TarWriter::Sink into(std::string& text) {
  return [&text](Bytes bytes) -> Result<void> {
    text += base::text_of(bytes);
    return {};
  };
}

// In pieces of `piece` bytes at most, as a pipe gives them.
TarReader::Source from(std::string_view text, std::size_t piece) {
  return [text, piece](std::span<std::uint8_t> room) mutable -> Result<std::size_t> {
    const std::size_t n = std::min({room.size(), piece, text.size()});
    std::memcpy(room.data(), text.data(), n);
    text.remove_prefix(n);
    return n;
  };
}

std::string archive_of(const std::vector<std::pair<std::string, std::string>>& files) {
  std::string text;
  TarWriter tar(into(text));
  for (const auto& [name, content] : files) {
    EXPECT_TRUE(tar.begin(name, content.size(), 1'700'000'000).ok());
    EXPECT_TRUE(tar.append(base::bytes_of(content)).ok());
  }
  EXPECT_TRUE(tar.finish().ok());
  return text;
}

// "a=1234 b= ", or what is wrong.
std::string contents_of(std::string_view archive, std::size_t piece = 1000) {
  TarReader tar(from(archive, piece));
  std::string all;
  for (;;) {
    auto entry = tar.next();
    if (!entry.ok()) return entry.error().what;
    if (!*entry) return all;
    all += (*entry)->name + "=";
    for (;;) {
      std::array<std::uint8_t, 7> room{};
      const auto n = tar.read(room);
      if (!n.ok()) return n.error().what;
      if (*n == 0) break;
      all += base::text_of(Bytes(room).first(*n));
    }
    all += " ";
  }
}

TEST(TarStream, GivesBackWhatWasPutIn) {
  const std::string block(512, 'x');
  const std::string archive = archive_of({{"a", "1234"}, {"b/empty", ""}, {"b/block", block}});
  EXPECT_EQ(archive.size(), 512u * (3 + 2 + 2));
  for (const std::size_t piece : {1u, 13u, 100'000u}) {
    EXPECT_EQ(contents_of(archive, piece), "a=1234 b/empty= b/block=" + block + " ");
  }
  EXPECT_EQ(contents_of(archive_of({})), "");
}

TEST(TarStream, EveryPrefixIsRefused) {
  const std::string archive = archive_of({{"a", "1234"}, {"b", "5"}});
  for (std::size_t size = 0; size + 1024 < archive.size(); ++size) {
    EXPECT_NE(contents_of(archive.substr(0, size)).find("ends too early"), std::string::npos)
        << size;
  }
}

TEST(TarStream, ADamagedHeaderIsRefused) {
  const std::string archive = archive_of({{"a", "1234"}});
  std::string damaged = archive;
  damaged[0] = 'b';
  EXPECT_NE(contents_of(damaged).find("sum is wrong"), std::string::npos);
  std::string link = archive;
  link[156] = '2';  // a symbolic one
  link[0] = '_';    // two less than 'a', so that the sum is right again
  EXPECT_NE(contents_of(link).find("is no plain file"), std::string::npos) << contents_of(link);
}

TEST(TarStream, SizesBeyondOctalDigitsAreRead) {
  std::string text;
  TarWriter tar(into(text));
  const std::uint64_t size = 9'000'000'000;
  ASSERT_TRUE(tar.begin("huge", size, 0).ok());
  TarReader back(from(text, 1000));
  const auto entry = back.next();
  ASSERT_TRUE(entry.ok()) << entry.error().what;
  EXPECT_EQ((*entry)->size, size);
}

TEST(TarStream, TarReadsItAndIsRead) {
  const auto directory = base::TemporaryDirectory::create("tar").value();
  const std::string archive = archive_of({{"a", "1234"}, {"b/c", "five"}});
  const std::string path = directory.path() + "/a.tar";
  ASSERT_TRUE(base::write_file_durably(path, base::bytes_of(archive)).ok());
  const auto listed = testing_support::run("tar -tvf " + path);
  EXPECT_EQ(listed.exit_code, 0) << listed.errors;
  EXPECT_EQ(listed.errors, "");
  EXPECT_NE(listed.output.find("2023-11-1"), std::string::npos) << listed.output;
  const std::string again = directory.path() + "/again.tar";
  const auto packed =
      testing_support::run("cd " + directory.path() + " && mkdir out && tar -xf a.tar -C out && " +
                           "tar -cf " + again + " -C out ./a ./b");
  ASSERT_EQ(packed.exit_code, 0) << packed.errors;
  EXPECT_EQ(contents_of(base::read_file(again).value()), "a=1234 b/c=five ");
}

}  // namespace
}  // namespace upkeep
