#include "formats/pdb/pdb.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/codec.h"
#include "base/file.h"
#include "base/text.h"
#include "testing/assembler.h"
#include "testing/corpus.h"
#include "testing/old_pdb.h"

namespace pdb {
namespace {

using testing_support::Assembler;
using Bytes = std::vector<std::uint8_t>;

constexpr std::array<std::uint8_t, 16> kGuid{0xa8, 0x03, 0xe1, 0x72, 0xb2, 0x5c, 0x07, 0x49,
                                             0x8b, 0x76, 0xb2, 0xe7, 0xc0, 0x62, 0x57, 0xb1};

Bytes info_stream(std::uint32_t age, const std::vector<NamedStream>& named = {},
                  std::uint32_t version = 20000404) {
  Assembler a;
  a.u32(version).u32(0x589dfd11).u32(age).bytes(kGuid);
  std::string names;
  for (const NamedStream& n : named) names += n.name + '\0';
  a.u32(names.size()).bytes(base::bytes_of(names));
  a.u32(named.size()).u32(8).u32(1).u32(0xff).u32(0);
  std::uint32_t at = 0;
  for (const NamedStream& n : named) {
    a.u32(at).u32(n.stream);
    at += static_cast<std::uint32_t>(n.name.size() + 1);
  }
  a.u32(0);
  return a.finish();
}

Bytes dbi_stream(std::uint32_t age, std::uint16_t machine, std::uint16_t flags = 0) {
  Assembler a;
  a.u32(0xffffffff).u32(19990903).u32(age).u16(5).u16(0).u16(6).u16(0).u16(7).u16(0);
  a.repeat(0, 32).u16(flags).u16(machine).u32(0);
  return a.finish();
}

// Pages of each stream are laid down from the last to the first, so that no two lie in a row.
Bytes make_msf7(const std::vector<Bytes>& streams, std::size_t page_size = 512) {
  std::vector<Bytes> pages(3);  // superblock and two free page maps
  const auto add = [&](const Bytes& bytes) {
    std::vector<std::uint32_t> numbers;
    const std::size_t count = (bytes.size() + page_size - 1) / page_size;
    numbers.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      numbers.push_back(static_cast<std::uint32_t>(pages.size() + count - 1 - i));
    }
    for (std::size_t i = count; i-- > 0;) {
      const std::size_t end = std::min(bytes.size(), (i + 1) * page_size);
      pages.emplace_back(bytes.begin() + static_cast<std::ptrdiff_t>(i * page_size),
                         bytes.begin() + static_cast<std::ptrdiff_t>(end));
    }
    return numbers;
  };
  const auto numbers_as_bytes = [](const std::vector<std::uint32_t>& numbers) {
    Assembler a;
    for (const std::uint32_t n : numbers) a.u32(n);
    return a.finish();
  };
  Assembler directory;
  directory.u32(streams.size());
  for (const Bytes& s : streams) directory.u32(s.size());
  for (const Bytes& s : streams) directory.bytes(numbers_as_bytes(add(s)));
  const Bytes directory_bytes = directory.finish();
  const Bytes map = numbers_as_bytes(add(directory_bytes));
  const Bytes roots = numbers_as_bytes(add(map));
  Assembler super;
  super
      .bytes(base::bytes_of("Microsoft C/C++ MSF 7.00\r\n\x1a"
                            "DS"))
      .u8(0)
      .u8(0)
      .u8(0);
  super.u32(page_size).u32(1).u32(pages.size()).u32(directory_bytes.size()).u32(0).bytes(roots);
  pages[0] = super.finish();
  Assembler file;
  for (Bytes& page : pages) {
    page.resize(page_size);
    file.bytes(page);
  }
  return file.finish();
}

Bytes small_pdb(std::size_t page_size = 512) {
  Bytes srcsrv(1300, 'x');
  srcsrv[1299] = 'y';
  return make_msf7({{},
                    info_stream(7, {{"/names", 4}, {"SrcSrv", 5}, {"sourcelink$1", 4}}),
                    {},
                    dbi_stream(3, kMachineAmd64),
                    {'n'},
                    srcsrv},
                   page_size);
}

TEST(Pdb, TakesGuidFromTheInfoStreamAndAgeFromTheDbiStream) {
  const Bytes bytes = small_pdb();
  const auto file = File::open(bytes);
  ASSERT_TRUE(file.ok()) << file.error().what;
  EXPECT_EQ(base::hex_of(file->info().guid), base::hex_of(kGuid));
  EXPECT_EQ(file->info().age, 7u);
  EXPECT_EQ(file->age(), 3u);
  EXPECT_EQ(file->arch(), "x86_64");
  EXPECT_EQ(file->problem(), "");
}

TEST(Pdb, ReadsStreamsByNameWithoutCase) {
  const Bytes bytes = small_pdb();
  const auto file = File::open(bytes);
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE(file->has_srcsrv());
  EXPECT_TRUE(file->has_source_link());
  const auto stream = file->read_named_stream("srcsrv", 4096);
  ASSERT_TRUE(stream.ok()) << stream.error().what;
  EXPECT_EQ(stream->bytes().size(), 1300u);
  EXPECT_EQ(stream->bytes().back(), 'y');
  EXPECT_FALSE(stream->is_view());  // its pages lie backwards
  EXPECT_EQ(file->read_named_stream("srcsrv", 1299).error().fault, base::Fault::too_large);
  EXPECT_EQ(file->read_named_stream("nothing", 9).error().fault, base::Fault::not_found);
}

TEST(Pdb, ReadsAPartOfAStream) {
  const Bytes bytes = small_pdb();
  const auto file = File::open(bytes);
  ASSERT_TRUE(file.ok());
  const auto part = file->container().read(5, 1290, 10);
  ASSERT_TRUE(part.ok());
  EXPECT_EQ(base::text_of(part->bytes()), "xxxxxxxxxy");
  EXPECT_TRUE(part->is_view());  // within one page
  EXPECT_EQ(file->container().read(5, 1290, 11).error().fault, base::Fault::malformed);
  EXPECT_EQ(file->container().read(99, 0, 1).error().fault, base::Fault::not_found);
}

TEST(Pdb, TakesEveryPageSize) {
  for (const std::size_t size : {512u, 1024u, 4096u, 8192u, 65536u}) {
    const Bytes bytes = small_pdb(size);
    EXPECT_TRUE(File::open(bytes).ok()) << size;
  }
  Bytes odd = small_pdb();
  odd[32] = 1;
  EXPECT_EQ(File::open(odd).error().fault, base::Fault::malformed);
}

TEST(Pdb, FollowsABlockMapOfSeveralPages) {
  // A directory of 80 KB has 160 pages of 512 bytes: their numbers fill two more.
  std::vector<Bytes> streams(20000);
  streams[kInfoStream] = info_stream(1);
  streams[19999] = {'e', 'n', 'd'};
  const Bytes bytes = make_msf7(streams);
  const auto file = File::open(bytes);
  ASSERT_TRUE(file.ok()) << file.error().what;
  EXPECT_EQ(file->container().stream_count(), 20000u);
  const auto last = file->container().read_all(19999, 10);
  ASSERT_TRUE(last.ok());
  EXPECT_EQ(base::text_of(last->bytes()), "end");
}

TEST(Pdb, WithoutDbiTheInfoStreamsAgeHolds) {
  const Bytes bytes = make_msf7({{}, info_stream(7)});
  const auto file = File::open(bytes);
  ASSERT_TRUE(file.ok());
  EXPECT_FALSE(file->dbi());
  EXPECT_EQ(file->age(), 7u);
  EXPECT_EQ(file->arch(), "unknown");
}

TEST(Pdb, DamagedNamesAndDbiAreAProblemNotAnError) {
  Bytes info = info_stream(1, {{"srcsrv", 5}});
  info.resize(info.size() - 8);
  const Bytes bytes = make_msf7({{}, info, {}, {0xff, 0xff, 0xff, 0xff, 1, 2}});
  const auto file = File::open(bytes);
  ASSERT_TRUE(file.ok()) << file.error().what;
  EXPECT_TRUE(file->named_streams().empty());
  EXPECT_NE(file->problem(), "");
}

TEST(Pdb, DeletedStreamsAreNotThere) {
  Bytes bytes = small_pdb();
  // Make stream 4 (one byte, /names) a deleted one: its size stands in the directory.
  const Bytes sizes = {1, 0, 0, 0, 0x14, 5, 0, 0};
  const auto at = std::search(bytes.begin(), bytes.end(), sizes.begin(), sizes.end());
  ASSERT_NE(at, bytes.end());
  std::fill(at, at + 4, 0xff);
  const auto file = File::open(bytes);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->container().size_of(4), 0u);
  EXPECT_EQ(file->container().read_all(4, 10).error().fault, base::Fault::not_found);
}

// "JG": 16-bit page numbers, no GUID.
TEST(Pdb, ReadsVersion2) {
  const Bytes bytes = testing_support::old_pdb();
  const auto file = File::open(bytes);
  ASSERT_TRUE(file.ok()) << file.error().what;
  EXPECT_EQ(file->container().kind(), Container::Kind::msf2);
  EXPECT_FALSE(file->info().has_guid);
  EXPECT_EQ(file->info().signature, 0x3dd60cfbu);
  EXPECT_EQ(file->age(), 2u);
}

// One stream whose bytes run from a plain fragment into two chunks.
Bytes make_msfz(const Bytes& info, std::uint32_t packing) {
  const Bytes first(info.begin(), info.begin() + 10);
  const Bytes second(info.begin() + 10, info.begin() + 20);
  const Bytes third(info.begin() + 20, info.end());
  Bytes chunk0 = {'u', 'n', 'u', 's', 'e', 'd'};
  chunk0.insert(chunk0.end(), second.begin(), second.end());
  const Bytes packed0 = packing == 1 ? base::compress_zstd(chunk0) : chunk0;
  const Bytes packed1 = packing == 1 ? base::compress_zstd(third) : third;
  Assembler directory;
  directory.u32(0xffffffff).u32(first.size()).u64(80);
  directory.u32(second.size() + third.size()).u64((1ull << 63) | 6).u32(0);
  const Bytes directory_bytes = directory.finish();
  const std::uint64_t at0 = 80 + first.size(), at1 = at0 + packed0.size();
  const std::uint64_t directory_at = at1 + packed1.size();
  Assembler a;
  a.bytes(base::bytes_of("Microsoft MSFZ Container\r\n\x1a"
                         "ALD"))
      .u8(0)
      .u8(0)
      .u64(0);
  a.u64(directory_at).u64(directory_at + directory_bytes.size()).u32(2).u32(0);
  a.u32(directory_bytes.size()).u32(directory_bytes.size()).u32(2).u32(40);
  a.bytes(first).bytes(packed0).bytes(packed1).bytes(directory_bytes);
  a.u64(at0).u32(packing).u32(packed0.size()).u32(chunk0.size());
  a.u64(at1).u32(packing).u32(packed1.size()).u32(third.size());
  return a.finish();
}

TEST(Pdb, ReadsFragmentsAndChunksOfMsfz) {
  for (const std::uint32_t packing : {0u, 1u}) {
    const Bytes bytes = make_msfz(info_stream(9, {{"srcsrv", 1}}), packing);
    const auto file = File::open(bytes);
    ASSERT_TRUE(file.ok()) << file.error().what;
    EXPECT_EQ(file->container().kind(), Container::Kind::msfz);
    EXPECT_EQ(base::hex_of(file->info().guid), base::hex_of(kGuid));
    EXPECT_EQ(file->age(), 9u);
    EXPECT_TRUE(file->has_srcsrv());
  }
  const Bytes strange = make_msfz(info_stream(9), 7);
  EXPECT_EQ(File::open(strange).error().fault, base::Fault::unsupported);
}

// Whatever is cut off, the answer is an identity or a fault, and the same identity as before.
void expect_prefixes_are_safe(base::Bytes bytes, std::size_t step) {
  for (std::size_t size = 0; size < bytes.size(); size += step) {
    const std::vector<std::uint8_t> prefix(bytes.begin(),
                                           bytes.begin() + static_cast<std::ptrdiff_t>(size));
    const auto file = File::open(prefix);
    if (!file.ok()) continue;
    for (std::uint32_t i = 0; i < file->container().stream_count() && i < 10; ++i) {
      (void)file->container().read_all(i, 1 << 20);
    }
  }
}

TEST(Pdb, EveryPrefixYieldsAnAnswerOrAFault) {
  expect_prefixes_are_safe(small_pdb(), 1);
  expect_prefixes_are_safe(make_msfz(info_stream(9), 1), 1);
}

TEST(PdbCorpus, PrefixesOfRealFilesAreSafe) {
  REQUIRE_CORPUS(corpus);
  for (const char* name : {"dotnet-helloworld/HelloWorld.pdb", "dotnet-helloworld/HelloWorld.pdz",
                           "lantern-win-extra/lantern-8k.pdb"}) {
    const auto file = base::MappedFile::open(corpus + "/symbols/objects/pe-pdb/" + name);
    ASSERT_TRUE(file.ok()) << name;
    expect_prefixes_are_safe((*file)->bytes(),
                             std::max<std::size_t>(1, (*file)->bytes().size() / 300));
  }
}

TEST(PdbCorpus, MsfAndMsfzHoldTheSameStreams) {
  REQUIRE_CORPUS(corpus);
  const std::string folder = corpus + "/symbols/objects/pe-pdb/dotnet-helloworld/HelloWorld.";
  const auto plain_bytes = base::MappedFile::open(folder + "pdb");
  const auto packed_bytes = base::MappedFile::open(folder + "pdz");
  ASSERT_TRUE(plain_bytes.ok() && packed_bytes.ok());
  const auto plain = File::open((*plain_bytes)->bytes());
  const auto packed = File::open((*packed_bytes)->bytes());
  ASSERT_TRUE(plain.ok() && packed.ok());
  ASSERT_EQ(packed->container().stream_count(), plain->container().stream_count());
  for (std::uint32_t i = 1; i < plain->container().stream_count(); ++i) {
    ASSERT_EQ(packed->container().size_of(i), plain->container().size_of(i)) << i;
    if (plain->container().size_of(i) == 0) continue;
    const auto a = plain->container().read_all(i, 1 << 20);
    const auto b = packed->container().read_all(i, 1 << 20);
    ASSERT_TRUE(a.ok() && b.ok()) << i;
    EXPECT_EQ(base::hex_of(a->bytes()), base::hex_of(b->bytes())) << i;
  }
}

TEST(PdbCorpus, FindsTheSourceServerStream) {
  REQUIRE_CORPUS(corpus);
  const auto bytes =
      base::MappedFile::open(corpus + "/symbols/objects/pe-pdb/lantern-win-extra/lantern-8k.pdb");
  ASSERT_TRUE(bytes.ok());
  const auto file = File::open((*bytes)->bytes());
  ASSERT_TRUE(file.ok()) << file.error().what;
  EXPECT_TRUE(file->has_srcsrv());
  EXPECT_FALSE(file->has_source_link());
  const auto text = file->read_named_stream("srcsrv", 1 << 20);
  ASSERT_TRUE(text.ok());
  EXPECT_TRUE(base::text_of(text->bytes()).starts_with("SRCSRV: ini"));
}

}  // namespace
}  // namespace pdb
