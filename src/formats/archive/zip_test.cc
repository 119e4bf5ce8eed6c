#include "formats/archive/zip.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "base/file.h"
#include "testing/assembler.h"
#include "testing/corpus.h"

namespace archive {
namespace {

using testing_support::Assembler;
using testing_support::Label;

struct Member {
  std::string name;
  std::string content;
  std::uint32_t claimed_size = 0;  // 0: the truth
  bool is_utf8 = false;            // the flag that says so of the name
};

// A zip of stored members, by hand: local headers, directory, end record.
std::vector<std::uint8_t> zip_of(const std::vector<Member>& members) {
  Assembler a;
  std::vector<Label> places(members.size());
  const auto fields = [&](const Member& member) {
    const auto crc = crc32(0, reinterpret_cast<const Bytef*>(member.content.data()),
                           static_cast<uInt>(member.content.size()));
    const auto size = member.claimed_size != 0 ? member.claimed_size : member.content.size();
    a.u16(member.is_utf8 ? 0x800 : 0)
        .u16(0)
        .u16(0)
        .u16(0)
        .u32(crc)
        .u32(size)
        .u32(size)
        .u16(member.name.size())
        .u16(0);
  };
  for (std::size_t i = 0; i < members.size(); ++i) {
    a.mark(places[i]).u32(0x04034b50).u16(20);
    fields(members[i]);
    a.bytes(base::bytes_of(members[i].name)).bytes(base::bytes_of(members[i].content));
  }
  Label directory;
  a.mark(directory);
  const std::uint64_t start = a.here();
  for (std::size_t i = 0; i < members.size(); ++i) {
    a.u32(0x02014b50).u16(20).u16(20);
    fields(members[i]);
    a.u16(0).u16(0).u16(0).u32(0).u32(places[i]).bytes(base::bytes_of(members[i].name));
  }
  const std::uint64_t size = a.here() - start;
  a.u32(0x06054b50).u16(0).u16(0).u16(members.size()).u16(members.size());
  a.u32(size).u32(directory).u16(0);
  return a.finish();
}

struct Outcome {
  std::string text;  // "name=content;" of each member
  std::optional<base::Error> error;
};

Outcome read_all(base::Bytes bytes, const ZipLimits& limits = {}) {
  Outcome outcome;
  auto reader = ZipReader::open(bytes, limits);
  if (!reader.ok()) return {"", reader.error()};
  for (;;) {
    const auto member = reader->next();
    if (!member.ok()) return {outcome.text, member.error()};
    if (!*member) return outcome;
    outcome.text += (*member)->name + "=";
    const auto done = reader->read([&](base::Bytes piece) {
      outcome.text += base::text_of(piece);
      return base::Result<void>();
    });
    if (!done.ok()) return {outcome.text, done.error()};
    outcome.text += ";";
  }
}

TEST(Zip, GivesMembersInOrder) {
  const auto bytes = zip_of({{"a/b.sym", "hello"}, {"c", "there"}});
  const Outcome outcome = read_all(bytes);
  EXPECT_FALSE(outcome.error) << outcome.error->what;
  EXPECT_EQ(outcome.text, "a/b.sym=hello;c=there;");
}

TEST(Zip, KeepsHostileNamesAsTheyAre) {
  const auto bytes = zip_of({{"../../etc/passwd", "x"},
                             {"/abs", "y"},
                             {"b\xc3\xa4r", "z"},
                             {"b\xc3\xa4r", "z", 0, true},
                             {"\xff\xfe", "w"}});
  EXPECT_EQ(read_all(bytes).text,
            "../../etc/passwd=x;/abs=y;b\xc3\xa4r=z;b\xc3\xa4r=z;\xff\xfe=w;");
}

TEST(Zip, SaysThatAnythingElseIsNone) {
  for (const std::string_view text : {"", "PK", "not a zip despite its name", "PK\x03\x04"}) {
    const Outcome outcome = read_all(base::bytes_of(text));
    ASSERT_TRUE(outcome.error) << text;
    EXPECT_EQ(outcome.error->fault, base::Fault::malformed);
    EXPECT_EQ(outcome.error->what, "File is not a zip file");
  }
}

TEST(Zip, HoldsItsLimits) {
  const auto bytes = zip_of({{"a", std::string(100, 'a')}, {"b", "b"}});
  ZipLimits members;
  members.members_max = 1;
  EXPECT_EQ(read_all(bytes, members).error->fault, base::Fault::too_large);
  ZipLimits size;
  size.member_size_max = 99;
  EXPECT_EQ(read_all(bytes, size).error->fault, base::Fault::too_large);
  ZipLimits ratio;
  ratio.ratio_free_size = 10;
  ratio.ratio_max = 1;
  EXPECT_FALSE(read_all(bytes, ratio).error);
}

TEST(Zip, AMemberThatEndsEarlyIsAnError) {
  const auto bytes = zip_of({{"a", "short", 4000}});
  EXPECT_TRUE(read_all(bytes).error);
}

TEST(Zip, EveryPrefixGivesAnAnswerOrAFault) {
  const auto bytes = zip_of({{"a/b.sym", "hello"}, {"c", "there"}});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_TRUE(read_all(base::Bytes(bytes).first(size)).error) << size;
  }
}

TEST(Zip, ReadsRealUploads) {
  REQUIRE_CORPUS(corpus);
  const std::string folder = corpus + "/symbols/upload/tecken-zips/";
  const auto sample = base::MappedFile::open(folder + "sample.zip").value();
  const Outcome outcome = read_all(sample->bytes());
  EXPECT_FALSE(outcome.error);
  EXPECT_NE(outcome.text.find("xpcshell.sym=MODULE mac"), std::string::npos);
  const auto not_a_zip = base::MappedFile::open(folder + "notazipdespiteitsname.zip").value();
  EXPECT_EQ(read_all(not_a_zip->bytes()).error->what, "File is not a zip file");
}

}  // namespace
}  // namespace archive
