#include "formats/archive/archive_reader.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/codec.h"
#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "testing/assembler.h"
#include "testing/corpus.h"

namespace archive {
namespace {

using base::Bytes;
using testing_support::Assembler;
using Buffer = std::vector<std::uint8_t>;

// One member of a tar, by hand: a ustar header and the content in blocks of 512.
void add_member(Assembler& a, const std::string& name, std::string_view content, char type = '0',
                const std::string& target = "", std::uint64_t claimed_size = 0) {
  const std::uint64_t size = claimed_size != 0 ? claimed_size : content.size();
  std::string header(512, '\0');
  const auto put = [&](std::size_t at, std::string_view text) {
    header.replace(at, text.size(), text);
  };
  put(0, name.substr(0, 100));
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, fmt::format("{:011o}", size));
  put(136, "00000000000");
  put(148, "        ");
  header[156] = type;
  put(157, target.substr(0, 100));
  put(257, std::string_view("ustar\00000", 8));
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  put(148, fmt::format("{:06o}", sum));
  header[154] = '\0';
  a.bytes(base::bytes_of(header)).bytes(base::bytes_of(content));
  a.bytes(base::bytes_of(std::string((512 - content.size() % 512) % 512, '\0')));
}

Buffer tar_of(const std::vector<std::pair<std::string, std::string>>& members) {
  Assembler a;
  for (const auto& [name, content] : members) add_member(a, name, content);
  a.bytes(base::bytes_of(std::string(1024, '\0')));
  return a.finish();
}

// The outer layer of a Debian package.
Buffer ar_of(const std::vector<std::pair<std::string, Buffer>>& members) {
  Assembler a;
  a.bytes(base::bytes_of("!<arch>\n"));
  for (const auto& [name, content] : members) {
    a.bytes(base::bytes_of(fmt::format("{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", name, 0, 0, 0,
                                       100644, content.size())));
    a.bytes(content);
    if (content.size() % 2 != 0) a.u8('\n');
  }
  return a.finish();
}

Buffer buffer_of(std::string_view text) { return {text.begin(), text.end()}; }

Buffer deb_of(const std::string& data_name, const Buffer& data) {
  return ar_of({{"debian-binary", buffer_of("2.0\n")},
                {"control.tar.gz", base::gzip(tar_of({{"./control", "x"}}))},
                {data_name, data}});
}

// One entry of a cpio in the "newc" form, which rpm carries.
void add_cpio(Assembler& a, const std::string& name, std::string_view content) {
  const std::string head = fmt::format(
      "070701{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}"
      "{:08x}",
      1, 0100644, 0, 0, 1, 0, content.size(), 0, 0, 0, 0, name.size() + 1, 0);
  const auto pad = [&](std::size_t size) {
    a.bytes(base::bytes_of(std::string((4 - size % 4) % 4, '\0')));
  };
  a.bytes(base::bytes_of(head)).c_string(name);
  pad(head.size() + name.size() + 1);
  a.bytes(base::bytes_of(content));
  pad(content.size());
}

struct Outcome {
  std::string text;  // "name=content;" of each file
  std::optional<base::Error> error;
};

Outcome read_all(Bytes bytes, const Limits& limits = {}) {
  Outcome outcome;
  auto reader = ArchiveReader::open(bytes, limits);
  if (!reader.ok()) return {"", reader.error()};
  for (;;) {
    const auto member = reader->next();
    if (!member.ok()) return {outcome.text, member.error()};
    if (!*member) return outcome;
    if ((*member)->kind == Member::Kind::link) outcome.text += "link ";
    outcome.text += (*member)->name + "=";
    const auto done = reader->read([&](Bytes piece) {
      outcome.text += base::text_of(piece);
      return base::Result<void>();
    });
    if (!done.ok()) return {outcome.text, done.error()};
    outcome.text += ";";
  }
}

TEST(ArchiveReader, ReadsTarInEachCompression) {
  const Buffer tar = tar_of({{"./usr/bin/a", "hello"}, {"b", "there"}});
  for (const Buffer& packed : {tar, base::gzip(tar), base::compress_zstd(tar)}) {
    EXPECT_TRUE(may_be_archive(packed));
    const Outcome outcome = read_all(packed);
    EXPECT_FALSE(outcome.error) << outcome.error->what;
    EXPECT_EQ(outcome.text, "./usr/bin/a=hello;b=there;");
  }
}

TEST(ArchiveReader, ACompressedFileIsOneMemberWithoutAName) {
  const Buffer plain = buffer_of("hello");
  const auto names = [](const Buffer& bytes, Reads reads) -> std::string {
    auto reader = ArchiveReader::open(bytes, Limits(), reads);
    if (!reader.ok()) return "no archive";
    const auto member = reader->next();
    if (!member.ok() || !*member) return "no archive";
    std::string text = (*member)->name + "=";
    EXPECT_TRUE(reader
                    ->read([&](Bytes piece) {
                      text += base::text_of(piece);
                      return base::Result<void>();
                    })
                    .ok());
    return text;
  };
  for (const Buffer& packed : {base::gzip(plain), base::compress_zstd(plain)}) {
    EXPECT_EQ(names(packed, Reads::single_files_too), "=hello");
    EXPECT_EQ(names(packed, Reads::archives), "no archive");
  }
  EXPECT_EQ(names(plain, Reads::single_files_too), "no archive") << "it is not compressed";
  EXPECT_EQ(names(base::gzip(tar_of({{"a", "x"}})), Reads::single_files_too), "a=x");
}

TEST(ArchiveReader, ACompressedFileMeetsTheLimits) {
  Limits limits;
  limits.ratio_free_size = 1000;
  limits.ratio_max = 10;
  const Buffer bomb = base::gzip(Buffer(1 << 20, 'a'));
  auto reader = ArchiveReader::open(bomb, limits, Reads::single_files_too);
  ASSERT_TRUE(reader.ok());
  ASSERT_TRUE(reader->next().ok());
  const auto done = reader->read([](Bytes) { return base::Result<void>(); });
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().fault, base::Fault::too_large);
}

TEST(ArchiveReader, ReadsTheDataOfDebianPackages) {
  const Buffer tar = tar_of({{"./usr/bin/a", "hello"}});
  const std::vector<Buffer> packages{deb_of("data.tar", tar),
                                     deb_of("data.tar.gz", base::gzip(tar)),
                                     deb_of("data.tar.zst/", base::compress_zstd(tar))};
  for (const Buffer& package : packages) {
    EXPECT_TRUE(may_be_archive(package));
    EXPECT_EQ(read_all(package).text, "./usr/bin/a=hello;");
  }
}

TEST(ArchiveReader, OtherArFilesAreNoPackages) {
  EXPECT_EQ(read_all(ar_of({{"a.o/", buffer_of("x")}})).error->fault, base::Fault::unsupported);
  const auto no_data = read_all(ar_of({{"debian-binary", buffer_of("2.0\n")}}));
  EXPECT_EQ(no_data.error->what, "deb: no member data.tar");
  Buffer cut = deb_of("data.tar", tar_of({{"a", "b"}}));
  cut.resize(cut.size() - 1);
  EXPECT_EQ(read_all(cut).error->what, "deb: member data.tar ends behind the end of the file");
}

TEST(ArchiveReader, ReadsCpio) {
  Assembler a;
  add_cpio(a, "./usr/src/debug/x.c", "int x;\n");
  add_cpio(a, "TRAILER!!!", "");
  EXPECT_EQ(read_all(a.finish()).text, "./usr/src/debug/x.c=int x;\n;");
}

TEST(ArchiveReader, GivesHostileNamesAsTheyAre) {
  Assembler a;
  add_member(a, "../../etc/passwd", "x");
  add_member(a, "/abs", "y");
  add_member(a, "to", "", '2', "/etc/shadow");
  add_member(a, "hard", "", '1', "/abs");
  add_member(a, "b\xff", "z");
  a.bytes(base::bytes_of(std::string(1024, '\0')));
  const Outcome outcome = read_all(a.finish());
  EXPECT_FALSE(outcome.error) << outcome.error->what;
  EXPECT_EQ(outcome.text, "../../etc/passwd=x;/abs=y;link to=;hard=;b\xff=z;");
}

TEST(ArchiveReader, MembersBeforeTheDamageAreGood) {
  Buffer bytes = tar_of({{"a", "hello"}, {"b", "there"}});
  bytes.resize(1024 + 512 + 2);
  const Outcome outcome = read_all(bytes);
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->fault, base::Fault::malformed);
  EXPECT_TRUE(outcome.text.starts_with("a=hello;b=")) << outcome.text;
}

TEST(ArchiveReader, HoldsItsLimits) {
  const Buffer bytes = tar_of({{"a", std::string(5000, 'a')}, {"b", "b"}});
  Limits members;
  members.members_max = 1;
  EXPECT_EQ(read_all(bytes, members).error->fault, base::Fault::too_large);
  Limits member_size;
  member_size.member_size_max = 4999;
  EXPECT_EQ(read_all(bytes, member_size).error->fault, base::Fault::too_large);
  Limits plain;
  plain.plain_size_max = 5000;
  EXPECT_EQ(read_all(bytes, plain).error->fault, base::Fault::too_large);
  Limits ratio;
  ratio.ratio_free_size = 1000;
  ratio.ratio_max = 5;
  EXPECT_FALSE(read_all(bytes, ratio).error);
  EXPECT_EQ(read_all(base::gzip(bytes), ratio).error->fault, base::Fault::too_large);
}

TEST(ArchiveReader, PassingOverABombIsLimitedToo) {
  Assembler a;
  add_member(a, "zeros", std::string(100'000, '\0'));
  add_member(a, "b", "b");
  const Buffer bomb = base::gzip(a.finish());
  Limits limits;
  limits.plain_size_max = 50'000;
  auto reader = ArchiveReader::open(bomb, limits).value();
  ASSERT_TRUE(reader.next().ok());
  const auto second = reader.next();
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().fault, base::Fault::too_large);
}

TEST(ArchiveReader, AMemberOfNoEndIsAFault) {
  Assembler a;
  add_member(a, "endless", "x", '0', "", 07777777777);
  EXPECT_EQ(read_all(a.finish()).error->fault, base::Fault::malformed);
}

TEST(ArchiveReader, AnythingElseIsUnsupported) {
  for (const std::string_view text : {"", "P", "#mtree\n./a type=file\n", "no archive at all"}) {
    const Outcome outcome = read_all(base::bytes_of(text));
    ASSERT_TRUE(outcome.error || outcome.text.empty()) << text;
    if (outcome.error) EXPECT_EQ(outcome.error->fault, base::Fault::unsupported) << text;
  }
}

TEST(ArchiveReader, EveryPrefixGivesAnAnswerOrAFault) {
  const Buffer tar = tar_of({{"a", "hello"}, {"b", "there"}});
  for (const Buffer& bytes : {deb_of("data.tar.gz", base::gzip(tar)), base::compress_zstd(tar)}) {
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      read_all(Bytes(bytes).first(size));
    }
  }
}

// "/usr/bin/x" of "./usr/bin/x".
std::string absolute(std::string name) {
  if (name.starts_with("./")) name.erase(0, 1);
  if (!name.starts_with('/')) name.insert(0, "/");
  return name;
}

TEST(ArchiveReader, AgreesWithTheReferenceOnRealPackages) {
  REQUIRE_CORPUS(corpus);
  const std::string folder = corpus + "/symbols/archives/";
  const auto expected =
      base::JsonValue::parse(base::read_file(folder + "expected.json").value()).value();
  std::size_t members = 0;
  for (const base::JsonValue& package : *expected["archives"].array()) {
    const std::string path(package["archive"].text_or(""));
    if (!package["members"].array()) continue;
    std::map<std::string, std::string> hashes;
    for (const base::JsonValue& member : *package["members"].array()) {
      if (member["sha256"].text_or("").empty()) continue;
      hashes.emplace(member["path"].text_or(""), member["sha256"].text_or(""));
    }
    const auto file = base::MappedFile::open(folder + path).value();
    EXPECT_TRUE(may_be_archive(file->bytes())) << path;
    auto reader = ArchiveReader::open(file->bytes()).value();
    for (;;) {
      const auto member = reader.next();
      ASSERT_TRUE(member.ok()) << path << ": " << member.error().what;
      if (!*member) break;
      if ((*member)->kind != Member::Kind::file) continue;
      base::Sha256Stream stream;
      const auto done = reader.read([&](Bytes piece) {
        stream.update(piece);
        return base::Result<void>();
      });
      ASSERT_TRUE(done.ok()) << path << ": " << done.error().what;
      const auto known = hashes.find(absolute((*member)->name));
      if (known == hashes.end()) continue;
      EXPECT_EQ(stream.finish().hex(), known->second) << path << " " << (*member)->name;
      hashes.erase(known);
      ++members;
    }
    EXPECT_TRUE(hashes.empty()) << path << " lacks " << hashes.begin()->first;
  }
  EXPECT_GT(members, 40u);
}

}  // namespace
}  // namespace archive
