#include "ingest/unpack.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/codec.h"
#include "base/file.h"
#include "formats/archive/cab.h"
#include "ingest/source_pack.h"

namespace ingest {
namespace {

using base::Fault;

constexpr const char* kSym = "MODULE Linux x86_64 0403020106050807090A0B0C0D0E0F100 x\n";

// A member of a tar archive (ustar), and its end.
std::string member_of(const std::string& name, const std::string& content) {
  std::string head(512, '\0');
  head.replace(0, name.size(), name);
  head.replace(100, 8, "0000644").replace(108, 8, "0000000").replace(116, 8, "0000000");
  head.resize(512, '\0');
  const std::string size = fmt::format("{:011o}", content.size());
  head.replace(124, size.size(), size).replace(136, 11, "00000000000");
  head[156] = '0';
  head.replace(257, 8, std::string("ustar\00000", 8)).replace(148, 8, "        ");
  unsigned sum = 0;
  for (const char c : head) sum += static_cast<unsigned char>(c);
  head.replace(148, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  return head + content + std::string((512 - content.size() % 512) % 512, '\0');
}
std::string tar_of(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string tar;
  for (const auto& [name, content] : members) tar += member_of(name, content);
  return tar + std::string(1024, '\0');
}

class UnpackTest : public testing::Test {
 protected:
  void SetUp() override {
    job_.archive = base::join_path(root_.path(), "archive.tar");
    job_.directory = base::join_path(root_.path(), "out");
    ASSERT_TRUE(base::make_directories(job_.directory).ok());
  }
  base::Result<Unpacked> unpack_tar(const std::string& tar) {
    EXPECT_TRUE(base::write_file_durably(job_.archive, base::bytes_of(tar)).ok());
    return unpack(job_);
  }
  std::string content_of(const UnpackedMember& member) {
    return base::read_file(base::join_path(job_.directory, member.file)).value();
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("unpack-test").value();
  UnpackJob job_;
};

TEST_F(UnpackTest, DebugFilesComeOneByOneAndSourcesTogether) {
  const auto unpacked = unpack_tar(tar_of({{"./usr/lib/x.sym", kSym},
                                           {"./usr/src/x/a.c", "int a;\n"},
                                           {"./usr/share/doc/x", "words\n"},
                                           {"./usr/src/x/b.c", "int b;\n"}}));
  ASSERT_TRUE(unpacked.ok()) << unpacked.error().what;
  EXPECT_EQ(unpacked->problem, "");
  ASSERT_EQ(unpacked->members.size(), 1u);
  EXPECT_EQ(unpacked->members[0].name, "/usr/lib/x.sym");
  EXPECT_EQ(content_of(unpacked->members[0]), kSym);
  ASSERT_EQ(unpacked->sources.size(), 2u);
  EXPECT_EQ(unpacked->sources[1].path, "/usr/src/x/b.c");
  const std::string pack = base::join_path(job_.directory, kPackName);
  EXPECT_EQ(read_packed(pack, unpacked->sources[1]).value(), "int b;\n");
  EXPECT_EQ(base::list_files(job_.directory)->size(), 2u);
}

TEST_F(UnpackTest, NothingIsWrittenToAMembersName) {
  const auto unpacked = unpack_tar(tar_of({{"../../evil.sym", kSym}, {"/etc/passwd.sym", kSym}}));
  ASSERT_TRUE(unpacked.ok()) << unpacked.error().what;
  for (const UnpackedMember& member : unpacked->members) {
    EXPECT_TRUE(member.name.find("..") == std::string::npos) << member.name;
    EXPECT_EQ(base::parent_of(base::join_path(job_.directory, member.file)), job_.directory);
  }
  EXPECT_FALSE(base::file_exists(base::join_path(root_.path(), "evil.sym")));
  EXPECT_FALSE(base::file_exists("/etc/passwd.sym"));
}

TEST_F(UnpackTest, OneMemberAloneByItsOrdinal) {
  const std::string tar = tar_of({{"a.sym", kSym}, {"b.sym", kSym + std::string("INFO b\n")}});
  const std::uint64_t second = unpack_tar(tar).value().members.at(1).ordinal;
  ASSERT_TRUE(base::remove_tree(job_.directory).ok());
  ASSERT_TRUE(base::make_directories(job_.directory).ok());
  job_.only = second;
  const Unpacked unpacked = unpack_tar(tar).value();
  ASSERT_EQ(unpacked.members.size(), 1u);
  EXPECT_EQ(unpacked.members[0].name, "/b.sym");
  EXPECT_EQ(content_of(unpacked.members[0]), kSym + std::string("INFO b\n"));
  EXPECT_EQ(base::list_files(job_.directory)->size(), 1u);
}

TEST_F(UnpackTest, WhatCameBeforeTheDamageCounts) {
  std::string tar = tar_of({{"a.sym", kSym}, {"b.sym", kSym + std::string(5000, 'x')}});
  tar.resize(512 * 4);
  const auto unpacked = unpack_tar(tar);
  ASSERT_TRUE(unpacked.ok()) << unpacked.error().what;
  EXPECT_NE(unpacked->problem, "");
  ASSERT_EQ(unpacked->members.size(), 1u);
  EXPECT_EQ(unpacked->members[0].name, "/a.sym");
}

TEST_F(UnpackTest, AFullDiskIsNoDamage) {
  job_.disk_free_min = ~0ull;
  const auto unpacked = unpack_tar(tar_of({{"a.sym", kSym}}));
  ASSERT_FALSE(unpacked.ok());
  EXPECT_EQ(unpacked.error().fault, Fault::unavailable);
}

TEST_F(UnpackTest, WhatIsNoArchiveIsUnsupported) {
  const auto unpacked = unpack_tar("no archive\n");
  ASSERT_FALSE(unpacked.ok());
  EXPECT_EQ(unpacked.error().fault, Fault::unsupported);
}

TEST_F(UnpackTest, ACompressedFileHasNoName) {
  const auto packed = base::gzip(base::bytes_of(kSym));
  const auto unpacked = unpack_tar(std::string(base::text_of(packed)));
  ASSERT_TRUE(unpacked.ok()) << unpacked.error().what;
  ASSERT_EQ(unpacked->members.size(), 1u);
  EXPECT_EQ(unpacked->members[0].name, "");
  EXPECT_EQ(content_of(unpacked->members[0]), kSym);
}

TEST_F(UnpackTest, ACabinetGivesItsMember) {
  base::PendingFile cab = base::PendingFile::create(root_.path()).value();
  ASSERT_TRUE(archive::write_cab("foo.sym", base::bytes_of(kSym), {}, cab).ok());
  const std::string bytes = base::read_file(cab.path()).value();
  for (const bool alone : {false, true}) {
    if (alone) job_.only = 0;
    const auto unpacked = unpack_tar(bytes);
    ASSERT_TRUE(unpacked.ok()) << unpacked.error().what;
    ASSERT_EQ(unpacked->members.size(), 1u);
    EXPECT_EQ(unpacked->members[0].name, "/foo.sym");
    EXPECT_EQ(content_of(unpacked->members[0]), kSym);
  }
}

TEST_F(UnpackTest, PerfMapsAreTaken) {
  const std::string map =
      "FFFFFFFF 00 734D59D6DE0E96AA3C77B3E2ED498097\nFFFFFFFE 00 1\nFFFFFFFD 00 2\n"
      "FFFFFFFC 00 3\nFFFFFFFB 00 1\n000115D0 0D A::.ctor()\n";
  const auto unpacked = unpack_tar(tar_of({{"lib/a.ni.r2rmap", map}}));
  ASSERT_TRUE(unpacked.ok()) << unpacked.error().what;
  ASSERT_EQ(unpacked->members.size(), 1u);
}

TEST_F(UnpackTest, ABombIsTooLarge) {
  archive::Limits limits;
  limits.ratio_free_size = 1000;
  limits.ratio_max = 10;
  const auto packed = base::gzip(base::bytes_of(kSym + std::string(1 << 20, 'a')));
  ASSERT_TRUE(base::write_file_durably(job_.archive, packed).ok());
  const auto unpacked = unpack(job_, limits);
  ASSERT_FALSE(unpacked.ok());
  EXPECT_EQ(unpacked.error().fault, Fault::too_large);
}

TEST(Unpacked, GoesThroughJsonAndBack) {
  Unpacked unpacked;
  unpacked.problem = "it \"ends\" early";
  unpacked.members.push_back({"/usr/bin/ä", 17, "17"});
  unpacked.sources.push_back({"/usr/src/a.c", 1, 2, 3, 4, 5});
  const Unpacked again = unpacked_from_json(json_of(unpacked)).value();
  EXPECT_EQ(json_of(again), json_of(unpacked));
  EXPECT_EQ(again.members[0].name, "/usr/bin/ä");
  EXPECT_EQ(again.sources[0].skip, 4u);
  // A child that was taken over names no file outside its directory.
  EXPECT_FALSE(
      unpacked_from_json(R"({"members":[{"name":"x","ordinal":1,"file":"../blob"}]})").ok());
}

TEST(FoldMemberName, LeavesNoWayUp) {
  const std::vector<std::pair<std::string, std::string>> names{{"./usr//bin/./x", "/usr/bin/x"},
                                                               {"/abs", "/abs"},
                                                               {"a/../b", ""},
                                                               {"..", ""},
                                                               {"", ""},
                                                               {"./", ""}};
  for (const auto& [name, folded] : names) EXPECT_EQ(fold_member_name(name), folded) << name;
}

}  // namespace
}  // namespace ingest
